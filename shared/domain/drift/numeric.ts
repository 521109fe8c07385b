import { SallyportError } from '../errors.ts';
import { Digest, digestDistribution } from '../statistics/digest.ts';
import { cdf, countedDistribution, type Distribution, quantile } from '../statistics/distribution.ts';
import { binOf } from '../statistics/isotonic.ts';
import { EXACT_VALUES, MAX_BINS, type NumericProfile, numbersOf } from './profile.ts';

/** Bins of equal mass; a column of up to `MAX_BINS` values has a bin a value. */
const BINS = 10;

/** Counts one number column, streaming; a few kilobytes whatever the rows. */
export class NumericCounter {
  readonly #feature: string;
  readonly #cuts: Float64Array | null;
  readonly #binRows: Float64Array;
  #values: Map<number, number> | null = new Map();
  #digest: Digest | null = null;
  #rows = 0;
  #missing = 0;
  #low = 0;
  #high = 0;
  /** Finite values so far. */
  #counted = 0;
  #mean = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** `cuts`: the frozen bins of a reference; without them bins are chosen from the data at the end. */
  constructor(feature: string, cuts: readonly number[] | null = null) {
    this.#feature = feature;
    this.#cuts = cuts === null ? null : Float64Array.from(cuts);
    this.#binRows = new Float64Array((cuts?.length ?? 0) + 1);
  }

  add(values: ArrayLike<number>): void {
    // Moments of the batch first, by two passes, then joined: one division a batch.
    let numbers = 0;
    let sum = 0;
    for (let row = 0; row < values.length; row += 1) {
      const value = values[row] ?? 0;
      if (Number.isFinite(value)) {
        numbers += 1;
        sum += value;
      } else if (Number.isNaN(value)) this.#missing += 1;
      else if (value < 0) this.#low += 1;
      else this.#high += 1;
    }
    const mean = numbers === 0 ? 0 : sum / numbers;
    let squares = 0;
    for (let row = 0; row < values.length; row += 1) {
      // Minus zero becomes zero.
      const value = (values[row] ?? 0) + 0;
      if (Number.isNaN(value)) continue;
      if (this.#cuts !== null) {
        const bin = binOf(this.#cuts, value);
        this.#binRows[bin] = (this.#binRows[bin] ?? 0) + 1;
      }
      if (!Number.isFinite(value)) continue;
      squares += (value - mean) ** 2;
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
      this.#sketch(value);
    }
    this.#join(numbers, mean, squares);
    this.#rows += values.length;
  }

  /** Chan, Golub and LeVeque's rule for joining moments (1979). */
  #join(numbers: number, mean: number, squares: number): void {
    if (numbers === 0) return;
    const own = this.#counted;
    const all = own + numbers;
    const gap = mean - this.#mean;
    this.#squares += squares + (gap * gap * own * numbers) / all;
    this.#mean += (gap * numbers) / all;
    this.#counted = all;
  }

  #sketch(value: number): void {
    if (this.#values !== null) {
      this.#values.set(value, (this.#values.get(value) ?? 0) + 1);
      if (this.#values.size > EXACT_VALUES) this.#pour();
    } else this.#digest?.add(value);
  }

