import { type Floats, floatsLike } from './floats.ts';

/** Values sorted at once: they stay in the processor's cache. */
const BLOCK = 1 << 14;

/**
 * Values kept in ascending runs while they come, so that sorting them costs next to nothing at the end: a full block is
 * sorted, and runs of equal length are joined. For every value what it takes, and as much again for a moment.
 */
export class SortedFloats {
  #block: Floats;
  #used = 0;
  #runs: Floats[] = [];

  /** `single`: in single precision, until `widen`. */
  constructor(single = false) {
    this.#block = single ? new Float32Array(BLOCK) : new Float64Array(BLOCK);
  }

  get length(): number {
    return this.#runs.reduce((sum, run) => sum + run.length, this.#used);
  }

  /** From here on in double precision. */
  widen(): void {
    if (this.#block instanceof Float64Array) return;
    this.#block = Float64Array.from(this.#block);
    this.#runs = this.#runs.map((run) => Float64Array.from(run));
  }

  push(value: number): void {
    // Minus zero is zero.
    this.#block[this.#used] = value + 0;
    this.#used += 1;
    if (this.#used < BLOCK) return;
    this.#runs.push(this.#block.slice().sort());
    this.#used = 0;
    while (this.#runs.at(-1)?.length === this.#runs.at(-2)?.length) this.#joinLast();
  }

  /** All values in ascending order; empties this. */
  take(shared = false): Floats {
    this.#runs.push(this.#block.slice(0, this.#used).sort());
    this.#used = 0;
    while (this.#runs.length > 2) this.#joinLast();
    this.#joinLast(shared);
    return this.#runs.pop() as Floats;
  }

  #joinLast(shared = false): void {
    const second = this.#runs.pop();
    if (second) this.#runs.push(joined(this.#runs.pop() ?? second.subarray(0, 0), second, shared));
  }
}

function joined(first: Floats, second: Floats, shared: boolean): Floats {
  const out = floatsLike(first, first.length + second.length, shared);
  let i = 0;
  let j = 0;
  let at = 0;
  while (i < first.length && j < second.length) {
    const a = first[i] as number;
    const b = second[j] as number;
    if (a <= b) {
      out[at++] = a;
      i++;
    } else {
      out[at++] = b;
      j++;
    }
  }
  out.set(i < first.length ? first.subarray(i) : second.subarray(j), at);
  return out;
}
