/** Floating-point formats that JavaScript has no array of, decoded from their bits. */

interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  /** `ieee`: the largest exponent is infinity and NaN; `fn`: all ones is NaN; `fnuz`: minus zero is NaN; `none`: all finite. */
  readonly special: 'ieee' | 'fn' | 'fnuz' | 'none';
}

/** IEEE 754 half precision, bfloat16, and the formats of the OCP 8-bit and MX specifications, by ONNX's names. */
const FORMATS: Readonly<Record<string, Format>> = {
  float16: { exponentBits: 5, fractionBits: 10, bias: 15, special: 'ieee' },
  bfloat16: { exponentBits: 8, fractionBits: 7, bias: 127, special: 'ieee' },
  float8e4m3fn: { exponentBits: 4, fractionBits: 3, bias: 7, special: 'fn' },
  float8e4m3fnuz: { exponentBits: 4, fractionBits: 3, bias: 8, special: 'fnuz' },
  float8e5m2: { exponentBits: 5, fractionBits: 2, bias: 15, special: 'ieee' },
  float8e5m2fnuz: { exponentBits: 5, fractionBits: 2, bias: 16, special: 'fnuz' },
  float6e2m3: { exponentBits: 2, fractionBits: 3, bias: 1, special: 'none' },
  float6e3m2: { exponentBits: 3, fractionBits: 2, bias: 3, special: 'none' },
  float4e2m1: { exponentBits: 2, fractionBits: 1, bias: 1, special: 'none' },
};

/** True for element types whose values are kept as their bits. */
export function isSmallFloat(elementType: string): boolean {
  return elementType === 'float8e8m0' || FORMATS[elementType] !== undefined;
}

/** The number that the bits of an element stand for; NaN for types that are no small float. */
export function smallFloat(elementType: string, bits: number): number {
  // An exponent alone, without sign or fraction.
  if (elementType === 'float8e8m0') return bits === 0xff ? Number.NaN : 2 ** (bits - 127);
  const format = FORMATS[elementType];
  if (format === undefined) return Number.NaN;
  const { exponentBits, fractionBits, bias, special } = format;
  const topExponent = 2 ** exponentBits - 1;
  const topFraction = 2 ** fractionBits - 1;
  const sign = bits >> (exponentBits + fractionBits) === 0 ? 1 : -1;
  const exponent = (bits >> fractionBits) & topExponent;
  const fraction = bits & topFraction;
  if (special === 'fnuz' && sign < 0 && exponent === 0 && fraction === 0) return Number.NaN;
  if (special === 'fn' && exponent === topExponent && fraction === topFraction) return Number.NaN;
  if (special === 'ieee' && exponent === topExponent)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const scaled = fraction / 2 ** fractionBits;
  return exponent === 0 ? sign * scaled * 2 ** (1 - bias) : sign * (1 + scaled) * 2 ** (exponent - bias);
}
