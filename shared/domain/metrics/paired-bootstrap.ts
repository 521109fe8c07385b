/**
 * Paired bootstrap of ranking figures: both models' scores of a row are drawn together, so that what they share cancels
 * in the difference. Up to 20,000 rows every row is drawn by itself; above, rows of the same class and the same rank bins
 * of both models (about 160 a model) are drawn together and count as tied in the replicates. The interval is laid around
 * the exact difference.
 */
import type { Interval } from '../evidence/interval.ts';
import { percentileInterval } from '../statistics/interval.ts';
import type { Random } from '../statistics/random.ts';
import { binFigures, emptyFigures, type RankBins, rankBins, replicatesFor } from './bootstrap.ts';
import type { ClassScores } from './delong.ts';
import type { DetectionFigures } from './detection.ts';
import { FALSE_POSITIVE_LIMITS } from './detection-rate.ts';
import { bucketOf, bucketScale, type Floats, placeWithin, SCANNED } from './floats.ts';

const EXACT_ROWS = 20_000;
const BINS = 48;
const TOP_SHARE = 1 / 8;

/** Rows of one class by the rank bins of both models. */
interface Cells {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  /** Rising, so that those of the same mean are drawn one after the other. */
  readonly counts: Float64Array;
  /** How often each is drawn, in the replicate at hand. */
  readonly drawn: Float64Array;
}

export interface RankingDifferences {
  readonly auc: Interval | null;
  readonly averagePrecision: Interval | null;
  /** By false-positive limit, rising. */
  readonly rates: readonly { readonly limit: number; readonly interval: Interval | null }[];
}

/** Second minus first: AUC, average precision, then the rates at the limits, which rise. */
export interface RankingReplicates {
  readonly limits: readonly number[];
  /** Of the bins that the replicates draw from. */
  readonly binned: readonly number[];
  /** NaN where a replicate has no such figure. */
  readonly drawn: readonly Float64Array[];
}

/** What was measured of a model exactly. */
type RankingFigures = Pick<DetectionFigures, 'roc_auc' | 'average_precision' | 'detectionRates'>;

/** Draws the rows again and again. It needs no exact figure, so those can be measured meanwhile. */
export function pairedReplicates(
  first: ClassScores,
  second: ClassScores,
  random: Random,
  limits: readonly number[] = FALSE_POSITIVE_LIMITS,
): RankingReplicates {
  const rising = [...limits].sort((x, y) => x - y);
  const isExact = first.negatives.length + first.positives.length <= EXACT_ROWS;
  const bins = isExact ? { bins: Number.POSITIVE_INFINITY } : { bins: BINS, topShare: TOP_SHARE };
  const count = replicatesFor(first.negatives.length + first.positives.length);
  const a = rankBins(first, bins);
  const b = rankBins(second, bins);
  const negatives = cellsOf(a, b, first.inOrder.negatives, second.inOrder.negatives, isExact);
  const positives = cellsOf(a, b, first.inOrder.positives, second.inOrder.positives, isExact);

  const [ofA, ofB] = [emptyFigures(rising), emptyFigures(rising)];
  binFigures(a.negatives, a.positives, a.mixed, rising, ofA);
  binFigures(b.negatives, b.positives, b.mixed, rising, ofB);
  const binned = differences(flat(ofA), flat(ofB));

  const drawn = [a, a, b, b].map(({ floors }) => new Float64Array(floors.length));
  const [negativesA, positivesA, negativesB, positivesB] = drawn as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const replicates = binned.map(() => new Float64Array(count));
  for (let at = 0; at < count; at += 1) {
    for (const counts of drawn) counts.fill(0);
    draw(negatives, negativesA, negativesB, random);
    draw(positives, positivesA, positivesB, random);
    binFigures(negativesA, positivesA, a.mixed, rising, ofA);
    binFigures(negativesB, positivesB, b.mixed, rising, ofB);
    for (const [index, difference] of differences(flat(ofA), flat(ofB)).entries()) {
      const values = replicates[index];
      if (values !== undefined) values[at] = difference;
    }
  }
  return { limits: rising, binned, drawn: replicates };
}

