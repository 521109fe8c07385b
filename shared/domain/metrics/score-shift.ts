import { z } from 'zod';
import { quantileOf } from '../statistics/interval.ts';
import { binOf } from '../statistics/isotonic.ts';
import { ksDistance } from '../statistics/kolmogorov.ts';
import { psi } from '../statistics/psi.ts';
import { wasserstein } from '../statistics/wasserstein.ts';

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

/**
 * How the second model's scores lie against the first's on the same rows. The distances describe and are no tests: the
 * rows are the same, so their p-values would mean nothing. Sorts copies: 16 bytes a row for a moment.
 */
export function scoreShift(first: readonly Float64Array[], second: readonly Float64Array[]): ScoreShift {
  const { meanDelta, correlation } = moments(first, second);
  const a = pooled(first);
  const b = pooled(second);
  if (a.length === 0) return { psi: null, ks: null, wasserstein: null, meanDelta, correlation };
  const cuts = Float64Array.from(
    new Set(Array.from({ length: BINS - 1 }, (_, i) => quantileOf(a, (i + 1) / BINS))),
  );
  return {
    psi: psi(histogram(a, cuts), histogram(b, cuts)),
    ks: ksDistance(a, b),
    wasserstein: wasserstein(a, b),
    meanDelta,
    correlation,
  };
}

function pooled(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.sort();
}

function histogram(sorted: Float64Array, cuts: Float64Array): Float64Array {
  const counts = new Float64Array(cuts.length + 1);
  for (const value of sorted) {
    const bin = binOf(cuts, value);
    counts[bin] = (counts[bin] ?? 0) + 1;
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
