/**
 * Wasserstein's distance of order 1 of two ascending samples, in their own unit: the area between the two distribution
 * functions. Weights (a count a value) may be given. O(n + m); null where a side is empty.
 */
export function wasserstein(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  aWeights?: ArrayLike<number>,
  bWeights?: ArrayLike<number>,
): number | null {
  const n = weightOf(a, aWeights);
  const m = weightOf(b, bWeights);
  if (n === 0 || m === 0) return null;
  let i = 0;
  let j = 0;
  let below = 0;
  let otherBelow = 0;
  let at = Math.min(a[0] ?? 0, b[0] ?? 0);
  let area = 0;
  while (i < a.length || j < b.length) {
    const next = Math.min(
      i < a.length ? (a[i] ?? 0) : Number.POSITIVE_INFINITY,
      j < b.length ? (b[j] ?? 0) : Number.POSITIVE_INFINITY,
    );
    area += Math.abs(below / n - otherBelow / m) * (next - at);
    at = next;
    for (; i < a.length && (a[i] ?? 0) === at; i += 1) below += aWeights?.[i] ?? 1;
    for (; j < b.length && (b[j] ?? 0) === at; j += 1) otherBelow += bWeights?.[j] ?? 1;
  }
  return area;
}

function weightOf(values: ArrayLike<number>, weights: ArrayLike<number> | undefined): number {
  if (weights === undefined) return values.length;
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += weights[i] ?? 0;
  return sum;
}
