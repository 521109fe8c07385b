/** What is handed in wrong: each gets a clear error and its exit code, and nothing is lost. */
import { spawnSync } from 'node:child_process';
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type CliError, CliHome, type CliResult } from '../support/cli.ts';
import { LABELLED, MODEL, ROOT, SAMPLE_DATA } from '../support/console.ts';
import { firstFeature } from '../support/engine-models.ts';
import { minimalOnnx } from '../support/minimal-onnx.ts';
import { model, tensorType, value } from '../support/onnx-builder.ts';

let home: CliHome;
const fail = (result: CliResult): [number | null, string] => [
  result.code,
  result.json<CliError>().error.code,
];
const GOOD = 'f0,f1,f2,label\n0.1,0,0,0\n0.9,0,0,1\n';

beforeAll(async () => {
  home = await CliHome.make({ policy: { gates: [], minimumRows: 1 } });
  const file = await home.file('good.onnx', firstFeature());
  const added = await home.data('ana', 'model', 'add', file, '--name', 'good', '--version', '1.0.0');
  if (added.code !== 0) throw new Error(added.stderr);
});
afterAll(() => home.remove());

/** Nothing is lost: the one good version is whole, the log too, and no file is left that no row names. */
afterEach(async () => {
  const verify = await home.data('ana', 'model', 'verify');
  expect(verify.json()).toMatchObject({ checked: 1, bad: [] });
  const artifacts = join(home.workspace.vault, 'artifacts');
  const left = (await readdir(artifacts, { recursive: true })).filter((name) => name.includes('.'));
  expect(left).toHaveLength(1);
});
afterAll(async () => {
  expect((await home.data('ana', 'audit', 'verify')).code).toBe(0);
});

describe('a model file', () => {
  test.each([
    ['that is no ONNX file', () => Buffer.from('#!/bin/sh\necho hello\n'), 2, 'model.not-onnx', []],
    ['that is empty', () => Buffer.alloc(0), 2, 'model.not-onnx', []],
    ['that was cut off', () => firstFeature().subarray(0, 200), 2, 'model.truncated', []],
    [
      'that keeps its weights elsewhere',
      () => minimalOnnx({ externalLocation: '../../etc/passwd' }),
      4,
      'refused.scan',
      [],
    ],
    ['under a name with a path in it', () => firstFeature(), 2, 'usage', ['--name', '../phish']],
    ['under a version that is none', () => firstFeature(), 2, 'usage', ['--version', 'v1']],
    [
      'under a version that has other bytes',
      () => firstFeature({ positiveAbove: 0.7 }),
      4,
      'conflict',
      ['--name', 'good', '--version', '1.0.0'],
    ],
    ['with a parent that is not there', () => firstFeature(), 3, 'not-found', ['--parent', '0.9.0']],
  ])('%s', async (_, content, exit, code, args) => {
    const file = await home.file('bad.onnx', content());
    const names = ['--name', 'bad', '--version', '2.0.0', ...args];
    const refused = await home.data('ana', 'model', 'add', file, ...names);
    expect(fail(refused)).toEqual([exit, code]);
    expect(refused.stderr).toMatch(/^error: .+/);
  });

  test('that is not there, or is a folder', async () => {
    for (const [path, code] of [
      [home.path('none.onnx'), 3],
      [home.directory, 2],
    ] as const) {
      const refused = await home.data('ana', 'model', 'add', path, '--name', 'bad', '--version', '1.0.0');
      expect(refused.code).toBe(code);
    }
  });

  test('whose metadata file is not what it should be', async () => {
    const file = home.path('good.onnx');
    for (const text of ['owner: SOC', '{"unknown": 1}', '{"tags": "url"}']) {
      const metadata = await home.file('metadata.json', text);
      const args = ['--name', 'bad', '--version', '1.0.0', '--metadata', metadata];
      expect((await home.data('ana', 'model', 'add', file, ...args)).code).toBe(2);
    }
  });
});

describe('a dataset', () => {
  test.each([
    ['with other columns', 'a,b,label\n1,2,0\n3,4,1\n', 'dataset.columns', /column/],
    ['without its label', 'f0,f1,f2\n0.1,0,0\n', 'dataset.label-missing', /label/],
    ['with a word for a number', `${GOOD}0.2,high,0,1\n`, 'dataset.not-numeric', /row 3, column "f1"/i],
    ['with NaN', `${GOOD}0.2,NaN,0,1\n`, 'dataset.non-finite', /row 3, column "f1"/i],
    ['with infinity', `${GOOD}inf,0,0,1\n`, 'dataset.non-finite', /row 3, column "f0"/i],
    ['with no rows', 'f0,f1,f2,label\n', 'dataset.invalid', /row/],
  ])('%s', async (_, text, code, words) => {
    const data = await home.file('data.csv', text);
    const refused = await home.data('ana', 'validate', 'good@1.0.0', '--data', data, '--for', 'production');
    expect(fail(refused)).toEqual([2, code]);
    expect(refused.stderr).toMatch(words);
    const shown = await home.data('ana', 'model', 'show', 'good@1.0.0');
    expect(shown.json()).toMatchObject({ version: { state: 'draft' } });
  });

  test('that is not there', async () => {
    const refused = await home.data('ana', 'validate', 'good@1.0.0', '--data', home.path('none.csv'));
    expect([2, 3]).toContain(refused.code);
    expect(refused.stderr).toContain('none.csv');
  });
});

