/** Numbers as they were given: scores of most models are single precision, and take half the memory so. */
export type Floats = Float32Array | Float64Array;

/** An empty array of the same precision as `like`; `shared`: in memory that other threads read where it is. */
export function floatsLike(like: Floats, length: number, shared = false): Floats {
  if (like instanceof Float32Array)
    return shared ? new Float32Array(new SharedArrayBuffer(4 * length)) : new Float32Array(length);
  return shared ? new Float64Array(new SharedArrayBuffer(8 * length)) : new Float64Array(length);
}

/** How many ascending values a rising test is not yet true of. */
export function placeWhere(length: number, isBeyond: (at: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBeyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Ascending values below `value`. */
export function countBelow(sorted: ArrayLike<number>, value: number): number {
  return placeWhere(sorted.length, (at) => (sorted[at] ?? 0) >= value);
}

/** Ascending values not above `value`. */
export function countUpTo(sorted: ArrayLike<number>, value: number): number {
  return placeWhere(sorted.length, (at) => (sorted[at] ?? 0) > value);
}

/** Of ascending values, more than this are searched by halving, fewer one after the other. */
export const SCANNED = 16;

/** The first place of `[low, high)` that a rising test is true of, else `high`. */
export function placeWithin(low: number, high: number, isBeyond: (at: number) => boolean): number {
  return low + placeWhere(high - low, (at) => isBeyond(low + at));
}

/** Of so many buckets of equal width from `min` to `max`. A range that overflows, or none, is one bucket: 0. */
export function bucketScale(min: number, max: number, buckets: number): number {
  const scale = buckets / (max - min);
  return Number.isFinite(scale) ? scale : 0;
}

/** The bucket of a value; it rises with the value, whatever rounding does. Values outside are in the outermost. */
export function bucketOf(value: number, min: number, scale: number, buckets: number): number {
  if (scale === 0) return 0;
  const bucket = Math.floor((value - min) * scale);
  return bucket < 0 ? 0 : bucket < buckets ? bucket : buckets - 1;
}
