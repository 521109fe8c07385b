import { z } from 'zod';
import { intervalSchema } from '../evidence/interval.ts';
import { DEFAULT_LEVEL, normalInterval } from '../statistics/interval.ts';
import { normalCdf } from '../statistics/special.ts';
import type { Floats } from './floats.ts';
import type { SortedScores } from './sorted-scores.ts';

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

/** Scores of one model on the rows of each class, ascending and as the rows came; higher = more positive. */
export interface ClassScores extends SortedScores {
  readonly inOrder: { readonly negatives: Floats; readonly positives: Floats };
}

/**
 * DeLong's test of two correlated areas (DeLong, DeLong and Clarke-Pearson 1988): both models on the same rows, in the
 * same order. O(n log n) by bisection, no array of placements is kept; null where a class is missing.
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
  let placeA = placements(first.negatives);
  let placeB = placements(second.negatives);
  for (let row = 0; row < p; row += 1)
    add(placeA(first.inOrder.positives[row] ?? 0), placeB(second.inOrder.positives[row] ?? 0));
  const areaA = sumA / p + 0.5;
  const areaB = sumB / p + 0.5;
  const ofPositives = variance(p);
  [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  placeA = placements(first.positives);
  placeB = placements(second.positives);
  for (let row = 0; row < n; row += 1)
    add(1 - placeA(first.inOrder.negatives[row] ?? 0), 1 - placeB(second.inOrder.negatives[row] ?? 0));
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

/** Rows a guide's bucket holds on average. */
const BUCKET = 2;

/**
 * A function that says which share of ascending values lies below one, ties counting one half. Buckets of equal width
 * say where to look, so that a search stays in a few cache lines; piled-up scores cost it no more than plain bisection.
 */
function placements(sorted: Floats): (value: number) => number {
  const size = sorted.length;
  const min = sorted[0] ?? 0;
  const buckets = Math.max(1, Math.min(1 << 20, Math.floor(size / BUCKET)));
  const width = (sorted[size - 1] ?? 0) - min;
  // A range that overflows, or none: one bucket.
  const scale = width > 0 && Number.isFinite(buckets / width) ? buckets / width : 0;
  const bucketOf = (value: number): number =>
    scale === 0 ? 0 : Math.max(0, Math.min(buckets - 1, Math.floor((value - min) * scale)));
  /** First place whose bucket is at least this one. */
  const starts = new Uint32Array(buckets + 1).fill(size);
  for (let at = size - 1; at >= 0; at -= 1) starts[bucketOf(sorted[at] ?? 0)] = at;
  for (let bucket = buckets - 1; bucket >= 0; bucket -= 1)
    starts[bucket] = Math.min(starts[bucket] ?? size, starts[bucket + 1] ?? size);

  return (value) => {
    const bucket = bucketOf(value);
    let low = starts[bucket] ?? 0;
    let high = starts[bucket + 1] ?? size;
    const end = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    if (sorted[low] !== value) return low / size;
    const below = low;
    high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return (below + low) / 2 / size;
  };
}
