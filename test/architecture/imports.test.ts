import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { danglingImports, importCycles, importViolations, longFiles, MAX_LINES } from './rules.ts';
import { parseSource, projectSources, ROOT } from './source.ts';

/** Files that may be longer than others because they are one table or one rule, with the reason. */
const TABLES: Readonly<Record<string, string>> = {
  'shared/domain/onnx/schema.ts': 'the table of messages and fields of the ONNX format',
  'test/unit/scan/scan.test.ts': 'the corpus of attacks and what must be said of each',
  'test/support/renderer-data.ts': 'the records of a made-up vault that the window is shown with',
  'test/support/renderer-fake.ts': 'one answer per channel of the contract',
};

const sources = projectSources();
const paths = new Set(sources.map((file) => file.path));

const violations = (path: string, text: string) => importViolations([parseSource(path, text)]);

describe('the sources keep the import rules of the house', () => {
  it('there are sources in every room', () => {
    for (const room of [
      'shared/domain/',
      'shared/contract/',
      'shared/node/',
      'electron/main/',
      'serving/',
      'renderer/',
    ]) {
      expect(
        [...paths].some((path) => path.startsWith(room)),
        room,
      ).toBe(true);
    }
  });
  it('no file imports from a room it may not see', () => {
    expect(importViolations(sources)).toEqual([]);
  });
  it('every relative import names an existing file with its extension', () => {
    expect(danglingImports(sources, (path) => existsSync(join(ROOT, path)))).toEqual([]);
  });
  it('no imports lead in a circle, not even those of types', () => {
    expect(importCycles(sources, 'types')).toEqual([]);
  });
  it(`no file is longer than ${MAX_LINES} lines, save the tables of rules`, () => {
    expect(longFiles(sources, TABLES)).toEqual([]);
    for (const path of Object.keys(TABLES))
      expect(paths.has(path), `${path} is gone from the list`).toBe(true);
  });
});

