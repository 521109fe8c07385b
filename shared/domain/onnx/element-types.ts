/** Names of TensorProto.DataType in lower case, by number, and how many bits one element takes (0: variable). */
const TYPES: readonly (readonly [name: string, bits: number])[] = [
  ['undefined', 0],
  ['float', 32],
  ['uint8', 8],
  ['int8', 8],
  ['uint16', 16],
  ['int16', 16],
  ['int32', 32],
  ['int64', 64],
  ['string', 0],
  ['bool', 8],
  ['float16', 16],
  ['double', 64],
  ['uint32', 32],
  ['uint64', 64],
  ['complex64', 64],
  ['complex128', 128],
  ['bfloat16', 16],
  ['float8e4m3fn', 8],
  ['float8e4m3fnuz', 8],
  ['float8e5m2', 8],
  ['float8e5m2fnuz', 8],
  ['uint4', 4],
  ['int4', 4],
  ['float4e2m1', 4],
  ['float8e8m0', 8],
  ['uint2', 2],
  ['int2', 2],
  ['float6e2m3', 6],
  ['float6e3m2', 6],
];

/** ONNX's name of an element type; a number it does not have is `unknown`. */
export function elementTypeName(type: number): string {
  return TYPES[type]?.[0] ?? 'unknown';
}

/** Bits of one element, or 0 for strings and unknown types. */
export function elementBits(type: number): number {
  return TYPES[type]?.[1] ?? 0;
}

/** Number of an element type by its name, 0 (undefined) for one that ONNX does not have. */
export function elementTypeNumber(name: string): number {
  return Math.max(
    0,
    TYPES.findIndex(([known]) => known === name),
  );
}
