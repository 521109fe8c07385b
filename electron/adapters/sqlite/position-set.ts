/** A set of row positions as bits; grows as needed. 100,000 positions take 12.5 KB and are met with others in microseconds. */
export class PositionSet {
  #words: Uint32Array;

  constructor(positions: Iterable<number> = []) {
    this.#words = new Uint32Array(1024);
    for (const position of positions) this.add(position);
  }

  add(position: number): void {
    this.addWord(position >>> 5, 1 << (position & 31));
  }

  /** Bits of the positions from 32 × `word` on, lowest first. */
  wordAt(word: number): number {
    return this.#words[word] ?? 0;
  }

  /** Adds positions given as `wordAt` answers them. */
  addWord(word: number, bits: number): void {
    if (bits === 0) return;
    this.#grow(word);
    this.#words[word] = (this.#words[word] ?? 0) | bits;
  }

  /** What is in both. */
  and(other: PositionSet): this {
    for (let word = 0; word < this.#words.length; word++)
      this.#words[word] = (this.#words[word] ?? 0) & (other.#words[word] ?? 0);
    return this;
  }

  /** What is here and not there. */
  andNot(other: PositionSet): this {
    for (let word = 0; word < this.#words.length; word++)
      this.#words[word] = (this.#words[word] ?? 0) & ~(other.#words[word] ?? 0);
    return this;
  }

  count(): number {
    let count = 0;
    for (const word of this.#words) count += bitsOf(word);
    return count;
  }

  /** Positions from the highest down, `limit` of them after leaving out `offset`. */
  highest(limit: number, offset: number): number[] {
    const found: number[] = [];
    let left = offset;
    for (let index = this.#words.length - 1; index >= 0 && found.length < limit; index--) {
      const word = this.#words[index] ?? 0;
      const bits = bitsOf(word);
      if (left >= bits) {
        left -= bits;
        continue;
      }
      for (let bit = 31; bit >= 0 && found.length < limit; bit--) {
        if ((word & (1 << bit)) === 0) continue;
        if (left > 0) left--;
        else found.push(index * 32 + bit);
      }
    }
    return found;
  }

  #grow(word: number): void {
    if (word < this.#words.length) return;
    const grown = new Uint32Array(Math.max(word + 1, this.#words.length * 2));
    grown.set(this.#words);
    this.#words = grown;
  }
}

/** Number of ones in 32 bits (Hacker's Delight, 5-1). */
export function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
