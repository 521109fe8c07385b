/** What is said of versions, searched, compared and collected by command line. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VersionDifference } from '../../shared/domain/model/difference.ts';
import type { Collection } from '../../shared/domain/model/retention.ts';
import type { VersionRow, VersionView } from '../../shared/domain/view/views.ts';
import { type CliError, CliHome, type CliResult } from '../support/cli.ts';
import { MODEL, SAMPLE_DATA } from '../support/console.ts';

const code = (result: CliResult) => result.json<CliError>().error.code;
const METADATA = {
  owner: 'SOC',
  licence: 'MIT',
  tags: ['url', 'edge'],
  datasetDigest: 'sha256:9c1185a5',
  codeReference: 'git:a94a8fe',
  trainingParameters: { depth: 12, criterion: 'gini' },
  metrics: { auc: 0.97 },
  permittedToDeploy: true,
};

let home: CliHome;
beforeAll(async () => {
  home = await CliHome.make();
  const metadata = await home.file('metadata.json', JSON.stringify(METADATA));
  for (const [version, parent] of [
    ['1.0.0', null],
    ['1.1.0', '1.0.0'],
    ['1.2.0', '1.1.0'],
  ] as const) {
    const derived = parent === null ? ['--metadata', metadata] : ['--parent', parent];
    const added = await home.as(
      'ana',
      'model',
      'add',
      join(SAMPLE_DATA, `${MODEL}-${version}.onnx`),
      '--name',
      MODEL,
      '--version',
      version,
      ...derived,
    );
    expect(added.code, added.stderr).toBe(0);
  }
});
afterAll(() => home.remove());

async function found(...query: string[]): Promise<string[]> {
  const listed = await home.data('ana', 'model', 'list', ...query);
  expect(listed.code, listed.stderr).toBe(0);
  return listed.json<{ rows: VersionRow[] }>().rows.map(({ version }) => version);
}

describe('the registry, kept up', () => {
  test('model list takes the search language, hyphens and comparisons too', async () => {
    expect(await found('owner:soc', 'metric.auc>0.9', 'param.depth=12')).toEqual(['1.0.0']);
    expect(await found('-tag:edge')).toEqual(['1.2.0', '1.1.0']);
    expect(await found('version:>=1.1', '-version:1.2')).toEqual(['1.1.0']);
    expect(await found('--limit', '1', '--offset', '1')).toEqual(['1.1.0']);
    const wrong = await home.data('ana', 'model', 'list', 'ownr:soc');
    expect([wrong.code, code(wrong)]).toEqual([2, 'input.invalid']);
    expect(wrong.stderr).toContain('Did you mean “owner”');
    const text = await home.as('ana', 'model', 'list', '--limit', '1');
    expect(text.stderr).toContain('1 of 3 versions');
  });

  test('model show says what was said of it and where it stands in its line', async () => {
    const shown = await home.as('ana', 'model', 'show', `${MODEL}@1.0.0`);
    for (const text of ['owner        SOC', 'code         git:a94a8fe', 'depth=12', 'parent of    1.1.0'])
      expect(shown.stdout).toContain(text);
    const last = await home.as('ana', 'model', 'show', `${MODEL}@1.2.0`);
    expect(last.stdout).toContain('derived from 1.1.0 ← 1.0.0');
  });

  test('model describe replaces it; an unknown key is refused', async () => {
    const metadata = await home.file('next.json', JSON.stringify({ ...METADATA, owner: 'Blue' }));
    const described = await home.data('ben', 'model', 'describe', `${MODEL}@1.0.0`, '--metadata', metadata);
    expect(described.json<VersionView>().version.metadata).toEqual({ ...METADATA, owner: 'Blue' });
    const odd = await home.file('odd.json', '{"surprise":1}');
    const refused = await home.data('ben', 'model', 'describe', `${MODEL}@1.0.0`, '--metadata', odd);
    expect([refused.code, code(refused)]).toEqual([2, 'usage']);
  });

  test('model alias and unalias: a protected one is for release managers', async () => {
    const refused = await home.data('ana', 'model', 'alias', MODEL, 'champion', '1.0.0');
    expect([refused.code, code(refused)]).toEqual([4, 'refused.role']);
    expect((await home.as('ben', 'model', 'alias', MODEL, 'champion', '1.0.0')).code).toBe(0);
    expect(await found('alias:champion')).toEqual(['1.0.0']);
    expect((await home.as('ben', 'model', 'unalias', MODEL, 'champion')).stdout).toContain(
      'no champion any more',
    );
    expect((await home.as('ben', 'model', 'unalias', MODEL, 'champion')).stdout).toContain(
      'nothing was changed',
    );
  });

  test('model diff lines two versions up, and with --only-differences leaves out what is the same', async () => {
    const all = await home.data('cleo', 'model', 'diff', `${MODEL}@1.0.0`, `${MODEL}@1.1.0`);
    const rows = all.json<VersionDifference[]>();
    expect(rows.some(({ differs }) => !differs)).toBe(true);
    const only = await home.as(
      'cleo',
      'model',
      'diff',
      `${MODEL}@1.0.0`,
      `${MODEL}@1.1.0`,
      '--only-differences',
    );
    const lines = only.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1 + rows.filter(({ differs }) => differs).length);
    const column = (lines[0] ?? '').indexOf(`${MODEL}@1.1.0`);
    expect(lines.slice(1).every((line) => line[column - 1] === ' ' && line[column] !== ' ')).toBe(true);
  });

  test('model collect says dry what it does then; without a rule it does nothing', async () => {
    const dry = await home.data('ben', 'model', 'collect', '--dry-run');
    expect(dry.json<Collection>()).toMatchObject({ dryRun: true, archived: [], removed: [], freedBytes: 0 });
    expect((await home.as('ben', 'model', 'collect')).stdout).toContain('0 B freed.');
  });
});
