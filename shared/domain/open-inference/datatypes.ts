/** The tensor types of the Open Inference Protocol, version 2, beside the words of ONNX Runtime and of Triton. */

interface Facts {
  /** Bytes of one element in a binary tensor; null = each element says its own length. */
  readonly bytes: number | null;
  readonly runtime: string;
  readonly triton: string;
}

const FACTS = {
  BOOL: { bytes: 1, runtime: 'bool', triton: 'TYPE_BOOL' },
  UINT8: { bytes: 1, runtime: 'uint8', triton: 'TYPE_UINT8' },
  UINT16: { bytes: 2, runtime: 'uint16', triton: 'TYPE_UINT16' },
  UINT32: { bytes: 4, runtime: 'uint32', triton: 'TYPE_UINT32' },
  UINT64: { bytes: 8, runtime: 'uint64', triton: 'TYPE_UINT64' },
  INT8: { bytes: 1, runtime: 'int8', triton: 'TYPE_INT8' },
  INT16: { bytes: 2, runtime: 'int16', triton: 'TYPE_INT16' },
  INT32: { bytes: 4, runtime: 'int32', triton: 'TYPE_INT32' },
  INT64: { bytes: 8, runtime: 'int64', triton: 'TYPE_INT64' },
  FP16: { bytes: 2, runtime: 'float16', triton: 'TYPE_FP16' },
  FP32: { bytes: 4, runtime: 'float32', triton: 'TYPE_FP32' },
  FP64: { bytes: 8, runtime: 'float64', triton: 'TYPE_FP64' },
  BYTES: { bytes: null, runtime: 'string', triton: 'TYPE_STRING' },
} as const satisfies Readonly<Record<string, Facts>>;

export type Datatype = keyof typeof FACTS;

export const DATATYPES = Object.keys(FACTS) as readonly Datatype[];

/** Bytes of one element in a binary tensor; null for BYTES, whose elements say their own length. */
export function bytesOf(datatype: Datatype): number | null {
  return FACTS[datatype].bytes;
}

/** ONNX Runtime's word: `float32`, `int64`, `string`, … */
export function runtimeTypeOf(datatype: Datatype): string {
  return FACTS[datatype].runtime;
}

/** The word of Triton's model configuration: `TYPE_FP32`, … */
export function tritonTypeOf(datatype: Datatype): string {
  return FACTS[datatype].triton;
}

/** The protocol's word for a type of ONNX Runtime; null for one that the protocol has no name for. */
export function datatypeOf(runtimeType: string): Datatype | null {
  return DATATYPES.find((datatype) => FACTS[datatype].runtime === runtimeType) ?? null;
}

/** Elements of a tensor, row-major. FP16 is kept as its bits; BOOL as 0 and 1. */
export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly string[];

export interface ProtocolTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** How many elements a shape holds. Exact up to 2^53, which is more than any body holds. */
export function elementCount(shape: readonly number[]): number {
  // An infinite product times nothing would be no number.
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}

/** Where an element is, for people: rows are counted from 1 along the first dimension. */
export function placeOf(index: number, shape: readonly number[]): string {
  const width = elementCount(shape.slice(1));
  if (shape.length === 0 || width === 0) return `value ${index + 1}`;
  const row = `row ${Math.floor(index / width) + 1}`;
  return width === 1 ? row : `${row}, value ${(index % width) + 1}`;
}
