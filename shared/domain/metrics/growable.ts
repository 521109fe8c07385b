import { type Floats, floatsLike } from './floats.ts';

const FIRST_CHUNK = 4096;
const LARGEST_CHUNK = 1 << 20;

/**
 * Numbers appended one by one, in chunks: growing copies nothing, so that the peak is what is stored plus one chunk (a
 * doubling array would need three times as much for a moment).
 */
export class GrowableFloats {
  #chunks: Floats[] = [];
  #current: Floats;
  #used = 0;
  #length = 0;

  /** `single`: in single precision, until `widen`. */
  constructor(single = false) {
    this.#current = single ? new Float32Array(0) : new Float64Array(0);
  }

  /** Starts from values that are given away, not copied. */
  static of(values: Floats): GrowableFloats {
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

  /** From here on in double precision. */
  widen(): void {
    if (this.#current instanceof Float64Array) return;
    this.#chunks = this.#chunks.map((chunk) => Float64Array.from(chunk));
    this.#current = this.#chunks.at(-1) ?? new Float64Array(0);
  }

  push(value: number): void {
    if (this.#used === this.#current.length) {
      const size = Math.min(LARGEST_CHUNK, Math.max(FIRST_CHUNK, this.#length));
      this.#current = floatsLike(this.#current, size);
      this.#chunks.push(this.#current);
      this.#used = 0;
    }
    this.#current[this.#used] = value;
    this.#used += 1;
    this.#length += 1;
  }

  /** All values in ascending order; empties this. Chunks are let go as they are copied. */
  takeSorted(): Floats {
    return this.take().sort();
  }

  /** All values in the order they came; empties this. */
  take(shared = false): Floats {
    const all = floatsLike(this.#current, this.#length, shared);
    let at = 0;
    this.#current = floatsLike(this.#current, 0);
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
