/** Lists that are kept in two places on purpose, held equal; and what configuration and pages name, held to exist. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHANNEL_NAMES, EVENT_NAMES } from '../../shared/contract/channel-names.ts';
import { CHANNELS, EVENTS } from '../../shared/contract/channels.ts';
import { filesUnder, projectTexts, ROOT } from './source.ts';

const sorted = (values: readonly string[]): string[] => [...values].sort();
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('the contract', () => {
  it('names each channel once, and the same ones with and without schemas', () => {
    expect(new Set(CHANNEL_NAMES).size).toBe(CHANNEL_NAMES.length);
    expect(sorted(CHANNEL_NAMES)).toEqual(sorted(Object.keys(CHANNELS)));
  });
  it('names each push event once, and the same ones with and without schemas', () => {
    expect(new Set(EVENT_NAMES).size).toBe(EVENT_NAMES.length);
    expect(sorted(EVENT_NAMES)).toEqual(sorted(Object.keys(EVENTS)));
  });
  it('names channels area.method', () => {
    for (const name of CHANNEL_NAMES) expect(name).toMatch(/^[a-z]+\.[a-z][A-Za-z]*$/);
  });
});

describe('what is named exists', () => {
  it('every entry of the build', () => {
    const entries = [
      ...read('electron.vite.config.ts').matchAll(/'([\w-]+(?:\/[\w-]+)+\.(?:ts|html))'/g),
    ].map((match) => match[1] ?? '');
    expect(entries.length).toBeGreaterThan(8);
    expect(entries.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
  it('every worker of the port', () => {
    const union = /WorkerEntry =([^;]+);/.exec(read('electron/ports/processes.ts'))?.[1] ?? '';
    const names = [...union.matchAll(/'([^']+)'/g)].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !existsSync(join(ROOT, `electron/workers/${name}.ts`)))).toEqual([]);
  });
  it('every script an npm command runs', () => {
    const scripts = Object.values(
      (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts,
    );
    const paths = scripts.flatMap((script) =>
      [...script.matchAll(/^node (\S+)/g)].map((match) => match[1] ?? ''),
    );
    expect(paths.length).toBeGreaterThan(3);
    expect(paths.filter((path) => !path.startsWith('out/') && !existsSync(join(ROOT, path)))).toEqual([]);
  });
  it('every relative link of a page', () => {
    const pages = projectTexts().filter(({ path }) => path.endsWith('.md'));
    const broken = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)\s#]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => !existsSync(join(ROOT, normalize(join(dirname(path), link)))))
        .map((link) => `${path} → ${link}`),
    );
    expect(broken).toEqual([]);
  });
  it('every source a page names in code marks', () => {
    const pages = filesUnder('docs', (path) => path.endsWith('.md'));
    expect(pages.length).toBeGreaterThan(0);
    const broken = pages.flatMap((path) =>
      [
        ...read(path).matchAll(
          /`((?:shared|electron|serving|renderer|resources|test|bench|docs)\/[\w./-]+)`/g,
        ),
      ]
        .map((match) => match[1] ?? '')
        .filter((named) => !existsSync(join(ROOT, named)))
        .map((named) => `${path} names ${named}`),
    );
    expect(broken).toEqual([]);
  });
});

describe('dependencies', () => {
  it('are all pinned, used, and explained in their decision record', () => {
    const manifest = JSON.parse(read('package.json')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const record = read('docs/adr/0006-dependencies.md');
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    expect(names.filter((name) => !record.includes(`\`${name}\``))).toEqual([]);
  });
});
