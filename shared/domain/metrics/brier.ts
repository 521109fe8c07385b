import type { Accumulator, Figure } from './figure.ts';
import { RowMean } from './row-mean.ts';

/** Brier score: mean of (p − y)², 0 best, streaming. Probabilities are of the positive class. */
export function createBrier(
  level?: number,
): Accumulator<[labels: Uint8Array, probabilities: ArrayLike<number>], Figure> {
  const mean = new RowMean();
  return {
    add(labels, probabilities) {
      for (let row = 0; row < labels.length; row += 1)
        mean.add(((probabilities[row] ?? 0) - (labels[row] ?? 0)) ** 2);
    },
    result: () => mean.figure(level),
  };
}
