import { SallyportError } from '../errors.ts';

/**
 * Jensen and Shannon's distance of two histograms over the same bins: the root of the divergence, base 2, from 0 (equal
 * shares) to 1 (nothing in common). Null where either side has no rows.
 */
export function jensenShannon(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length)
    throw new SallyportError('input.invalid', 'A divergence needs the same bins on both sides.');
  let n = 0;
  let m = 0;
  for (let bin = 0; bin < a.length; bin += 1) {
    n += a[bin] ?? 0;
    m += b[bin] ?? 0;
  }
  if (n === 0 || m === 0) return null;
  let divergence = 0;
  for (let bin = 0; bin < a.length; bin += 1) {
    const p = (a[bin] ?? 0) / n;
    const q = (b[bin] ?? 0) / m;
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log2(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log2(q / middle)) / 2;
  }
  return Math.sqrt(Math.min(1, Math.max(0, divergence)));
}
