import type { ByteSource } from './summary.ts';

/** Why the bytes cannot be read on. The reader turns it into a `SallyportError` in one place. */
export class WireFault extends Error {
  readonly kind: 'truncated' | 'malformed' | 'limit';

  constructor(kind: 'truncated' | 'malformed' | 'limit', message: string) {
    super(message);
    this.name = 'WireFault';
    this.kind = kind;
  }
}

/** Protobuf wire types, as in the encoding guide. 3 and 4 open and close a group. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

/** Where fields follow one another, windows double from the smaller to the larger. */
const FIRST_WINDOW_BYTES = 2 * 1024;
const WINDOW_BYTES = 64 * 1024;
const TWO_32 = 2 ** 32;

/**
 * Reads protobuf primitives from a byte source through one window of at most 64 KiB. Skipping moves the position and
 * reads nothing, so that a gigabyte of weights costs nothing; after a skip little is read, because the next is near.
 */
export class WireCursor {
  readonly size: number;
  #position = 0;
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #windowBytes = FIRST_WINDOW_BYTES;

  constructor(source: ByteSource) {
    this.#source = source;
    this.size = source.size;
  }

  get position(): number {
    return this.#position;
  }

  /** The next byte; past the end of the file it is a truncation. */
  byte(): number {
    const value = this.#window[this.#position - this.#windowStart];
    if (value !== undefined) {
      this.#position += 1;
      return value;
    }
    this.#fill();
    const first = this.#window[0];
    if (first === undefined) throw new WireFault('truncated', `the file ends at byte ${this.#position}`);
    this.#position += 1;
    return first;
  }

  /** The next byte without moving on, or -1 at the end of the file. */
  peek(): number {
    const value = this.#window[this.#position - this.#windowStart];
    if (value !== undefined) return value;
    if (this.#position >= this.size) return -1;
    this.#fill();
    return this.#window[0] ?? -1;
  }

  /** A varint as a signed 64-bit integer. Beyond 2^53 the nearest double: enough to see that it is too large. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let index = 0; index < 10; index += 1) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) return high * TWO_32 + (low >>> 0);
    }
    throw new WireFault('malformed', `a number of more than 10 bytes ends at byte ${this.#position}`);
  }

  /** A varint as an unsigned 64-bit integer, exact. */
  uint64(): bigint {
    let value = 0n;
    for (let index = 0; index < 10; index += 1) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireFault('malformed', `a number of more than 10 bytes ends at byte ${this.#position}`);
  }

  /** A length or a tag: a varint that must be from 0 to 2^32-1. */
  uint32(what: string): number {
    const first = this.byte();
    if (first < 0x80) return first;
    this.#position -= 1;
    const at = this.#position;
    const value = this.int64();
    if (value < 0 || value >= TWO_32)
      throw new WireFault('malformed', `the ${what} at byte ${at} is out of range`);
    return value;
  }

  skipVarint(): void {
    for (let index = 0; index < 10; index += 1) if (this.byte() < 0x80) return;
    throw new WireFault('malformed', `a number of more than 10 bytes ends at byte ${this.#position}`);
  }

  skip(length: number): void {
    if (this.#position + length > this.size)
      throw new WireFault('truncated', `the file ends at byte ${this.size}`);
    this.#position += length;
  }

  /** The next `length` bytes, copied or as a view that is valid until the next call. */
  take(length: number): Uint8Array {
    if (this.#position + length > this.size)
      throw new WireFault('truncated', `the file ends at byte ${this.size}`);
    const offset = this.#position - this.#windowStart;
    let bytes: Uint8Array;
    if (offset >= 0 && offset + length <= this.#window.length)
      bytes = this.#window.subarray(offset, offset + length);
    else if (length <= WINDOW_BYTES) {
      this.#fill(length);
      bytes = this.#window.subarray(0, length);
    } else bytes = this.#source.read(this.#position, length);
    // A file that shrank under the reader.
    if (bytes.length < length)
      throw new WireFault('truncated', `the file ends within the ${length} bytes at byte ${this.#position}`);
    this.#position += length;
    return bytes;
  }

  #fill(atLeast = 0): void {
    const follows = this.#position <= this.#windowStart + this.#window.length;
    this.#windowBytes = follows ? Math.min(2 * this.#windowBytes, WINDOW_BYTES) : FIRST_WINDOW_BYTES;
    const wanted = Math.max(atLeast, this.#windowBytes);
    const length = Math.min(wanted, Math.max(0, this.size - this.#position));
    this.#window = length === 0 ? new Uint8Array(0) : this.#source.read(this.#position, length);
    this.#windowStart = this.#position;
  }
}

/** A byte source over bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
