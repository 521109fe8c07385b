/**
 * Bootstrap of ranking figures in bounded time. Resampling n rows with replacement is, for figures that are ratios,
 * the same as giving every row a Poisson(1) count (Chamandy et al. 2012); rows in one rank bin and class are drawn
 * together, as Poisson(rows). Up to about a thousand distinct scores nothing is approximated. Above that rows of a bin
 * count as tied in the replicates, and only there: the interval is laid around the exact figure.
 */
import type { Interval } from '../evidence/interval.ts';
import { percentileInterval } from '../statistics/interval.ts';
import type { Random } from '../statistics/random.ts';
import { allowed } from './detection-rate.ts';
import { type SortedScores, ThresholdWalk, thresholdOf } from './sorted-scores.ts';

/** Replicates of an interval. Its ends then wobble by about a twentieth of its width. */
export const REPLICATES = 1000;
/** Replicates where rows are so many that intervals are narrow anyway. */
const FEWER_REPLICATES = 400;
const MANY_ROWS = 100_000;
const BINS = 512;
/** At the strict end bins hold at most this share of the rows above them, so that small false-alarm rates stay sharp. */
const TOP_SHARE = 1 / 16;

export function replicatesFor(rows: number): number {
  return rows > MANY_ROWS ? FEWER_REPLICATES : REPLICATES;
}

/** Rows of each class by rank, from the highest scores down. */
export interface RankBins {
  /** Lowest score of each bin. */
  readonly floors: Float64Array;
  readonly negatives: Float64Array;
  readonly positives: Float64Array;
  /** 1 where a bin holds more than one distinct score. */
  readonly mixed: Uint8Array;
}

/** Bins of about equal mass in each class, finer at the top; ties stay together. */
export function rankBins(
  scores: SortedScores,
  { bins = BINS, topShare = TOP_SHARE }: { readonly bins?: number; readonly topShare?: number } = {},
): RankBins {
  const n = scores.negatives.length;
  const p = scores.positives.length;
  const floors: number[] = [];
  const mixed: number[] = [];
  const ofNegatives: number[] = [];
  const ofPositives: number[] = [];
  const room = (rows: number, above: number): number => Math.max(1, Math.min(rows / bins, above * topShare));
  let falseBefore = 0;
  let trueBefore = 0;
  let falseRoom = room(n, 0);
  let trueRoom = room(p, 0);
  let distinct = 0;
  const close = (falsePositives: number, truePositives: number): void => {
    floors.push(thresholdOf(scores, falsePositives, truePositives));
    mixed.push(distinct > 1 ? 1 : 0);
    distinct = 0;
    ofNegatives.push(falsePositives - falseBefore);
    ofPositives.push(truePositives - trueBefore);
    falseBefore = falsePositives;
    trueBefore = truePositives;
    falseRoom = room(n, falseBefore);
    trueRoom = room(p, trueBefore);
  };
  for (const walk = new ThresholdWalk(scores); walk.next(); ) {
    const { falsePositives, truePositives } = walk;
    distinct += 1;
    if (falsePositives - falseBefore >= falseRoom || truePositives - trueBefore >= trueRoom)
      close(falsePositives, truePositives);
  }
  if (falseBefore < n || trueBefore < p) close(n, p);
  return {
    floors: Float64Array.from(floors),
    negatives: Float64Array.from(ofNegatives),
    positives: Float64Array.from(ofPositives),
    mixed: Uint8Array.from(mixed),
  };
}

/** What one table of rank bins says; NaN where undefined. `rates` follows the limits asked for. */
export interface BinFigures {
  auc: number;
  averagePrecision: number;
  readonly rates: Float64Array;
}

/**
 * Figures of binned ranks, those of a bin counting as tied. Where a limit falls inside a bin of several scores, the share
 * of it that keeps the limit counts. Writes into `out`, because it is called a thousand times.
 */
