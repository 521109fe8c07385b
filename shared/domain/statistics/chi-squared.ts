import { SallyportError } from '../errors.ts';
import { chiSquaredSf } from './special.ts';

export interface Homogeneity {
  readonly statistic: number;
  readonly degrees: number;
  readonly pValue: number;
  /** Cramér's V, 0 to 1: the size of the effect, whatever the sample size. */
  readonly cramersV: number;
}

/** Rows a cell must expect for the law to hold (Cochran 1954); rarer categories are judged together. */
const EXPECTED = 5;

/**
 * Pearson's test that two histograms over the same categories come from one distribution. Categories that expect fewer
 * than five rows on either side are pooled first, unless `pool` is false; null where fewer than two are left.
 */
export function chiSquaredHomogeneity(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { pool = true }: { readonly pool?: boolean } = {},
): Homogeneity | null {
  if (a.length !== b.length)
    throw new SallyportError('input.invalid', 'The test needs the same categories on both sides.');
  let n = 0;
  let m = 0;
  for (let i = 0; i < a.length; i += 1) {
    n += a[i] ?? 0;
    m += b[i] ?? 0;
  }
  if (n === 0 || m === 0) return null;
  const cells: [number, number][] = [];
  const rare: [number, number] = [0, 0];
  for (let i = 0; i < a.length; i += 1) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    if (x + y === 0) continue;
    if (pool && ((x + y) * Math.min(n, m)) / (n + m) < EXPECTED) {
      rare[0] += x;
      rare[1] += y;
    } else cells.push([x, y]);
  }
  if (rare[0] + rare[1] > 0) cells.push(rare);
  if (cells.length < 2) return null;
  let statistic = 0;
  for (const [x, y] of cells) {
    const expectedX = ((x + y) * n) / (n + m);
    const expectedY = ((x + y) * m) / (n + m);
    statistic += (x - expectedX) ** 2 / expectedX + (y - expectedY) ** 2 / expectedY;
  }
  const degrees = cells.length - 1;
  return {
    statistic,
    degrees,
    pValue: chiSquaredSf(statistic, degrees),
    // Two rows: the smaller side less one is 1.
    cramersV: Math.min(1, Math.sqrt(statistic / (n + m))),
  };
}