/** Intervals of second minus first for AUC, average precision and detection at fixed false-alarm rates. */
export function pairedRankingIntervals(
  { limits, binned, drawn }: RankingReplicates,
  first: RankingFigures,
  second: RankingFigures,
  level?: number,
): RankingDifferences {
  const exact = differences(exactFigures(first, limits), exactFigures(second, limits));
  const intervals = drawn.map((values, index) => {
    const shift = (exact[index] ?? Number.NaN) - (binned[index] ?? Number.NaN);
    return Number.isNaN(shift) ? null : percentileInterval(values, shift, level);
  });
  return {
    auc: intervals[0] ?? null,
    averagePrecision: intervals[1] ?? null,
    rates: limits.map((limit, index) => ({ limit, interval: intervals[index + 2] ?? null })),
  };
}

/** AUC, average precision, then the rates; NaN where undefined. */
function exactFigures(figures: RankingFigures, limits: readonly number[]): number[] {
  const rates = limits.map((limit) => figures.detectionRates.find((rate) => rate.limit === limit));
  return [figures.roc_auc, figures.average_precision, ...rates.map((rate) => rate?.detectionRate)].map(
    (one) => one?.value ?? Number.NaN,
  );
}

function flat(figures: { auc: number; averagePrecision: number; rates: Float64Array }): number[] {
  return [figures.auc, figures.averagePrecision, ...figures.rates];
}

function differences(first: readonly number[], second: readonly number[]): number[] {
  return second.map((value, index) => value - (first[index] ?? Number.NaN));
}

/** Rows by bins: one cell a row where exact, else one per pair of bins that occurs. */
function cellsOf(a: RankBins, b: RankBins, first: Floats, second: Floats, isExact: boolean): Cells {
  const [binA, binB] = [binFinder(a.floors), binFinder(b.floors)];
  if (isExact)
    return {
      first: Uint32Array.from(first, binA),
      second: Uint32Array.from(second, binB),
      counts: new Float64Array(first.length).fill(1),
      drawn: new Float64Array(first.length),
    };
  const width = b.floors.length;
  const table = new Uint32Array(a.floors.length * width);
  for (let row = 0; row < first.length; row += 1) {
    const cell = binA(first[row] as number) * width + binB(second[row] as number);
    table[cell] = (table[cell] as number) + 1;
  }
  const rows = (cell: number): number => table[cell] as number;
  const occupied = Uint32Array.from([...table.keys()].filter((cell) => rows(cell) > 0));
  occupied.sort((x, y) => rows(x) - rows(y) || x - y);
  return {
    first: occupied.map((cell) => Math.floor(cell / width)),
    second: occupied.map((cell) => cell % width),
    counts: Float64Array.from(occupied, rows),
    drawn: new Float64Array(occupied.length),
  };
}

/** Buckets of a `binFinder`: far more than bins, so that most lie within one. */
const BUCKETS = 4096;

/** A function that says which bin a score lies in: the first whose floor, which fall, is not above it. */
function binFinder(floors: Float64Array): (score: number) => number {
  const last = floors.length - 1;
  const min = floors[last] ?? 0;
  const scale = bucketScale(min, floors[0] ?? 0, BUCKETS);
  /** By bucket and one more: the first bin whose floor is in a lower bucket, else the last bin. */
  const below = new Uint32Array(BUCKETS + 1).fill(last);
  for (let bin = last; bin >= 0; bin -= 1)
    below[bucketOf(floors[bin] as number, min, scale, BUCKETS) + 1] = bin;
  for (let bucket = 1; bucket <= BUCKETS; bucket += 1)
    below[bucket] = Math.min(below[bucket] as number, below[bucket - 1] as number);
  return (score) => {
    const bucket = bucketOf(score, min, scale, BUCKETS);
    let bin = below[bucket + 1] as number;
    const end = below[bucket] as number;
    if (end - bin > SCANNED) return placeWithin(bin, end, (at) => (floors[at] as number) <= score);
    while (bin < end && (floors[bin] as number) > score) bin += 1;
    return bin;
  };
}

function draw(cells: Cells, ofFirst: Float64Array, ofSecond: Float64Array, random: Random): void {
  const { first, second, counts, drawn } = cells;
  random.poissons(counts, drawn);
  for (let cell = 0; cell < drawn.length; cell += 1) {
    const times = drawn[cell] as number;
    const a = first[cell] as number;
    const b = second[cell] as number;
    ofFirst[a] = (ofFirst[a] as number) + times;
    ofSecond[b] = (ofSecond[b] as number) + times;
  }
}
