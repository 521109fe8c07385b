/** Reading and writing single protobuf messages field by field, for changes that leave every other byte as it is. */
import { bytesSource, WIRE, WireCursor, WireFault } from './wire.ts';

/** One field on the wire: its whole bytes, tag and all, and what it holds. */
export interface FieldBytes {
  readonly number: number;
  readonly wire: number;
  /** Tag, length and content, as they stand. */
  readonly bytes: Uint8Array;
  /** Content of a length-delimited field; empty for others. */
  readonly content: Uint8Array;
  /** Value of a varint as a signed 64-bit integer (the nearest double beyond 2^53); 0 for others. */
  readonly value: number;
}

/** The fields of one message, as views of its bytes. Throws `WireFault` for what is no message, and for groups. */
export function* fieldsOf(message: Uint8Array): Generator<FieldBytes> {
  const cursor = new WireCursor(bytesSource(message));
  while (cursor.position < message.length) {
    const start = cursor.position;
    const tag = cursor.uint32('field tag');
    const number = tag >>> 3;
    const wire = tag & 7;
    if (number === 0) throw new WireFault('malformed', `field number 0 at byte ${start}`);
    let content: Uint8Array = EMPTY;
    let value = 0;
    if (wire === WIRE.varint) value = cursor.int64();
    else if (wire === WIRE.fixed64) cursor.skip(8);
    else if (wire === WIRE.fixed32) cursor.skip(4);
    else if (wire === WIRE.bytes) {
      const length = cursor.uint32('length');
      const from = cursor.position;
      cursor.skip(length);
      content = message.subarray(from, from + length);
    } else throw new WireFault('malformed', `wire type ${wire} at byte ${start}`);
    yield { number, wire, bytes: message.subarray(start, cursor.position), content, value };
  }
}

const EMPTY = new Uint8Array(0);

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A field with a non-negative integer. */
export function intField(number: number, value: number): Uint8Array {
  return joined([varint(number * 8 + WIRE.varint), varint(value)]);
}

export function bytesField(number: number, content: Uint8Array): Uint8Array {
  return joined([varint(number * 8 + WIRE.bytes), varint(content.length), content]);
}

export function textField(number: number, text: string): Uint8Array {
  return bytesField(number, encodeUtf8(text));
}

/** Tag and length of a length-delimited field whose content is joined elsewhere. */
export function lengthPrefix(number: number, length: number): Uint8Array {
  return joined([varint(number * 8 + WIRE.bytes), varint(length)]);
}

/** By hand because the domain has neither Node's nor the browser's globals; lone surrogates become U+FFFD. */
function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text.toWellFormed()) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000)
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else
      bytes.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 63),
        0x80 | ((point >> 6) & 63),
        0x80 | (point & 63),
      );
  }
  return Uint8Array.from(bytes);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
