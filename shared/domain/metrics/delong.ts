import { z } from 'zod';
import { intervalSchema } from '../evidence/interval.ts';
import { DEFAULT_LEVEL, normalInterval } from '../statistics/interval.ts';
import { normalCdf } from '../statistics/special.ts';
import { bucketOf, bucketScale, type Floats, placeWithin, SCANNED } from './floats.ts';
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
  const positives = placementSums(
    [first.inOrder.positives, second.inOrder.positives],
    [first.negatives, second.negatives],
  );
  // Of negatives, what lies below them instead of above: the same variance.
  const negatives = placementSums(
    [first.inOrder.negatives, second.inOrder.negatives],
    [first.positives, second.positives],
  );
  const areaA = positives.sumA / p + 0.5;
  const areaB = positives.sumB / p + 0.5;
  const delta = areaB - areaA;
  const total = varianceOf(positives, p) + varianceOf(negatives, n);
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

/** Sums over the rows of a class of both models' placements, each less one half: exact in doubles, and small when squared. */
interface PlacementSums {
  sumA: number;
  sumB: number;
  squareA: number;
  squareB: number;
  product: number;
}

/** Rows placed by one model, then by the other: the values that a model is asked for stay in the processor's cache. */
const BLOCK = 4096;

function placementSums(
  [rowsA, rowsB]: readonly [Floats, Floats],
  [othersA, othersB]: readonly [Floats, Floats],
): PlacementSums {
  const [placesA, placesB] = [new Float64Array(BLOCK), new Float64Array(BLOCK)];
  const [guideA, guideB] = [new Placements(othersA), new Placements(othersB)];
  let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  for (let from = 0; from < rowsA.length; from += BLOCK) {
    const count = Math.min(BLOCK, rowsA.length - from);
    guideA.place(rowsA, from, count, placesA);
    guideB.place(rowsB, from, count, placesB);
    for (let row = 0; row < count; row += 1) {
      const a = (placesA[row] as number) - 0.5;
      const b = (placesB[row] as number) - 0.5;
      sumA += a;
      sumB += b;
      squareA += a * a;
      squareB += b * b;
      product += a * b;
    }
  }
  return { sumA, sumB, squareA, squareB, product };
}

/** Of the mean difference; NaN for fewer than two rows. */
function varianceOf({ sumA, sumB, squareA, squareB, product }: PlacementSums, rows: number): number {
  const ofDifference = squareA + squareB - 2 * product - (sumB - sumA) ** 2 / rows;
  return rows < 2 ? Number.NaN : Math.max(0, ofDifference) / (rows - 1) / rows;
}

/** Rows a guide's bucket holds on average. */
const BUCKET = 2;
/**
 * Says which share of ascending values lies below one, ties counting one half. Buckets of equal width say where to look,
 * so that a search stays in a few cache lines; piled-up scores cost it no more than plain bisection.
 */
class Placements {
  readonly #sorted: Floats;
  readonly #min: number;
  readonly #scale: number;
  /** First place whose bucket is at least this one. */
  readonly #starts: Uint32Array;

  constructor(sorted: Floats) {
    const size = sorted.length;
    const buckets = Math.max(1, Math.min(1 << 20, Math.floor(size / BUCKET)));
    const min = sorted[0] ?? 0;
    this.#sorted = sorted;
    this.#min = min;
    this.#scale = bucketScale(min, sorted[size - 1] ?? 0, buckets);
    this.#starts = new Uint32Array(buckets + 1).fill(size);
    let next = 0;
    for (let at = 0; at < size; at += 1) {
      const bucket = bucketOf(sorted[at] as number, min, this.#scale, buckets);
      for (; next <= bucket; next += 1) this.#starts[next] = at;
    }
  }

  /** Of `count` values from `from` on, into `out`. */
  place(values: Floats, from: number, count: number, out: Float64Array): void {
    const sorted = this.#sorted;
    const starts = this.#starts;
    const [min, scale, buckets, size] = [this.#min, this.#scale, starts.length - 1, sorted.length];
    for (let row = 0; row < count; row += 1) {
      const value = values[from + row] as number;
      const bucket = bucketOf(value, min, scale, buckets);
      const end = starts[bucket + 1] as number;
      let low = starts[bucket] as number;
      if (end - low > SCANNED) low = placeWithin(low, end, (at) => (sorted[at] as number) >= value);
      else while (low < end && (sorted[low] as number) < value) low += 1;
      let above = low;
      if (low < end && sorted[low] === value) {
        if (end - low > SCANNED) above = placeWithin(low, end, (at) => (sorted[at] as number) > value);
        else while (above < end && sorted[above] === value) above += 1;
      }
      out[row] = (low + above) / 2 / size;
    }
  }
}
