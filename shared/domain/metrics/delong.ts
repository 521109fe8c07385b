import { z } from 'zod';
import { intervalSchema } from '../evidence/interval.ts';
import { DEFAULT_LEVEL, normalInterval } from '../statistics/interval.ts';
import { normalCdf } from '../statistics/special.ts';

export const aucDifferenceSchema = z.object({
  first: z.number(),
  second: z.number(),
  /** Second minus first. */
  delta: z.number(),
  standardError: z.number().nullable(),
  interval: intervalSchema.nullable(),
  /** Two-sided, that both areas are equal; null where the variance is undefined. */
  pValue: z.number().nullable(),
});
export type AucDifference = z.infer<typeof aucDifferenceSchema>;

/** Scores of one model on the rows of each class, once in row order and once ascending; higher = more positive. */
export interface ClassScores {
  readonly negatives: Float64Array;
  readonly positives: Float64Array;
  readonly sortedNegatives: Float64Array;
  readonly sortedPositives: Float64Array;
}

/**
 * DeLong's test of two correlated areas (DeLong, DeLong and Clarke-Pearson 1988): both models on the same rows, in the
 * same order. O(n log n) by binary search and without any array of placements; null where a class is missing.
 */
export function delongTest(
  first: ClassScores,
  second: ClassScores,
  level = DEFAULT_LEVEL,
): AucDifference | null {
  const n = first.negatives.length;
  const p = first.positives.length;
  if (n === 0 || p === 0) return null;
  let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  // Around one half, which is exact in doubles and keeps the squares small.
  const add = (a: number, b: number): void => {
    sumA += a - 0.5;
    sumB += b - 0.5;
    squareA += (a - 0.5) ** 2;
    squareB += (b - 0.5) ** 2;
    product += (a - 0.5) * (b - 0.5);
  };
  const variance = (count: number): number => {
    const ofDifference = squareA + squareB - 2 * product - (sumB - sumA) ** 2 / count;
    return count < 2 ? Number.NaN : Math.max(0, ofDifference) / (count - 1) / count;
  };
  for (let row = 0; row < p; row += 1)
    add(
      shareBelow(first.sortedNegatives, first.positives[row] ?? 0),
      shareBelow(second.sortedNegatives, second.positives[row] ?? 0),
    );
  const areaA = sumA / p + 0.5;
  const areaB = sumB / p + 0.5;
  const ofPositives = variance(p);
  [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  for (let row = 0; row < n; row += 1)
    add(
      1 - shareBelow(first.sortedPositives, first.negatives[row] ?? 0),
      1 - shareBelow(second.sortedPositives, second.negatives[row] ?? 0),
    );
  const delta = areaB - areaA;
  const total = ofPositives + variance(n);
  if (Number.isNaN(total))
    return { first: areaA, second: areaB, delta, standardError: null, interval: null, pValue: null };
  const standardError = Math.sqrt(total);
  const wide = normalInterval(delta, standardError, level);
  // No variance and no difference: the same ranking twice. No variance and a difference says nothing about chance.
  const pValue = standardError > 0 ? 2 * normalCdf(-Math.abs(delta) / standardError) : delta === 0 ? 1 : null;
  return {
    first: areaA,
    second: areaB,
    delta,
    standardError,
    interval: { ...wide, low: Math.max(-1, wide.low), high: Math.min(1, wide.high), method: 'delong' },
    pValue,
  };
}

/** Share of ascending values below `value`, ties counting one half. */
function shareBelow(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  const below = low;
  if (sorted[low] !== value) return below / sorted.length;
  high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return (below + low) / 2 / sorted.length;
}
