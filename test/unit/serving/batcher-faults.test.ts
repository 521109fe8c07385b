import { expect, test } from 'vitest';
import { Batcher } from '../../../serving/inference/batcher.ts';
import type { NamedTensor } from '../../../shared/node/onnx/named-tensor.ts';

test('given an answer that cannot be shared out, then each of those who asked is told, and the next is answered', async () => {
  const row = (value: number): NamedTensor[] => [
    { name: 'x', type: 'float32', dims: [1, 1], data: Float32Array.of(value) },
  ];
  const batcher = new Batcher({
    run: async (inputs, _outputs, joined) =>
      joined
        ? ([{ name: 'y' }] as unknown as NamedTensor[])
        : inputs.map((input) => ({ ...input, name: 'y' })),
    join: true,
    maxRows: 64,
    maxWaitMs: 0,
    queueRows: 1000,
    deadlineMs: 10_000,
  });
  const asked = await Promise.allSettled([1, 2, 3].map((value) => batcher.run(row(value), ['y'])));
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect((await batcher.run(row(4), ['y']))[0]?.data).toEqual(Float32Array.of(4));
});
