/**
 * Values in ONNX's own form, as the `input_*.pb` and `output_*.pb` of its test data hold them: TensorProto with all
 * element types, and the sequences, maps and optionals around them (onnx.proto, onnx-data.proto). Memory is bounded by
 * the bytes that are there, never by the dimensions that are claimed.
 */
import { SallyportError } from '../errors.ts';
import { elementBits, elementTypeName } from './element-types.ts';
import { isSmallFloat, smallFloat } from './small-floats.ts';
import { decodeUtf8 } from './utf8.ts';
import { bytesSource, WIRE, WireCursor, WireFault } from './wire.ts';

/**
 * One element after the other. bool: 0 and 1. float16, bfloat16, float8, float6, float4: their bits (`numbersOf` decodes them).
 * int4, uint4, int2, uint2: unpacked. complex: real and imaginary part in turn.
 */
export type TensorValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[];

export interface OnnxTensor {
  readonly name: string;
  /** ONNX's name in lower case: `float`, `int64`, `string`, … */
  readonly elementType: string;
  readonly dims: readonly number[];
  readonly values: TensorValues;
}

export const MAX_TENSOR_BYTES = 2 ** 30;
const MAX_DIMENSIONS = 256;

/** Numbers of one of the typed lists. */
interface Lists {
  floats: Uint8Array[];
  int32s: number[];
  strings: string[];
  int64s: bigint[];
  doubles: Uint8Array[];
  uint64s: bigint[];
}

/** Reads one TensorProto. Throws `dataset.invalid`. */
export function readTensor(bytes: Uint8Array): OnnxTensor {
  return explaining(bytes, () => tensorOf(bytes));
}

/** Runs a reader over bytes and turns what the wire says into a refusal. */
export function explaining<T>(bytes: Uint8Array, read: () => T): T {
  const refuse = (why: string, cause?: unknown): SallyportError =>
    new SallyportError('dataset.invalid', `The test data cannot be read: ${why}.`, {
      hint: 'No figure was computed from it. Write it again as a protobuf message of ONNX.',
      ...(cause === undefined ? {} : { cause }),
    });
  if (bytes.length > MAX_TENSOR_BYTES)
    throw refuse(`it has ${bytes.length} bytes, and at most ${MAX_TENSOR_BYTES} are read`);
  try {
    return read();
  } catch (error) {
    if (error instanceof WireFault) throw refuse(error.message, error);
    throw error;
  }
}

/** One field of a message. `bytes` of a length-delimited one; the cursor stands before any other value. */
export interface WireField {
  readonly number: number;
  readonly wire: number;
  readonly bytes: Uint8Array | null;
}

/** Calls `visit` for each field; one that it does not take (false) is skipped. */
export function eachField(
  message: Uint8Array,
  visit: (field: WireField, cursor: WireCursor) => boolean,
): void {
  const cursor = new WireCursor(bytesSource(message));
  while (cursor.position < cursor.size) {
    const tag = cursor.uint32('field tag');
    const wire = tag & 7;
    const bytes = wire === WIRE.bytes ? cursor.take(cursor.uint32('length')) : null;
    const taken = visit({ number: tag >>> 3, wire, bytes }, cursor);
    if (taken || bytes !== null) continue;
    if (wire === WIRE.varint) cursor.skipVarint();
    else if (wire === WIRE.fixed32) cursor.skip(4);
    else if (wire === WIRE.fixed64) cursor.skip(8);
    else
      throw new WireFault(
        'malformed',
        `wire type ${wire} before byte ${cursor.position} has no meaning there`,
      );
  }
}

/** Reads a repeated varint field, packed or not; false for another wire type. */
export function varints(field: WireField, cursor: WireCursor, add: (from: WireCursor) => void): boolean {
  if (field.wire === WIRE.varint) {
    add(cursor);
    return true;
  }
  if (field.bytes === null) return false;
  const packed = new WireCursor(bytesSource(field.bytes));
  while (packed.position < packed.size) add(packed);
  return true;
}

/** Reads a repeated fixed-width field into pieces of little-endian bytes. */
function fixed(field: WireField, cursor: WireCursor, width: 4 | 8, pieces: Uint8Array[]): boolean {
  const single = width === 4 ? WIRE.fixed32 : WIRE.fixed64;
  if (field.wire === single) pieces.push(cursor.take(width));
  else if (field.bytes === null) return false;
  else if (field.bytes.length % width !== 0)
    throw new WireFault('malformed', `a list of ${field.bytes.length} bytes does not hold whole numbers`);
  else pieces.push(field.bytes);
  return true;
}