describe('the checker sees', () => {
  it.each([
    ['a built-in module in the domain', 'shared/domain/a.ts', `import { join } from 'node:path';`],
    ['a built-in module in the domain, unprefixed', 'shared/domain/a.ts', `import { join } from 'path';`],
    ['the contract in the domain', 'shared/domain/a.ts', `import type { A } from '../contract/channels.ts';`],
    ['another package in the domain', 'shared/domain/a/b.ts', `import yaml from 'yaml';`],
    ['the desktop in shared/node', 'shared/node/a.ts', `import { x } from '../../electron/ports/system.ts';`],
    ['the contract in shared/node', 'shared/node/a.ts', `export { x } from '../contract/result.ts';`],
    ['a second importer of onnxruntime', 'shared/node/a.ts', `import * as ort from 'onnxruntime-node';`],
    ['onnxruntime behind a dynamic import', 'serving/a.ts', `const ort = await import('onnxruntime-node');`],
    ['onnxruntime behind require', 'serving/a.ts', `const ort = require('onnxruntime-node');`],
    ['onnxruntime as a type', 'serving/a.ts', `let s: import('onnxruntime-node').InferenceSession;`],
    ['the desktop in the agent', 'serving/a.ts', `import { x } from '../electron/services/input.ts';`],
    ['an adapter in a service', 'electron/services/a.ts', `import { x } from '../adapters/sqlite/store.ts';`],
    ['Node in a service', 'electron/services/a.ts', `import { readFile } from 'node:fs/promises';`],
    [
      'the channels as values in a service',
      'electron/services/a.ts',
      `import { CHANNELS } from '../../shared/contract/channels.ts';`,
    ],
    ['a service in an adapter', 'electron/adapters/x/a.ts', `import { x } from '../../services/ledger.ts';`],
    ['an adapter in a handler', 'electron/ipc/a.ts', `import { x } from '../adapters/sqlite/store.ts';`],
    ['the object graph in a handler', 'electron/ipc/a.ts', `import { compose } from '../compose.ts';`],
    [
      'an adapter in a command',
      'electron/cli/verbs/a.ts',
      `import { x } from '../../adapters/sqlite/store.ts';`,
    ],
    ['Electron in a command', 'electron/cli/a.ts', `import { app } from 'electron';`],
    [
      'Electron in the window',
      'renderer/app/a.tsx',
      `import { ipcRenderer } from 'electron';\nexport const a = <p />;`,
    ],
    ['Node in the window', 'renderer/app/a.tsx', `import { join } from 'node:path';`],
    ['charts outside of their folder', 'renderer/features/a.tsx', `import { Chart } from 'chart.js';`],
    ['charts by a subpath', 'renderer/features/a.tsx', `import Chart from 'chart.js/auto';`],
    [
      'the main process in the window',
      'renderer/app/a.ts',
      `import type { A } from '../../electron/ports/system.ts';`,
    ],
    [
      'schemas in the preload',
      'electron/preload/a.ts',
      `import { CHANNELS } from '../../shared/contract/channels.ts';`,
    ],
    ['the Electron runtime in its stand-in', 'electron/chromium/a.ts', `import { app } from 'electron';`],
    [
      'the keychain outside of its process',
      'electron/adapters/keychain/a.ts',
      `import keytar from 'keytar';`,
    ],
    ['a path made at run time', 'electron/services/a.ts', `export const a = (p: string) => import(p);`],
    ['a file in no room', 'lonely/a.ts', `export const a = 1;`],
    ['the runtime with its telemetry', 'bench/a.ts', `import * as ort from 'onnxruntime-node';`],
    [
      'the runtime with its telemetry till later',
      'bench/a.ts',
      `import * as ort from 'onnxruntime-node'; await import('../shared/node/onnx/no-telemetry.ts');`,
    ],
  ])('%s', (_what, path, text) => {
    expect(violations(path, text)).toHaveLength(1);
  });

  it.each([
    ['zod in the domain', 'shared/domain/a.ts', `import { z } from 'zod'; import { b } from './b.ts';`],
    [
      'domain and packages in shared/node',
      'shared/node/a.ts',
      `import { b } from '../domain/b.ts'; import 'undici';`,
    ],
    [
      'the one importer of onnxruntime',
      'shared/node/onnx/runtime.ts',
      `import * as ort from 'onnxruntime-node'; import './no-telemetry.ts';`,
    ],
    ["Electron's types in its stand-in", 'electron/chromium/a.ts', `import type { App } from 'electron';`],
    ['charts in their folder', 'renderer/charts/a.tsx', `import { Chart } from 'chart.js';`],
    ['ports in a service', 'electron/services/a/b.ts', `import type { Store } from '../../ports/stores.ts';`],
    [
      'a word in a comment or a string',
      'shared/domain/a.ts',
      `// import 'node:fs'\nexport const a = "import 'node:fs'";`,
    ],
  ])('nothing wrong in %s', (_what, path, text) => {
    expect(violations(path, text)).toEqual([]);
  });

  it('the object graph in a single command, but not in the entry of all', () => {
    const text = `import { compose } from '../compose.ts';`;
    expect(violations('electron/cli/context.ts', text)).toHaveLength(1);
    expect(violations('electron/cli/index.ts', text)).toEqual([]);
  });

  it('a missing extension', () => {
    const file = parseSource('shared/domain/a.ts', `export * from './b';`);
    expect(danglingImports([file], (path) => path === 'shared/domain/b.ts')).toHaveLength(1);
  });

  it('a circle on loading, but none by types or by a call', () => {
    const circle = (third: string) => [
      parseSource('a.ts', `import { b } from './b.ts'; export const a = b;`),
      parseSource('b.ts', `import { c } from './c.ts'; export const b = c;`),
      parseSource('c.ts', third),
    ];
    const loaded = circle(`export { a as c } from './a.ts';`);
    expect(importCycles(loaded, 'runtime').map((cycle) => [...cycle].sort())).toEqual([
      ['a.ts', 'b.ts', 'c.ts'],
    ]);
    const typed = circle(`import type { a } from './a.ts'; export const c: typeof a = 1 as never;`);
    expect(importCycles(typed, 'runtime')).toEqual([]);
    expect(importCycles(typed, 'types')).toHaveLength(1);
    const lazy = circle(`export const c = () => import('./a.ts');`);
    expect(importCycles(lazy, 'runtime')).toEqual([]);
    const itself = [parseSource('a.ts', `import * as a from './a.ts'; export const b = a;`)];
    expect(importCycles(itself, 'runtime')).toEqual([['a.ts']]);
  });

  it('two circles that share no file, and not the files between them', () => {
    const files = [
      parseSource('a.ts', `import './b.ts';`),
      parseSource('b.ts', `import './a.ts'; import './m.ts';`),
      parseSource('m.ts', `import './x.ts';`),
      parseSource('x.ts', `import './y.ts';`),
      parseSource('y.ts', `import './x.ts';`),
    ];
    expect(
      importCycles(files, 'runtime')
        .map((cycle) => [...cycle].sort())
        .sort(),
    ).toEqual([
      ['a.ts', 'b.ts'],
      ['x.ts', 'y.ts'],
    ]);
  });

  it('a file that is too long, and the table that may be', () => {
    const long = parseSource('shared/domain/a.ts', 'export {};\n'.repeat(1) + '// line\n'.repeat(MAX_LINES));
    expect(long.lines).toBe(MAX_LINES + 1);
    expect(longFiles([long], {})).toHaveLength(1);
    expect(longFiles([long], { 'shared/domain/a.ts': 'a table' })).toEqual([]);
    expect(longFiles([parseSource('a.ts', '// line\n'.repeat(MAX_LINES))], {})).toEqual([]);
  });

  it('a file that does not parse, as an error', () => {
    expect(() => parseSource('a.ts', 'import from;')).toThrow(/a\.ts/);
  });
});
