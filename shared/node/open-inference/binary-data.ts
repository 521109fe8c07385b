/**
 * Binary tensors of the Open Inference Protocol: little-endian, as every system is that ONNX Runtime is built for;
 * elements of BYTES each after their length in 4 bytes.
 */
import { isUtf8 } from 'node:buffer';
import {
  type Datatype,
  elementCount,
  placeOf,
  type TensorData,
} from '../../domain/open-inference/datatypes.ts';
import { malformed } from '../../domain/open-inference/problem.ts';

type NumberDatatype = Exclude<Datatype, 'BYTES'>;

const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<NumberDatatype, unknown>;

const LENGTH_BYTES = 4;

/**
 * `bytes` are all of the tensor's and no more. The elements are a copy: a tensor starts anywhere in a body, and typed
 * arrays only at multiples of their element's size. Throws (400) with the input's name.
 */
export function readBinaryData(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
): TensorData {
  if (datatype === 'BYTES') return readTexts(name, shape, bytes);
  const Elements = ARRAYS[datatype];
  const expected = elementCount(shape) * Elements.BYTES_PER_ELEMENT;
  if (bytes.length !== expected)
    throw malformed(
      `Input "${name}": ${bytes.length} bytes of binary data; ${datatype} of the shape [${shape.join(', ')}] takes ${expected}.`,
    );
  const { buffer, byteOffset, byteLength } = bytes;
  const elements = new Elements(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  if (datatype === 'BOOL') checkBools(name, shape, elements as Uint8Array);
  return elements;
}

/** Another byte than 0 and 1 is true for some programs, and not for others. */
function checkBools(name: string, shape: readonly number[], elements: Uint8Array): void {
  const odd = elements.findIndex((value) => value > 1);
  if (odd >= 0) throw malformed(`Input "${name}", ${placeOf(odd, shape)}: a BOOL is the byte 0 or 1.`);
}

function readTexts(name: string, shape: readonly number[], bytes: Uint8Array): string[] {
  const count = elementCount(shape);
  // Each element has its length at least: a shape that says more is not believed.
  if (count * LENGTH_BYTES > bytes.length)
    throw malformed(`Input "${name}": ${bytes.length} bytes of binary data cannot hold ${count} texts.`);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts = new Array<string>(count);
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (source.length - at < LENGTH_BYTES) throw ends(name, index, shape);
    const length = source.readUInt32LE(at);
    at += LENGTH_BYTES;
    if (length > source.length - at) throw ends(name, index, shape);
    const element = source.subarray(at, at + length);
    if (!isUtf8(element))
      throw malformed(`Input "${name}", ${placeOf(index, shape)}: this is not UTF-8 text.`);
    texts[index] = element.toString('utf8');
    at += length;
  }
  if (at < source.length)
    throw malformed(`Input "${name}": ${source.length - at} bytes follow the last of ${count} elements.`);
  return texts;
}

function ends(name: string, index: number, shape: readonly number[]): Error {
  return malformed(`Input "${name}": its binary data ends within ${placeOf(index, shape)}.`);
}

/** The bytes of a tensor. Numbers are a view of `data`, nothing is copied. */
export function writeBinaryData(data: TensorData): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const total = data.reduce((bytes, text) => bytes + LENGTH_BYTES + Buffer.byteLength(text), 0);
  const bytes = Buffer.alloc(total);
  let at = 0;
  for (const text of data) {
    const length = bytes.write(text, at + LENGTH_BYTES);
    bytes.writeUInt32LE(length, at);
    at += LENGTH_BYTES + length;
  }
  return bytes;
}
