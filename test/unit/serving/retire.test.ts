/** A version that is taken out answers whoever it had begun with. */
import { expect, test, vi } from 'vitest';
import type { Batcher } from '../../../serving/inference/batcher.ts';
import type { ModelProcesses } from '../../../serving/inference/processes.ts';
import { Release } from '../../../serving/release.ts';
import type { NamedTensor } from '../../../shared/node/onnx/named-tensor.ts';

/** One row at a time, each when it is told to. */
function oneByOne() {
  const close = vi.fn(async () => {});
  const waiting: (() => void)[] = [];
  const batcher: Pick<Batcher, 'run'> = {
    run: (inputs) => new Promise((resolve) => waiting.push(() => resolve(inputs))),
  };
  const release = new Release({
    name: 'traffic',
    ref: { version: '1.0.0', digest: 'a'.repeat(64), root: 'b'.repeat(64) },
    info: {
      inputs: [{ name: 'x', type: 'float32', shape: [1, 1] }],
      outputs: [{ name: 'y', type: 'float32', shape: [1, 1] }],
      batch: 1,
      leftOut: [],
    },
    mapping: {
      kind: 'regression',
      input: 'x',
      labelOutput: null,
      scoreOutput: 'y',
      scoreColumn: 0,
      positiveLabel: 1,
      threshold: 0.5,
      lowerIsPositive: false,
    },
    processes: { rssBytes: 0, close } as unknown as ModelProcesses,
    batcher: batcher as Batcher,
    sizeBytes: 1,
  });
  const answerNext = async (): Promise<void> => {
    await vi.waitUntil(() => waiting.length > 0);
    waiting.shift()?.();
  };
  return { release, close, answerNext };
}

test('given a call that takes several runs, when its version is retired in the middle, then all of its rows are answered first', async () => {
  const { release, close, answerNext } = oneByOne();
  const rows: NamedTensor = { name: 'x', type: 'float32', dims: [3, 1], data: Float32Array.of(1, 2, 3) };
  const call = release.runRows([rows], ['x']);
  expect(release.inFlight).toBe(1);
  const retired = release.retire();
  for (let row = 0; row < 3; row++) {
    expect(close).not.toHaveBeenCalled();
    await answerNext();
  }
  expect((await call)[0]?.data).toEqual(rows.data);
  await retired;
  expect(close).toHaveBeenCalledOnce();
  expect(release.inFlight).toBe(0);
});
