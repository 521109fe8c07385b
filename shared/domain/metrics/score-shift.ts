import { z } from 'zod';
import { psi } from '../statistics/psi.ts';
import { quantilesOfParts } from './score-summary.ts';

/** Bins of the stability index, of equal mass in the first model's scores. */
const BINS = 10;

export const scoreShiftSchema = z.object({
  psi: z.number().nullable(),
  ks: z.number().nullable(),
  /** In the scores' own unit. */
  wasserstein: z.number().nullable(),
  /** Second minus first. */
  meanDelta: z.number().nullable(),
  /** Pearson's, row by row; null where a side is constant. */
  correlation: z.number().nullable(),
});
export type ScoreShift = z.infer<typeof scoreShiftSchema>;

/** Scores of one model in parts (one a class): in row order, and ascending. */
export interface ScoreParts {
  readonly rows: readonly Float64Array[];
  readonly sorted: readonly Float64Array[];
}

/**
 * How the second model's scores lie against the first's on the same rows. The distances describe and are no tests: the
 * rows are the same, so their p-values would mean nothing. O(n), nothing is copied.
 */
export function scoreShift(first: ScoreParts, second: ScoreParts): ScoreShift {
  const { meanDelta, correlation } = moments(first.rows, second.rows);
  const rows = first.sorted.reduce((sum, part) => sum + part.length, 0);
  if (rows === 0) return { psi: null, ks: null, wasserstein: null, meanDelta, correlation };
  const deciles = Array.from({ length: BINS - 1 }, (_, i) => (i + 1) / BINS);
  const cuts = Float64Array.from(new Set(quantilesOfParts(first.sorted, rows, deciles)));
  return {
    psi: psi(histogram(first.sorted, cuts), histogram(second.sorted, cuts)),
    ...distances(first.sorted, second.sorted, rows),
    meanDelta,
    correlation,
  };
}

/** Kolmogorov and Smirnov's and Wasserstein's distance, as `ksDistance` and `wasserstein` of the parts put together. */
function distances(first: readonly Float64Array[], second: readonly Float64Array[], rows: number) {
  const parts = [...first, ...second];
  const at = parts.map(() => 0);
  const side = parts.map((_, part) => (part < first.length ? 1 : -1));
  let gap = 0;
  let widest = 0;
  let area = 0;
  let before = Number.NaN;
  for (;;) {
    let lowest = Number.POSITIVE_INFINITY;
    for (let part = 0; part < parts.length; part += 1) {
      const value = parts[part]?.[at[part] ?? 0];
      if (value !== undefined && value < lowest) lowest = value;
    }
    if (lowest === Number.POSITIVE_INFINITY) break;
    if (gap !== 0) area += Math.abs(gap / rows) * (lowest - before);
    before = lowest;
    for (let part = 0; part < parts.length; part += 1) {
      const values = parts[part];
      let next = at[part] ?? 0;
      const from = next;
      while (values !== undefined && values[next] === lowest) next += 1;
      at[part] = next;
      gap += (side[part] ?? 0) * (next - from);
    }
    widest = Math.max(widest, Math.abs(gap));
  }
  return { ks: widest / rows, wasserstein: area };
}

function histogram(parts: readonly Float64Array[], cuts: Float64Array): Float64Array {
  const counts = new Float64Array(cuts.length + 1);
  for (const part of parts) {
    let bin = 0;
    for (const value of part) {
      while (bin < cuts.length && (cuts[bin] ?? 0) < value) bin += 1;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
  }
  return counts;
}

/** Welford's running moments, so that large means do not cancel. */
function moments(first: readonly Float64Array[], second: readonly Float64Array[]) {
  let rows = 0;
  let [meanA, meanB, squareA, squareB, product] = [0, 0, 0, 0, 0];
  for (const [index, part] of first.entries()) {
    const other = second[index];
    for (let row = 0; row < part.length; row += 1) {
      const x = part[row] ?? 0;
      const y = other?.[row] ?? 0;
      rows += 1;
      const fromA = x - meanA;
      const fromB = y - meanB;
      meanA += fromA / rows;
      meanB += fromB / rows;
      squareA += fromA * (x - meanA);
      squareB += fromB * (y - meanB);
      product += fromA * (y - meanB);
    }
  }
  const spread = Math.sqrt(squareA) * Math.sqrt(squareB);
  return {
    meanDelta: rows === 0 ? null : meanB - meanA,
    correlation: spread > 0 ? Math.min(1, Math.max(-1, product / spread)) : null,
  };
}
