/** What a model's input can take of a number that was read as a 32-bit float. */

/** Integers of a larger size are not all 32-bit floats: one would be fed that the file does not hold. */
const MAX_EXACT = 2 ** 24;

interface IntegerRange {
  readonly low: number;
  readonly high: number;
}

const RANGES: Readonly<Record<string, IntegerRange>> = {
  bool: { low: 0, high: 1 },
  int8: { low: -128, high: 127 },
  uint8: { low: 0, high: 255 },
  int16: { low: -32_768, high: 32_767 },
  uint16: { low: 0, high: 65_535 },
  int32: { low: -MAX_EXACT, high: MAX_EXACT },
  uint32: { low: 0, high: MAX_EXACT },
  int64: { low: -MAX_EXACT, high: MAX_EXACT },
  uint64: { low: 0, high: MAX_EXACT },
};

/** The range of whole numbers an ONNX element type takes, or null for floating point. */
export function integerRange(elementType: string | undefined): IntegerRange | null {
  return elementType === undefined ? null : (RANGES[elementType] ?? null);
}

/** SQL: true where the DOUBLE expression is finite and yet no value of the element type; '' for floating point. */
export function outOfRange(elementType: string | undefined, value: string): string {
  const range = integerRange(elementType);
  return range === null
    ? ''
    : `(${value} < ${range.low} OR ${value} > ${range.high} OR ${value} <> trunc(${value}))`;
}

/** First index of a value that the element type does not take, or -1. */
export function firstOutOfRange(values: Float32Array, rows: number, range: IntegerRange): number {
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number;
    if (value < range.low || value > range.high || value !== Math.trunc(value)) return row;
  }
  return -1;
}
