import { z } from 'zod';
import { psi } from '../statistics/psi.ts';
import { countUpTo, type Floats } from './floats.ts';
import { quantilesOfParts } from './score-summary.ts';
import type { SortedScores } from './sorted-scores.ts';

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

/** What the scores say whatever rows they are of. */
export type ScoreDistances = Pick<ScoreShift, 'psi' | 'ks' | 'wasserstein'>;

/**
 * How the second model's scores lie against the first's. The distances describe and are no tests: the rows are the same,
 * so their p-values would mean nothing. O(n), nothing is copied.
 */
export function scoreDistances(first: SortedScores, second: SortedScores): ScoreDistances {
  const [a, b] = [partsOf(first), partsOf(second)];
  const rows = first.negatives.length + first.positives.length;
  if (rows === 0) return { psi: null, ks: null, wasserstein: null };
  const deciles = Array.from({ length: BINS - 1 }, (_, i) => (i + 1) / BINS);
  const cuts = Float64Array.from(new Set(quantilesOfParts(a, rows, deciles)));
  return { psi: psi(histogram(a, cuts), histogram(b, cuts)), ...distances(a, b, rows) };
}

/** The distances with what both scores of a row have in common. */
export function scoreShift(distances: ScoreDistances, { meanDelta, correlation }: PairMoments): ScoreShift {
  return { ...distances, meanDelta, correlation };
}

type Parts = readonly [negatives: Floats, positives: Floats];

const partsOf = ({ negatives, positives }: SortedScores): Parts => [negatives, positives];

/**
 * Kolmogorov and Smirnov's and Wasserstein's distance, as `ksDistance` and `wasserstein` of the parts put together: one
 * merge of the four, by their next values, which are infinity behind the end.
 */
function distances([a, b]: Parts, [c, d]: Parts, rows: number) {
  const nextOf = (part: Floats, at: number): number =>
    at < part.length ? (part[at] as number) : Number.POSITIVE_INFINITY;
  let [i, j, k, l] = [0, 0, 0, 0];
  let [nextA, nextB, nextC, nextD] = [nextOf(a, 0), nextOf(b, 0), nextOf(c, 0), nextOf(d, 0)];
  let gap = 0;
  let widest = 0;
  let area = 0;
  let before = Number.NaN;
  for (;;) {
    const first = nextA < nextB ? nextA : nextB;
    const second = nextC < nextD ? nextC : nextD;
    const lowest = first < second ? first : second;
    if (lowest === Number.POSITIVE_INFINITY) break;
    if (gap !== 0) area += Math.abs(gap / rows) * (lowest - before);
    before = lowest;
    for (; nextA === lowest; gap += 1) nextA = nextOf(a, ++i);
    for (; nextB === lowest; gap += 1) nextB = nextOf(b, ++j);
    for (; nextC === lowest; gap -= 1) nextC = nextOf(c, ++k);
    for (; nextD === lowest; gap -= 1) nextD = nextOf(d, ++l);
    widest = Math.max(widest, Math.abs(gap));
  }
  return { ks: widest / rows, wasserstein: area };
}

/** Bins are closed above. */
function histogram(parts: Parts, cuts: Float64Array): Float64Array {
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
