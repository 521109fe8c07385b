/** `validate … --test-data`: a model on its own test data, registered or not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestDataReport } from '../../shared/domain/evidence/test-data.ts';
import { type CliError, CliHome } from '../support/cli.ts';
import { minimalOnnx } from '../support/minimal-onnx.ts';
import { floats, floatTensor, identity, writeCase } from '../support/test-data.ts';

let home: CliHome;
let good: string;
let bad: string;
beforeAll(async () => {
  home = await CliHome.make();
  const model = identity(floats(2));
  const inputs = [floatTensor([1, 2])];
  good = writeCase(join(home.directory, 'good'), { model, inputs, outputs: inputs });
  bad = writeCase(
    join(home.directory, 'bad'),
    { model, inputs, outputs: inputs },
    { inputs, outputs: [floatTensor([1, 2.01])] },
  );
});
afterAll(() => home.remove());

describe('a model on its own test data', () => {
  test('a file that nobody registered passes, and the run is in the log', async () => {
    const run = await home.data('ana', 'validate', join(good, 'model.onnx'), '--test-data', good);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json<TestDataReport>()).toMatchObject({
      model: 'model.onnx',
      passed: true,
      sets: [{ name: 'test_data_set_0', status: 'passed' }],
    });
    const log = await home.data('cleo', 'audit', 'show');
    expect(log.stdout).toContain('validation.tested');
  });

  test('a version that gives other answers ends with 4, and a wider tolerance lets it pass', async () => {
    const added = await home.as(
      'ana',
      'model',
      'add',
      join(bad, 'model.onnx'),
      '--name',
      'm',
      '--version',
      '1.0.0',
    );
    expect(added.code, added.stderr).toBe(0);
    const run = await home.as('ana', 'validate', 'm@1.0.0', '--test-data', bad);
    expect(run.code).toBe(4);
    expect(run.stdout).toContain('1 of 2 sets pass');
    expect(run.stdout).toMatch(/test_data_set_1 +failed +y float\[2\].*first at \[1\]: 2, expected 2\.00/);
    const wide = await home.as('ana', 'validate', 'm@1.0.0', '--test-data', bad, '--atol', '0.02');
    expect(wide.code, wide.stderr).toBe(0);
  });

  test('a file that would be refused by the registry is not run', async () => {
    const hostile = join(home.directory, 'hostile.onnx');
    await writeFile(hostile, minimalOnnx({ externalLocation: '../../etc/passwd' }));
    const run = await home.data('ana', 'validate', hostile, '--test-data', good);
    expect([run.code, run.json<CliError>().error.code]).toEqual([4, 'refused.scan']);
  });

  test('what cannot be is said as usage', async () => {
    const run = await home.data('ana', 'validate', 'm@1.0.0', '--test-data', good, '--rtol', '-1');
    expect([run.code, run.json<CliError>().error.code]).toEqual([2, 'usage']);
  });
});
