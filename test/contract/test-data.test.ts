/** What every `TestDataRunner` does; the one there is runs real models in real worker processes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createTestDataRunner, type TestDataOptions } from '../../electron/adapters/inference/test-data.ts';
import { DEFAULT_TOLERANCE, type Tolerance } from '../../shared/domain/evidence/test-data.ts';
import { job } from '../support/engine.ts';
import { laborious, sha256, TYPE } from '../support/engine-models.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { floats, floatTensor, identity, rawTensor, writeCase } from '../support/test-data.ts';
import { forkWorker } from '../support/vault.ts';

function run(
  folder: string,
  options: Partial<TestDataOptions> = {},
  tolerance: Tolerance = DEFAULT_TOLERANCE,
) {
  const bytes = readFileSync(join(folder, 'model.onnx'));
  return createTestDataRunner({ forkWorker, ...options }).run(
    { bytes, digest: sha256(bytes) },
    folder,
    tolerance,
    job(),
  );
}

const ONE = { inputs: [floatTensor([1])], outputs: [floatTensor([1])] };

describe('a folder of test data', () => {
  test('is run set by set, by their numbers, and has a digest', async () => {
    const sets = Array.from({ length: 11 }, (_, index) =>
      index === 10 ? { ...ONE, outputs: [floatTensor([2])] } : ONE,
    );
    const folder = writeCase(temporaryDirectory(), { model: identity(floats(1)), ...ONE }, ...sets.slice(1));
    const { sets: reports, dataDigest } = await run(folder);
    expect(reports.map(({ name, status }) => `${name} ${status}`)).toEqual(
      sets.map((_, index) => `test_data_set_${index} ${index === 10 ? 'failed' : 'passed'}`),
    );
    expect(dataDigest).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('what goes wrong', () => {
  test('a folder without test data, and data of another model, are refused', async () => {
    const empty = temporaryDirectory();
    writeFileSync(join(empty, 'model.onnx'), identity(floats(1)));
    await expect(run(empty)).rejects.toMatchObject({ code: 'dataset.invalid' });
    const one = [floatTensor([1])];
    const two = writeCase(temporaryDirectory(), {
      model: identity(floats(1)),
      inputs: [...one, ...one],
      outputs: one,
    });
    await expect(run(two)).rejects.toMatchObject({ code: 'dataset.invalid' });
    const bad = writeCase(temporaryDirectory(), {
      model: identity(floats(1)),
      inputs: [Uint8Array.of(255, 255)],
      outputs: one,
    });
    await expect(run(bad)).rejects.toMatchObject({ code: 'dataset.invalid' });
  });

  test('one set may be named itself', async () => {
    const folder = writeCase(temporaryDirectory(), {
      model: identity(floats(1)),
      inputs: [floatTensor([1])],
      outputs: [floatTensor([1])],
    });
    const bytes = readFileSync(join(folder, 'model.onnx'));
    const { sets } = await createTestDataRunner({ forkWorker }).run(
      { bytes, digest: sha256(bytes) },
      join(folder, 'test_data_set_0'),
      DEFAULT_TOLERANCE,
      job(),
    );
    expect(sets).toMatchObject([{ name: 'test_data_set_0', status: 'passed' }]);
  });

  /** Works for as long as its second feature says. */
  const work = (amount: number) => ({
    inputs: [rawTensor(1, [1, 3], new Uint8Array(Float32Array.of(0.25, amount, 0).buffer))],
    outputs: [
      rawTensor(TYPE.int64, [1, 1], new Uint8Array(8)),
      rawTensor(1, [1, 1], new Uint8Array(Float32Array.of(0.25).buffer)),
    ],
  });

  test('a set that never ends costs its process; the next has a new one, until the model did it twice', async () => {
    const endless = work(3e8);
    const folder = writeCase(
      temporaryDirectory(),
      { model: laborious(), ...work(1) },
      endless,
      work(1),
      endless,
      work(1),
    );
    const { sets } = await run(folder, { deadlineMs: 1500 });
    expect(sets.map(({ status }) => status)).toEqual(['passed', 'error', 'passed', 'error', 'error']);
    expect(sets[4]?.reason).toContain('quarantined');
  });

  test('a set that takes too much memory costs its process', async () => {
    const folder = writeCase(temporaryDirectory(), { model: laborious(), ...work(2e8) });
    const { sets } = await run(folder, { maxRssBytes: 500 * 2 ** 20 });
    expect(sets).toMatchObject([{ status: 'error', reason: expect.stringContaining('MiB') }]);
  });

  test('a run that is cancelled ends its process', async () => {
    const folder = writeCase(temporaryDirectory(), { model: laborious(), ...work(3e8) });
    const bytes = readFileSync(join(folder, 'model.onnx'));
    const watched = job((phase) => {
      if (phase === 'running test data') setImmediate(() => watched.cancel());
    });
    const running = createTestDataRunner({ forkWorker }).run(
      { bytes, digest: sha256(bytes) },
      folder,
      DEFAULT_TOLERANCE,
      watched,
    );
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  });
});
