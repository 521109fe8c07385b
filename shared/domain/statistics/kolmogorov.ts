/** Most products n·m for which the exact law is counted: a million steps are milliseconds. */
const EXACT_PATHS = 1_000_000;

/** Kolmogorov and Smirnov's distance of two ascending samples: the largest gap of their distribution functions. O(n + m). */
export function ksDistance(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length === 0 || b.length === 0) return null;
  let i = 0;
  let j = 0;
  let widest = 0;
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && (a[i] ?? 0) === at) i += 1;
    while (j < b.length && (b[j] ?? 0) === at) j += 1;
    widest = Math.max(widest, Math.abs(i / a.length - j / b.length));
  }
  return widest;
}

/**
 * Two-sided p-value of a distance between independent samples of n and m: exact up to a million n·m, by counting
 * lattice paths (Hodges 1957), else Kolmogorov's limit law. Both are conservative where there are ties.
 */
export function ksPValue(distance: number, n: number, m: number): number {
  if (n === 0 || m === 0 || distance <= 0) return 1;
  if (n * m <= EXACT_PATHS) return exactP(distance, Math.min(n, m), Math.max(n, m));
  return kolmogorovSf(distance * Math.sqrt((n * m) / (n + m)));
}

/** P(K > z) of Kolmogorov's limit law: the alternating series for large z, the theta series for small. */
export function kolmogorovSf(z: number): number {
  if (z <= 0.04) return 1;
  if (z < 1) {
    let sum = 0;
    for (let k = 1; k < 20; k += 2) sum += Math.exp((-(k * k) * Math.PI * Math.PI) / (8 * z * z));
    return 1 - (Math.sqrt(2 * Math.PI) / z) * sum;
  }
  let sum = 0;
  for (let k = 1, sign = 1; k < 20; k += 1, sign = -sign) sum += sign * Math.exp(-2 * k * k * z * z);
  return Math.min(1, Math.max(0, 2 * sum));
}

/** One minus the chance that a random path stays strictly inside the distance; `n` ≤ `m`. */
function exactP(distance: number, n: number, m: number): number {
  // Half a lattice step below the distance, so that rounding cannot put it on the wrong side.
  const bound = (0.5 + Math.floor(distance * n * m - 1e-7)) / (n * m);
  const inside = new Float64Array(m + 1);
  for (let j = 0; j <= m; j += 1) inside[j] = j / m > bound ? 0 : 1;
  for (let i = 1; i <= n; i += 1) {
    // Scaled by i/(i + m) a row, so that path counts stay in a double's range.
    const scale = i / (i + m);
    inside[0] = i / n > bound ? 0 : scale * (inside[0] ?? 0);
    for (let j = 1; j <= m; j += 1)
      inside[j] = Math.abs(i / n - j / m) > bound ? 0 : scale * (inside[j] ?? 0) + (inside[j - 1] ?? 0);
  }
  return Math.min(1, Math.max(0, 1 - (inside[m] ?? 0)));
}
