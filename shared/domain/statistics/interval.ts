import { SallyportError } from '../errors.ts';
import type { Interval } from '../evidence/interval.ts';
import { normalQuantile } from './special.ts';

export const DEFAULT_LEVEL = 0.95;

/** The normal quantile of a two-sided level: 1.96 for 0.95. */
export function twoSidedZ(level: number): number {
  if (!(level > 0 && level < 1))
    throw new SallyportError('input.invalid', `A confidence level is between 0 and 1, not ${level}.`);
  return normalQuantile((1 + level) / 2);
}

/** Wilson's score interval of a rate (Wilson 1927), without continuity correction; null for no trials. */
export function wilsonInterval(hits: number, trials: number, level = DEFAULT_LEVEL): Interval | null {
  if (trials === 0) return null;
  const z = twoSidedZ(level);
  const share = hits / trials;
  const scale = 1 + (z * z) / trials;
  const centre = (share + (z * z) / (2 * trials)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  return {
    // Rounding must not move the closed ends.
    low: hits === 0 ? 0 : Math.max(0, centre - half),
    high: hits === trials ? 1 : Math.min(1, centre + half),
    level,
    method: 'wilson',
  };
}

/** Normal interval of a mean from its standard error. */
export function normalInterval(mean: number, standardError: number, level = DEFAULT_LEVEL): Interval {
  const half = twoSidedZ(level) * standardError;
  return { low: mean - half, high: mean + half, level, method: 'normal' };
}

/**
 * Interval of a difference of two paired rates by Bonett and Price (2012): Wald's with one added to both discordant
 * counts, good down to a handful of rows. `gained` and `lost` are the rows only the second or only the first got.
 */
export function pairedRateInterval(
  gained: number,
  lost: number,
  rows: number,
  level = DEFAULT_LEVEL,
): Interval | null {
  if (rows === 0) return null;
  const up = (gained + 1) / (rows + 2);
  const down = (lost + 1) / (rows + 2);
  const half = twoSidedZ(level) * Math.sqrt((up + down - (up - down) ** 2) / (rows + 2));
  return {
    low: Math.max(-1, up - down - half),
    high: Math.min(1, up - down + half),
    level,
    method: 'normal',
  };
}

/** Share of replicates that must be defined for a percentile interval to be given. */
const DEFINED_SHARE = 0.9;

/**
 * Percentile interval of bootstrap replicates. `shift` moves them (exact value minus the value on binned data), so that
 * binning costs no bias. NaN marks an undefined replicate; null where more than a tenth are. Sorts `replicates`.
 */
export function percentileInterval(
  replicates: Float64Array,
  shift = 0,
  level = DEFAULT_LEVEL,
  method: Interval['method'] = 'bootstrap',
): Interval | null {
  // A typed sort puts NaN last.
  replicates.sort();
  let defined = replicates.length;
  while (defined > 0 && Number.isNaN(replicates[defined - 1])) defined -= 1;
  if (defined === 0 || defined < DEFINED_SHARE * replicates.length) return null;
  const sorted = replicates.subarray(0, defined);
  return {
    low: quantileOf(sorted, (1 - level) / 2) + shift,
    high: quantileOf(sorted, (1 + level) / 2) + shift,
    level,
    method,
  };
}

/** Quantile of ascending values with linear interpolation (type 7 of Hyndman and Fan 1996, numpy's default). */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0 || !(q >= 0 && q <= 1))
    throw new SallyportError('input.invalid', `There is no ${q} quantile of ${sorted.length} values.`);
  const exact = q * (sorted.length - 1);
  // 1/3 of 159 rows is 53 or just off it in doubles: a place that is a row's is that row's.
  const place = Math.abs(exact - Math.round(exact)) < 1e-9 ? Math.round(exact) : exact;
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(sorted.length - 1, below + 1)] ?? Number.NaN;
  return low === high ? low : low * (1 - (place - below)) + high * (place - below);
}
