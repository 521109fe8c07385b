import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedFloats } from '../../../shared/domain/metrics/sorted-floats.ts';
import { sortedScores, ThresholdWalk, thresholdOf } from '../../../shared/domain/metrics/sorted-scores.ts';
import { createRandom } from '../../../shared/domain/statistics/random.ts';

describe('values sorted while they come', () => {
  const random = createRandom(1);
  it.each([0, 1, 16_384, 16_385, 100_000])('%i of them are those of sorting them at once', (count) => {
    const values = Float32Array.from({ length: count }, () => Math.round(random.normal() * 1000) + 0);
    const sorted = new SortedFloats(true);
    for (const value of values) sorted.push(value);
    expect(sorted.length).toBe(count);
    expect(sorted.take()).toEqual(values.toSorted());
    expect(sorted.length).toBe(0);
  });
  it('lose nothing when doubles follow single precision', () => {
    const sorted = new SortedFloats(true);
    for (let value = 40_000; value > 0; value--) sorted.push(value);
    sorted.widen();
    for (let value = 0; value < 40_000; value++) sorted.push(value + 0.1);
    const taken = sorted.take();
    expect([taken.length, taken[0], taken[1], taken.at(-1)]).toEqual([80_000, 0.1, 1, 40_000]);
    expect(taken).toEqual(taken.toSorted());
  });
});

describe('the walk through the thresholds', () => {
  const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true }));
  const scores = fc.array(score, { maxLength: 40 });
  it('visits every distinct score once, with the rows at or above it', () => {
    fc.assert(
      fc.property(scores, scores, (negatives, positives) => {
        const sorted = sortedScores(Float64Array.from(negatives).sort(), Float64Array.from(positives).sort());
        const seen: number[][] = [];
        for (const walk = new ThresholdWalk(sorted); walk.next(); ) {
          const { falsePositives: fp, truePositives: tp } = walk;
          seen.push([thresholdOf(sorted, fp, tp) + 0, fp, tp]);
        }
        const distinct = [...new Set([...negatives, ...positives].map((one) => one + 0))];
        const atOrAbove = (of: readonly number[], threshold: number): number =>
          of.filter((one) => one >= threshold).length;
        expect(seen).toEqual(
          distinct
            .sort((a, b) => b - a)
            .map((one) => [one, atOrAbove(negatives, one), atOrAbove(positives, one)]),
        );
      }),
    );
  });
});
