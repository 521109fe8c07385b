/** Special functions and the distributions built on them, to about 1e-14 relative (1e-10 for very many degrees of freedom). */
import { SallyportError } from '../errors.ts';

const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
const LOG_SQRT_2PI = 0.9189385332046728;
const SQRT_2 = Math.SQRT2;
const TINY = 1e-300;
const EPSILON = 1e-16;
const MAX_TERMS = 100_000;

/** ln Γ(x) for x > 0 (Lanczos, g = 7, nine terms). */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  let series: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i += 1) series += (LANCZOS[i] ?? 0) / (shifted + i);
  const t = shifted + 7.5;
  return LOG_SQRT_2PI + (shifted + 0.5) * Math.log(t) - t + Math.log(series);
}

/** ln C(n, k). */
export function logChoose(n: number, k: number): number {
  if (k === 0 || k === n) return 0;
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** Upper regularised incomplete gamma Q(a, x): series below a + 1, Lentz's continued fraction above. */
export function gammaQ(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0))
    throw new SallyportError('input.invalid', `The incomplete gamma function has no value at (${a}, ${x}).`);
  if (x === 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < MAX_TERMS && term > sum * EPSILON; n += 1) {
      term *= x / (a + n);
      sum += term;
    }
    return Math.max(0, 1 - sum * front);
  }
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < MAX_TERMS; i += 1) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / nonZero(an * d + b);
    c = nonZero(b + an / c);
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) < EPSILON) break;
  }
  return Math.min(1, front * h);
}

/** Regularised incomplete beta I_x(a, b), by Lentz's continued fraction on the side where it converges fast. */
export function betaI(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1))
    throw new SallyportError(
      'input.invalid',
      `The incomplete beta function has no value at (${a}, ${b}, ${x}).`,
    );
  if (x === 0 || x === 1) return x;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(a, b, x)) / a
    : 1 - (front * betaFraction(b, a, 1 - x)) / b;
}

function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < MAX_TERMS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < EPSILON) break;
  }
  return h;
}

/** Lentz's guard against a denominator of zero. */
function nonZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** Complementary error function. */
export function erfc(x: number): number {
  if (x === 0) return 1;
  const tail = gammaQ(0.5, x * x);
  return x > 0 ? tail : 2 - tail;
}

/** P(Z ≤ z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  return erfc(-z / SQRT_2) / 2;
}

/** The z with P(Z ≤ z) = p, 0 < p < 1: Abramowitz and Stegun 26.2.23, then Halley's steps to full precision. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1))
    throw new SallyportError('input.invalid', `A probability of ${p} has no normal quantile.`);
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let z = -(
    t -
    (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  );
  for (let step = 0; step < 4; step += 1) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const newton = (normalCdf(z) - p) / density;
    z -= newton / (1 + (z * newton) / 2);
  }
  return z;
}

/** P(X > x) of the chi-squared distribution. */
export function chiSquaredSf(x: number, degrees: number): number {
  return gammaQ(degrees / 2, Math.max(0, x) / 2);
}

/** The x with P(X ≤ x) = p: Wilson and Hilferty's start, then Newton's steps kept inside a shrinking bracket. */
export function chiSquaredQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1 && degrees > 0))
    throw new SallyportError('input.invalid', `Chi-squared with ${degrees} degrees has no quantile at ${p}.`);
  const spread = 2 / (9 * degrees);
  let x = Math.max(1e-8, degrees * (1 - spread + normalQuantile(p) * Math.sqrt(spread)) ** 3);
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 200; step += 1) {
    const excess = 1 - chiSquaredSf(x, degrees) - p;
    if (excess > 0) high = Math.min(high, x);
    else low = Math.max(low, x);
    const half = degrees / 2;
    const density = Math.exp((half - 1) * Math.log(x / 2) - x / 2 - logGamma(half)) / 2;
    let next = x - excess / density;
    if (!(next > low && next < high)) next = Number.isFinite(high) ? (low + high) / 2 : x * 2;
    if (Math.abs(next - x) <= 1e-14 * x) return next;
    x = next;
  }
  return x;
}

/** P(X ≤ k) of the binomial distribution. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return betaI(n - k, k + 1, 1 - p);
}