  /** Too many distinct values: what was counted goes into a sketch. */
  #pour(): void {
    this.#digest = new Digest();
    this.#digest.addWeighted([...(this.#values?.keys() ?? [])], [...(this.#values?.values() ?? [])]);
    this.#values = null;
  }

  profile(): NumericProfile {
    const seen = [...(this.#values ?? [])].sort(([a], [b]) => a - b);
    const profile = {
      kind: 'numeric' as const,
      feature: this.#feature,
      rows: this.#rows,
      missing: this.#missing,
      infinite: { low: this.#low, high: this.#high },
      mean: this.#mean,
      squares: this.#squares,
      min: this.#counted === 0 ? 0 : this.#min,
      max: this.#counted === 0 ? 0 : this.#max,
      values:
        this.#values === null
          ? null
          : { value: seen.map(([value]) => value), rows: seen.map(([, rows]) => rows) },
      digest: this.#digest?.state() ?? null,
    };
    return this.#cuts === null
      ? withBins(profile)
      : {
          ...profile,
          bins: { cuts: Array.from(this.#cuts), rows: Array.from(this.#binRows), exact: true },
        };
  }
}

/** The distribution of a column's finite values, null where there are none. */
export function distributionOf({
  values,
  digest,
}: Pick<NumericProfile, 'values' | 'digest'>): Distribution | null {
  if (digest !== null && digest.means.length > 0) return digestDistribution(digest);
  return values === null || values.value.length === 0 ? null : countedDistribution(values.value, values.rows);
}

/** Chooses bins from what was seen: halfway between values where they are few, else quantiles. */
function withBins(profile: Omit<NumericProfile, 'bins'>): NumericProfile {
  const { values } = profile;
  const distribution = distributionOf(profile);
  if (distribution === null)
    return {
      ...profile,
      bins: { cuts: [], rows: [profile.infinite.low + profile.infinite.high], exact: true },
    };
  const cuts =
    values !== null && values.value.length <= MAX_BINS
      ? values.value.slice(1).map((value, at) => (values.value[at] ?? 0) / 2 + value / 2)
      : quantileCuts(distribution, profile.max);
  return { ...profile, bins: binsAt(profile, cuts) };
}

function quantileCuts(distribution: Distribution, max: number): number[] {
  const cuts = new Set<number>();
  for (let bin = 1; bin < BINS; bin += 1) cuts.add(quantile(distribution, bin / BINS));
  // Above the largest value there is nothing to count.
  cuts.delete(max);
  return [...cuts];
}

/** Rows by bin, from exact values or from the sketch. An infinity is in the end bin of its side. */
function binsAt(profile: Omit<NumericProfile, 'bins'>, cuts: readonly number[]): NumericProfile['bins'] {
  const { values, digest, infinite } = profile;
  const counts = new Array<number>(cuts.length + 1).fill(0);
  if (values !== null) {
    const places = Float64Array.from(cuts);
    for (const [at, value] of values.value.entries()) {
      const bin = binOf(places, value);
      counts[bin] = (counts[bin] ?? 0) + (values.rows[at] ?? 0);
    }
  } else if (digest !== null) {
    const distribution = digestDistribution(digest);
    let below = 0;
    for (const [bin, cut] of [...cuts, Number.POSITIVE_INFINITY].entries()) {
      const upTo = Math.round(cdf(distribution, cut) * numbersOf(profile));
      counts[bin] = upTo - below;
      below = upTo;
    }
  }
  counts[0] = (counts[0] ?? 0) + infinite.low;
  counts[cuts.length] = (counts[cuts.length] ?? 0) + infinite.high;
  return { cuts: [...cuts], rows: counts, exact: values !== null };
}

/** One profile of two columns' rows; bins are added where they are the same, else chosen anew. */
export function mergeNumeric(a: NumericProfile, b: NumericProfile): NumericProfile {
  if (a.feature !== b.feature)
    throw new SallyportError(
      'input.invalid',
      `Profiles of "${a.feature}" and "${b.feature}" cannot be merged.`,
    );
  const numbersA = numbersOf(a);
  const numbersB = numbersOf(b);
  const all = numbersA + numbersB;
  const gap = b.mean - a.mean;
  const merged = {
    mean: all === 0 ? 0 : a.mean + (gap * numbersB) / all,
    squares: all === 0 ? 0 : a.squares + b.squares + (gap * gap * numbersA * numbersB) / all,
    min: numbersA === 0 ? b.min : numbersB === 0 ? a.min : Math.min(a.min, b.min),
    max: numbersA === 0 ? b.max : numbersB === 0 ? a.max : Math.max(a.max, b.max),
    ...mergeSketches(a, b),
  };
  return sum(a, b, merged);
}

type Merged = Pick<NumericProfile, 'mean' | 'squares' | 'min' | 'max' | 'values' | 'digest'>;

function sum(a: NumericProfile, b: NumericProfile, merged: Merged): NumericProfile {
  const profile = {
    kind: a.kind,
    feature: a.feature,
    rows: a.rows + b.rows,
    missing: a.missing + b.missing,
    infinite: { low: a.infinite.low + b.infinite.low, high: a.infinite.high + b.infinite.high },
    ...merged,
  };
  const isSame =
    a.bins.cuts.length === b.bins.cuts.length && a.bins.cuts.every((cut, at) => cut === b.bins.cuts[at]);
  return isSame
    ? {
        ...profile,
        bins: {
          cuts: a.bins.cuts,
          rows: a.bins.rows.map((rows, at) => rows + (b.bins.rows[at] ?? 0)),
          exact: a.bins.exact && b.bins.exact,
        },
      }
    : withBins(profile);
}

function mergeSketches(a: NumericProfile, b: NumericProfile): Pick<NumericProfile, 'values' | 'digest'> {
  if (a.values !== null && b.values !== null) {
    const counts = new Map<number, number>();
    for (const { value, rows } of [a.values, b.values])
      for (const [at, one] of value.entries()) counts.set(one, (counts.get(one) ?? 0) + (rows[at] ?? 0));
    const seen = [...counts].sort(([x], [y]) => x - y);
    if (seen.length <= EXACT_VALUES)
      return {
        values: { value: seen.map(([value]) => value), rows: seen.map(([, rows]) => rows) },
        digest: null,
      };
  }
  const digest = new Digest();
  for (const one of [a, b]) {
    if (one.digest !== null) digest.merge(one.digest);
    else if (one.values !== null) digest.addWeighted(one.values.value, one.values.rows);
  }
  return { values: null, digest: digest.state() };
}
