/**
 * A distribution function as a polyline with steps: at `xs[i]` it jumps from `below[i]` to `upTo[i]`, and between two
 * points it is straight. Exact counts give steps with level treads; a sketch gives a sloping line.
 */
export interface Distribution {
  /** Ascending, distinct. */
  readonly xs: Float64Array;
  /** P(X < xs[i]). */
  readonly below: Float64Array;
  /** P(X ≤ xs[i]); the last is 1. */
  readonly upTo: Float64Array;
}

/** The exact distribution of ascending distinct values and how often each was seen. */
export function countedDistribution(values: ArrayLike<number>, counts: ArrayLike<number>): Distribution {
  let total = 0;
  for (let i = 0; i < values.length; i += 1) total += counts[i] ?? 0;
  const below = new Float64Array(values.length);
  const upTo = new Float64Array(values.length);
  let seen = 0;
  for (let i = 0; i < values.length; i += 1) {
    below[i] = seen / total;
    seen += counts[i] ?? 0;
    upTo[i] = seen / total;
  }
  return { xs: Float64Array.from(values), below, upTo };
}

/** Places of `xs` at or before `x`. */
function placesUpTo(xs: Float64Array, x: number): number {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((xs[middle] ?? 0) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** P(X ≤ x), or P(X < x) where `strict`. */
export function cdf({ xs, below, upTo }: Distribution, x: number, strict = false): number {
  const after = placesUpTo(xs, x);
  if (after === 0) return 0;
  const at = after - 1;
  const from = xs[at] ?? 0;
  if (from === x) return (strict ? below[at] : upTo[at]) ?? 0;
  if (after === xs.length) return 1;
  const to = xs[after] ?? 0;
  const low = upTo[at] ?? 0;
  const rise = (below[after] ?? 0) - low;
  return rise === 0 ? low : low + (rise * (x - from)) / (to - from);
}

/** The smallest x with P(X ≤ x) ≥ q, on the polyline. */
export function quantile({ xs, below, upTo }: Distribution, q: number): number {
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((upTo[middle] ?? 0) >= q) high = middle;
    else low = middle + 1;
  }
  const x = xs[low] ?? Number.NaN;
  const enters = below[low] ?? 0;
  if (low === 0 || q >= enters) return x;
  const from = xs[low - 1] ?? x;
  const left = upTo[low - 1] ?? 0;
  return from + ((q - left) / (enters - left)) * (x - from);
}

/** The points of both, ascending and distinct. */
function union(a: Distribution, b: Distribution): Float64Array {
  const all = new Float64Array(a.xs.length + b.xs.length);
  all.set(a.xs);
  all.set(b.xs, a.xs.length);
  all.sort();
  let kept = 0;
  for (let i = 0; i < all.length; i += 1)
    if (i === 0 || all[i] !== all[i - 1]) {
      all[kept] = all[i] ?? 0;
      kept += 1;
    }
  return all.subarray(0, kept);
}

/** Largest gap of the two functions. */
export function distributionDistance(a: Distribution, b: Distribution): number {
  let widest = 0;
  for (const x of union(a, b))
    widest = Math.max(widest, Math.abs(cdf(a, x, true) - cdf(b, x, true)), Math.abs(cdf(a, x) - cdf(b, x)));
  return widest;
}

/** Area between the two functions: Wasserstein's distance of order 1, in the values' own unit. */
export function distributionArea(a: Distribution, b: Distribution): number {
  const xs = union(a, b);
  let area = 0;
  for (let i = 1; i < xs.length; i += 1) {
    const from = xs[i - 1] ?? 0;
    const to = xs[i] ?? 0;
    const left = cdf(a, from) - cdf(b, from);
    const right = cdf(a, to, true) - cdf(b, to, true);
    // Straight from `left` to `right`: a trapezoid, or two triangles where it changes sign.
    const mean =
      left * right >= 0
        ? (Math.abs(left) + Math.abs(right)) / 2
        : (left * left + right * right) / (2 * (Math.abs(left) + Math.abs(right)));
    area += mean * (to - from);
  }
  return area;
}
