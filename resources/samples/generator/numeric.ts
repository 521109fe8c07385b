/**
 * exp and log2 from additions, multiplications and divisions only. ECMAScript leaves the last bits of Math.exp and
 * Math.log2 to the engine; IEEE 754 leaves none of these, so the trained models are the same bytes everywhere.
 */
/** ln 2 in two parts, so that k · ln 2 is subtracted without losing the low bits (fdlibm, e_exp.c). */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** Two to an integer power in the normal range, by its exponent bits. */
function powerOfTwo(exponent: number): number {
  scratch.setUint32(0, (exponent + 1023) << 20);
  scratch.setUint32(4, 0);
  return scratch.getFloat64(0);
}
const scratch = new DataView(new ArrayBuffer(8));

/** e^x, |relative error| < 1e-15 for x in [-700, 700]; clamped outside. */
export function exp(x: number): number {
  const clamped = Math.max(-700, Math.min(700, x));
  const k = Math.round(clamped / Math.LN2);
  const r = clamped - k * LN2_HIGH - k * LN2_LOW;
  // Taylor series by Horner's rule; |r| <= ln2/2, so the 15th term is below 1e-17.
  let sum = 1;
  for (let n = 15; n >= 1; n--) sum = 1 + (sum * r) / n;
  return sum * powerOfTwo(k);
}

/** Base-2 logarithm of a positive, finite, normal number. */
export function log2(x: number): number {
  scratch.setFloat64(0, x);
  let exponent = (scratch.getUint32(0) >>> 20) - 1023;
  let mantissa = x / powerOfTwo(exponent);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  // ln m = 2 atanh((m - 1)/(m + 1)), with |argument| <= 0.172
  const t = (mantissa - 1) / (mantissa + 1);
  const square = t * t;
  let sum = 0;
  for (let n = 21; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return exponent + (2 * t * sum) / Math.LN2;
}

export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

/** Rounds to `digits` decimals; what a CSV shows is then exactly what a model is trained on and fed. */
export function roundTo(x: number, digits: number): number {
  return Number(x.toFixed(digits));
}