export function binFigures(
  negatives: Float64Array,
  positives: Float64Array,
  mixed: Uint8Array | null,
  limits: readonly number[],
  out: BinFigures,
): void {
  let n = 0;
  let p = 0;
  for (let bin = 0; bin < negatives.length; bin += 1) {
    n += negatives[bin] ?? 0;
    p += positives[bin] ?? 0;
  }
  let wins = 0;
  let precisions = 0;
  let above = 0;
  let found = 0;
  let limit = 0;
  let next = allowed(limits[0] ?? 0, n);
  for (let bin = 0; bin < negatives.length; bin += 1) {
    const here = negatives[bin] ?? 0;
    const hits = positives[bin] ?? 0;
    // Limits rise: the first that this bin's false alarms break is read before the bin.
    while (limit < limits.length && above + here > next) {
      const inside = mixed?.[bin] === 1 ? (hits * (next - above)) / here : 0;
      out.rates[limit] = p === 0 || n === 0 ? Number.NaN : (found + inside) / p;
      limit += 1;
      next = allowed(limits[limit] ?? 0, n);
    }
    above += here;
    found += hits;
    wins += hits * (n - above + here / 2);
    if (hits > 0) precisions += (hits * found) / (found + above);
  }
  for (; limit < limits.length; limit += 1) out.rates[limit] = p === 0 || n === 0 ? Number.NaN : found / p;
  out.auc = n === 0 || p === 0 ? Number.NaN : wins / n / p;
  out.averagePrecision = p === 0 ? Number.NaN : precisions / p;
}

/** An empty table to write figures into. */
export function emptyFigures(limits: readonly number[]): BinFigures {
  return { auc: Number.NaN, averagePrecision: Number.NaN, rates: new Float64Array(limits.length) };
}

export interface ExactRanking {
  readonly averagePrecision: number | null;
  /** Detection rates at the limits, which rise. */
  readonly rates: readonly (number | null)[];
}

export interface RankingIntervals {
  readonly averagePrecision: Interval | null;
  readonly rates: (Interval | null)[];
}

/** Percentile intervals of average precision and of detection at fixed false-alarm rates. */
export function rankingIntervals(
  { negatives, positives, mixed }: RankBins,
  limits: readonly number[],
  exact: ExactRanking,
  random: Random,
  level?: number,
): RankingIntervals {
  const figures = emptyFigures(limits);
  binFigures(negatives, positives, mixed, limits, figures);
  const precisionShift = (exact.averagePrecision ?? 0) - figures.averagePrecision;
  const rateShifts = limits.map((_, at) => (exact.rates[at] ?? 0) - (figures.rates[at] ?? 0));
  let rows = 0;
  for (let bin = 0; bin < negatives.length; bin += 1) rows += (negatives[bin] ?? 0) + (positives[bin] ?? 0);
  const replicates = replicatesFor(rows);
  const precisions = new Float64Array(replicates);
  const rates = limits.map(() => new Float64Array(replicates));
  const n = new Float64Array(negatives.length);
  const p = new Float64Array(positives.length);
  for (let at = 0; at < replicates; at += 1) {
    random.poissons(negatives, n);
    random.poissons(positives, p);
    binFigures(n, p, mixed, limits, figures);
    precisions[at] = figures.averagePrecision;
    for (let limit = 0; limit < limits.length; limit += 1) {
      const values = rates[limit];
      if (values !== undefined) values[at] = figures.rates[limit] ?? Number.NaN;
    }
  }
  return {
    averagePrecision: unit(
      exact.averagePrecision === null ? null : percentileInterval(precisions, precisionShift, level),
    ),
    rates: rates.map((values, at) =>
      unit(exact.rates[at] === null ? null : percentileInterval(values, rateShifts[at], level)),
    ),
  };
}

/** Kept inside [0, 1], where the figures lie. */
function unit(interval: Interval | null): Interval | null {
  return interval && { ...interval, low: Math.max(0, interval.low), high: Math.min(1, interval.high) };
}
