import { z } from 'zod';
import { psi } from '../statistics/psi.ts';
import { countUpTo, type Floats } from './floats.ts';
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

/**
 * How the second model's scores lie against the first's on the same rows, each in ascending parts (one a class). The
 * distances describe and are no tests: the rows are the same, so their p-values would mean nothing. O(n), nothing is
 * copied.
 */
export function scoreShift(
  first: readonly Floats[],
  second: readonly Floats[],
  pairs: PairMoments,
): ScoreShift {
  const { meanDelta, correlation } = pairs;
  const rows = first.reduce((sum, part) => sum + part.length, 0);
  if (rows === 0) return { psi: null, ks: null, wasserstein: null, meanDelta, correlation };
  const deciles = Array.from({ length: BINS - 1 }, (_, i) => (i + 1) / BINS);
  const cuts = Float64Array.from(new Set(quantilesOfParts(first, rows, deciles)));
  return {
    psi: psi(histogram(first, cuts), histogram(second, cuts)),
    ...distances(first, second, rows),
    meanDelta,
    correlation,
  };
}

/** Kolmogorov and Smirnov's and Wasserstein's distance, as `ksDistance` and `wasserstein` of the parts put together. */
function distances(first: readonly Floats[], second: readonly Floats[], rows: number) {
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

/** Bins are closed above. */
function histogram(parts: readonly Floats[], cuts: Float64Array): Float64Array {
  const counts = new Float64Array(cuts.length + 1);
  for (const part of parts) {
    let before = 0;
    for (let bin = 0; bin < counts.length; bin += 1) {
      const end = bin < cuts.length ? countUpTo(part, cuts[bin] ?? 0) : part.length;
      counts[bin] = (counts[bin] ?? 0) + end - before;
      before = end;
    }
  }
  return counts;
}

/** What both scores of a row have in common, streaming: Welford's running moments, so that large means do not cancel. */
export class PairMoments {
  #rows = 0;
  #meanA = 0;
  #meanB = 0;
  #squareA = 0;
  #squareB = 0;
  #product = 0;

  add(first: number, second: number): void {
    this.#rows += 1;
    const fromA = first - this.#meanA;
    const fromB = second - this.#meanB;
    this.#meanA += fromA / this.#rows;
    this.#meanB += fromB / this.#rows;
    this.#squareA += fromA * (first - this.#meanA);
    this.#squareB += fromB * (second - this.#meanB);
    this.#product += fromA * (second - this.#meanB);
  }

  /** Second minus first. */
  get meanDelta(): number | null {
    return this.#rows === 0 ? null : this.#meanB - this.#meanA;
  }

  /** Pearson's; null where a side is constant. */
  get correlation(): number | null {
    const spread = Math.sqrt(this.#squareA) * Math.sqrt(this.#squareB);
    return spread > 0 ? Math.min(1, Math.max(-1, this.#product / spread)) : null;
  }
}
