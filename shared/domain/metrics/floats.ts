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