describe('a model whose outputs cannot be mapped', () => {
  test('is kept, and says on validate and submit what to do', async () => {
    const own = await CliHome.make();
    try {
      const odd = model({
        opsets: [['', 15]],
        graph: {
          nodes: [{ type: 'Shape', inputs: ['features'], outputs: ['words'] }],
          initializers: [],
          inputs: [value('features', tensorType(1, ['N', 3]))],
          outputs: [value('words', tensorType(7, [2, 3, 4]))],
        },
      });
      const file = await own.file('odd.onnx', odd);
      const added = await own.as('ana', 'model', 'add', file, '--name', 'odd', '--version', '1.0.0');
      expect(added.code, added.stderr).toBe(0);
      const data = await own.file('data.csv', GOOD);
      const validate = await own.data('ana', 'validate', 'odd@1.0.0', '--data', data, '--for', 'production');
      expect(fail(validate)).toEqual([2, 'model.unmappable']);
      const submit = await own.data('ana', 'submit', 'odd@1.0.0', '--for', 'production');
      expect(fail(submit)).toEqual([2, 'model.unmappable']);
      const mapped = await own.data('ana', 'model', 'map', 'odd@1.0.0', '--mapping', '{"kind":"neither"}');
      expect(mapped.code).toBe(2);
      expect((await own.data('ana', 'model', 'verify')).json()).toMatchObject({ checked: 1, bad: [] });
    } finally {
      await own.remove();
    }
  });
});

describe('a stored artifact with one byte changed', () => {
  test('is refused by everything that would use it, before the runtime sees it, and named', async () => {
    const own = await CliHome.make();
    try {
      const names = ['--name', MODEL, '--version', '1.0.0'];
      await own.data('ana', 'model', 'add', join(SAMPLE_DATA, `${MODEL}-1.0.0.onnx`), ...names);
      const folder = join(own.workspace.vault, 'artifacts');
      const [name] = (await readdir(folder, { recursive: true })).filter((each) => each.endsWith('.age'));
      const path = join(folder, name ?? '');
      const flip = async () => {
        const file = await open(path, 'r+');
        const byte = Buffer.alloc(1);
        await file.read(byte, 0, 1, 1200);
        byte[0] = (byte[0] ?? 0) ^ 1;
        await file.write(byte, 0, 1, 1200);
        await file.close();
      };
      await flip();
      const ref = `${MODEL}@1.0.0`;
      for (const args of [
        ['validate', ref, '--data', LABELLED, '--for', 'production'],
        ['model', 'export', ref, '--out', own.directory],
      ]) {
        expect([args[0], ...fail(await own.data('ana', ...args))]).toEqual([
          args[0],
          5,
          'integrity.artifact',
        ]);
      }
      const verify = await own.data('ana', 'model', 'verify');
      expect(verify.code).toBe(5);
      expect(verify.json()).toMatchObject({ checked: 1, bad: [{ ref }] });
      expect((await readdir(own.directory)).filter((each) => each.endsWith('.onnx'))).toEqual([]);
      await flip();
      expect((await own.data('ana', 'model', 'verify')).code).toBe(0);

      await rm(path);
      expect((await own.data('ana', 'model', 'verify')).code).toBe(5);
      expect((await own.data('ana', 'audit', 'verify')).code).toBe(0);
    } finally {
      await own.remove();
    }
  });
});

describe('a vault somebody edited', () => {
  test('with another vault.json is exit 5, and opens again once it is put back', async () => {
    const path = join(home.workspace.vault, 'vault.json');
    const before = await readFile(path, 'utf8');
    for (const text of ['{', JSON.stringify({ id: 'f'.repeat(32), format: 1 })]) {
      await writeFile(path, text);
      const refused = await home.data('ana', 'model', 'list');
      expect(refused.code).toBe(5);
    }
    await writeFile(path, JSON.stringify({ ...JSON.parse(before), format: 99 }));
    const newer = await home.data('ana', 'model', 'list');
    expect(fail(newer)).toEqual([6, 'vault.newer']);
    await writeFile(path, before);
  });
});

// Pipes of a shell; elsewhere nothing is written to a reader that went away.
test.skipIf(process.platform === 'win32')('a reader that went away ends nothing with a crash', async () => {
  const command = [process.execPath, join(ROOT, 'electron', 'cli', 'index.ts'), '--help'];
  const piped = spawnSync('bash', ['-c', 'set -o pipefail; "$@" | true', 'bash', ...command], {
    encoding: 'utf8',
  });
  expect([piped.status, piped.stderr]).toEqual([0, '']);
  const listed = spawnSync(
    'bash',
    [
      '-c',
      'set -o pipefail; "$@" | true',
      'bash',
      ...command.slice(0, 2),
      '--vault',
      home.workspace.vault,
      '--json',
      'status',
    ],
    { encoding: 'utf8' },
  );
  expect(listed.stderr).not.toContain('EPIPE');
});
