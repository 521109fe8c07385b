const FIRST_CHUNK = 4096;
const LARGEST_CHUNK = 1 << 20;

/**
 * Doubles appended one by one or in blocks, in chunks: growing copies nothing, so that the peak is what is stored
 * plus one chunk (a doubling array would need three times as much for a moment).
 */
export class GrowableFloats {
  readonly #chunks: Float64Array[] = [];
  #current = new Float64Array(0);
  #used = 0;
  #length = 0;

  /** Starts from values that are given away, not copied. */
  static of(values: Float64Array<ArrayBuffer>): GrowableFloats {
    const all = new GrowableFloats();
    all.#chunks.push(values);
    all.#current = values;
    all.#used = values.length;
    all.#length = values.length;
    return all;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#used === this.#current.length) {
      this.#current = new Float64Array(Math.min(LARGEST_CHUNK, Math.max(FIRST_CHUNK, this.#length)));
      this.#chunks.push(this.#current);
      this.#used = 0;
    }
    this.#current[this.#used] = value;
    this.#used += 1;
    this.#length += 1;
  }

  /** All values in ascending order; empties this. Chunks are let go as they are copied. */
  takeSorted(): Float64Array<ArrayBuffer> {
    return this.take().sort();
  }

  /** All values in the order they came; empties this. */
  take(): Float64Array<ArrayBuffer> {
    const all = new Float64Array(this.#length);
    let at = 0;
    this.#current = new Float64Array(0);
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      const part = chunk.subarray(0, Math.min(chunk.length, this.#length - at));
      all.set(part, at);
      at += part.length;
    }
    this.#length = 0;
    this.#used = 0;
    return all;
  }
}