/** As `readTensor`, for a message within another; throws `WireFault`. */
export function tensorOf(message: Uint8Array): OnnxTensor {
  let name = '';
  let type = 0;
  let raw: Uint8Array | null = null;
  const dims: number[] = [];
  const lists: Lists = { floats: [], int32s: [], strings: [], int64s: [], doubles: [], uint64s: [] };
  eachField(message, (field, cursor) => {
    switch (field.number) {
      case 1:
        return varints(field, cursor, (from) => {
          dims.push(from.int64());
          if (dims.length > MAX_DIMENSIONS)
            throw new WireFault('limit', `it has more than ${MAX_DIMENSIONS} dimensions`);
        });
      case 2:
        return varints(field, cursor, (from) => {
          type = from.int64();
        });
      case 3:
        throw new WireFault('malformed', 'it is a segment of a larger tensor');
      case 4:
        return fixed(field, cursor, 4, lists.floats);
      case 5:
        return varints(field, cursor, (from) => void lists.int32s.push(from.int64()));
      case 6:
        if (field.bytes !== null) lists.strings.push(decodeUtf8(field.bytes));
        return field.bytes !== null;
      case 7:
        return varints(field, cursor, (from) => void lists.int64s.push(from.uint64()));
      case 8:
        if (field.bytes !== null) name = decodeUtf8(field.bytes);
        return field.bytes !== null;
      case 9:
        if (field.bytes !== null) raw = field.bytes;
        return field.bytes !== null;
      case 10:
        return fixed(field, cursor, 8, lists.doubles);
      case 11:
        return varints(field, cursor, (from) => void lists.uint64s.push(from.uint64()));
      case 13:
        throw new WireFault('malformed', 'its values are in another file');
      case 14:
        return varints(field, cursor, (from) => {
          if (from.int64() !== 0) throw new WireFault('malformed', 'its values are in another file');
        });
      default:
        return false;
    }
  });
  const elementType = elementTypeName(type);
  const elements = dims.reduce((product, size) => product * size, 1);
  if (dims.some((size) => size < 0) || !Number.isSafeInteger(elements))
    throw new WireFault('malformed', `its dimensions are ${dims.slice(0, 8).join(' × ')}`);
  const values =
    raw === null ? listed(elementType, lists, elements) : unpacked(elementType, type, raw, elements);
  const held = elementType.startsWith('complex') ? values.length / 2 : values.length;
  if (held !== elements)
    throw new WireFault('malformed', `it has ${held} values and its dimensions say ${elements}`);
  return { name, elementType, dims, values };
}

/** Values of raw_data: little-endian, types under a byte packed with the first element in the low bits. */
function unpacked(elementType: string, type: number, raw: Uint8Array, elements: number): TensorValues {
  const bits = elementBits(type);
  if (bits === 0) throw new WireFault('malformed', `raw bytes cannot be ${elementType} values`);
  if (raw.length !== Math.ceil((elements * bits) / 8))
    throw new WireFault('malformed', `it has ${raw.length} bytes for ${elements} values of ${bits} bits`);
  // Copied, because a view needs its elements aligned and the message lets them stand anywhere.
  return bits < 8 ? splitBytes(elementType, raw, bits, elements) : viewOf(elementType, new Uint8Array(raw));
}

/** A view of whole little-endian elements; every platform of ours is little-endian. */
function viewOf(elementType: string, bytes: Uint8Array<ArrayBuffer>): TensorValues {
  const { buffer } = bytes;
  switch (elementType) {
    case 'float':
    case 'complex64':
      return new Float32Array(buffer);
    case 'double':
    case 'complex128':
      return new Float64Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'uint32':
      return new Uint32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'uint64':
      return new BigUint64Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}

/** Takes elements of a few bits out of a row of bytes, the first one in the lowest bits. */
function splitBytes(
  elementType: string,
  bytes: ArrayLike<number>,
  bits: number,
  elements: number,
): Int8Array | Uint8Array {
  if (bytes.length !== Math.ceil((elements * bits) / 8))
    throw new WireFault('malformed', `it has ${bytes.length} bytes for ${elements} values of ${bits} bits`);
  const signed = elementType.startsWith('int');
  const values = signed ? new Int8Array(elements) : new Uint8Array(elements);
  const shift = 32 - bits;
  for (let at = 0; at < elements; at++) {
    const bit = at * bits;
    const byte = Math.floor(bit / 8);
    const word = ((bytes[byte] ?? 0) & 0xff) | (((bytes[byte + 1] ?? 0) & 0xff) << 8);
    const value = (word >> (bit % 8)) << shift;
    values[at] = signed ? value >> shift : value >>> shift;
  }
  return values;
}

/** Values of the typed list that the element type is written to. */
function listed(elementType: string, lists: Lists, elements: number): TensorValues {
  const { int32s, int64s, uint64s } = lists;
  switch (elementType) {
    case 'float':
    case 'complex64':
      return viewOf(elementType, joined(lists.floats));
    case 'double':
    case 'complex128':
      return viewOf(elementType, joined(lists.doubles));
    case 'string':
      return lists.strings;
    case 'int64':
      return BigInt64Array.from(int64s, (value) => BigInt.asIntN(64, value));
    case 'uint64':
      return BigUint64Array.from(uint64s);
    case 'uint32':
      return Uint32Array.from(uint64s, Number);
    case 'int32':
      return Int32Array.from(int32s);
    case 'int16':
      return Int16Array.from(int32s);
    case 'int8':
      return Int8Array.from(int32s);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return Uint16Array.from(int32s);
    case 'int4':
    case 'uint4':
    case 'float4e2m1':
      return splitBytes(elementType, int32s, 4, elements);
    case 'int2':
    case 'uint2':
      return splitBytes(elementType, int32s, 2, elements);
    case 'undefined':
    case 'unknown':
      throw new WireFault('malformed', 'it states no element type that ONNX has');
    default:
      return Uint8Array.from(int32s);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The values as 64-bit floats, for comparing within a tolerance: null for strings. Integers beyond 2^53 are rounded. */
export function numbersOf({
  elementType,
  values,
}: Pick<OnnxTensor, 'elementType' | 'values'>): Float64Array | null {
  if (elementType === 'string') return null;
  const numbers = new Float64Array(values.length);
  const isSmall = isSmallFloat(elementType);
  for (let at = 0; at < numbers.length; at++) {
    const value = Number(values[at]);
    numbers[at] = isSmall ? smallFloat(elementType, value) : value;
  }
  return numbers;
}
