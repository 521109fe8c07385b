import { expect, test } from 'vitest';
import { guessMapping } from '../../../shared/domain/model/guess-mapping.ts';
import { readOnnx } from '../../../shared/domain/onnx/reader.ts';
import { bytesSource } from '../../../shared/domain/onnx/wire.ts';
import { loadModel } from '../../../shared/node/onnx/session.ts';
import { twoClassTree } from '../../support/engine-models.ts';

const summaryOf = (bytes: Uint8Array) => readOnnx(bytesSource(bytes)).summary;

test.each([true, false])(
  'given a tree of two classes with weights for both (packed lists: %s), then it is read by its score, and its labels follow it',
  async (packed) => {
    const bytes = twoClassTree({ both: true, packed });
    const summary = summaryOf(bytes);
    expect(summary.labelsUnreliable).toBe(true);
    const mapping = guessMapping(summary);
    expect(mapping).toMatchObject({
      labelOutput: null,
      scoreOutput: 'probabilities',
      scoreColumn: 1,
      positiveLabel: 1,
      threshold: 0.5,
    });
    if (!mapping) return;
    const loaded = await loadModel(bytes, mapping, { intraOpThreads: 1 });
    const { labels, scores } = await loaded.run(Float32Array.of(0, 0, 1, 0), 2);
    await loaded.release();
    // The runtime's own label of the first row is 1, at a probability of 0.2.
    expect(Array.from(labels)).toEqual([0, 1]);
    expect(Array.from(scores ?? [], (score) => score.toFixed(2))).toEqual(['0.20', '0.90']);
  },
);

test.each([true, false])(
  'weights for class 1 alone (packed lists: %s) leave its label as it is',
  (packed) => {
    const summary = summaryOf(twoClassTree({ both: false, packed }));
    expect(summary.labelsUnreliable).toBeUndefined();
    expect(guessMapping(summary)?.labelOutput).toBe('label');
  },
);
