/**
 * Seeded randomness of the generator. `Math.random` is never used, so the same seed gives the same bytes on every machine.
 */

/** FNV-1a over UTF-16 code units: turns a stream's name into a 32-bit seed. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash ^= name.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash;
}

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state in 32-bit integer arithmetic only. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** One independent stream per name: adding a consumer of one stream does not move another. */
  constructor(name: string) {
    this.a = hashName(name);
    this.b = hashName(`${name}/b`);
    this.c = hashName(`${name}/c`);
    for (let i = 0; i < 12; i++) this.uint32();
  }

  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), 32 bits of resolution. */
  unit(): number {
    return this.uint32() / 4294967296;
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Uniform integer, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1));
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length - 1)];
    if (item === undefined) throw new RangeError('pick() needs a list that is not empty');
    return item;
  }

  /** `length` characters drawn from `alphabet`. */
  text(length: number, alphabet: string): string {
    let out = '';
    for (let i = 0; i < length; i++) out += alphabet.charAt(this.int(0, alphabet.length - 1));
    return out;
  }

  /** Fisher-Yates, in place. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      const held = items[i] as T;
      items[i] = items[j] as T;
      items[j] = held;
    }
    return items;
  }
}
