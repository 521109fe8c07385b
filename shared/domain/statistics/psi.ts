import { SallyportError } from '../errors.ts';
import { chiSquaredQuantile, chiSquaredSf } from './special.ts';

/** Added to every bin of both sides, so that an empty bin gives a large figure and no infinite one. */
const PSEUDO_COUNT = 0.5;

/**
 * Population stability index of two histograms over the same frozen bins: Σ (q − p)·ln(q / p), shares smoothed by half
 * a row a bin. Never negative, 0 for equal shares; null where either side has no rows.
 */
export function psi(reference: ArrayLike<number>, current: ArrayLike<number>): number | null {
  const n = total(reference);
  const m = total(current);
  if (reference.length !== current.length)
    throw new SallyportError('input.invalid', 'A stability index needs the same bins on both sides.');
  if (n === 0 || m === 0) return null;
  const spread = PSEUDO_COUNT * reference.length;
  let sum = 0;
  for (let bin = 0; bin < reference.length; bin += 1) {
    const p = ((reference[bin] ?? 0) + PSEUDO_COUNT) / (n + spread);
    const q = ((current[bin] ?? 0) + PSEUDO_COUNT) / (m + spread);
    sum += (q - p) * Math.log(q / p);
  }
  return Math.max(0, sum);
}

/** Bins that hold a row on either side; an index of one bin or fewer cannot move. */
export function occupiedBins(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  let count = 0;
  for (let bin = 0; bin < reference.length; bin += 1)
    if ((reference[bin] ?? 0) > 0 || (current[bin] ?? 0) > 0) count += 1;
  return count;
}

/**
 * The index that chance alone exceeds with probability 1 − level: with the same distribution on both sides it follows
 * (1/n + 1/m)·χ² with bins − 1 degrees (Yurdakul 2018, "Statistical properties of the population stability index").
 * Infinite where nothing can be judged.
 */
export function criticalPsi(bins: number, n: number, m: number, level: number): number {
  if (bins < 2 || n === 0 || m === 0) return Number.POSITIVE_INFINITY;
  return chiSquaredQuantile(level, bins - 1) * (1 / n + 1 / m);
}

/** Chance of an index at least this high without drift, by the same law. */
export function psiPValue(value: number, bins: number, n: number, m: number): number {
  if (bins < 2 || n === 0 || m === 0) return 1;
  return chiSquaredSf(value / (1 / n + 1 / m), bins - 1);
}

function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i += 1) sum += counts[i] ?? 0;
  return sum;
}
