/**
 * Seeded randomness for resampling: the same seed gives the same report on every machine. Not for secrets.
 * xoshiro128** (Blackman and Vigna 2018), its state filled by splitmix32.
 */
export interface Random {
  /** 32 random bits. */
  uint32(): number;
  /** In [0, 1), 53 bits. */
  uniform(): number;
  normal(): number;
  /** A Poisson draw; whole means up to 64 are drawn from tables, in constant time. */
  poisson(mean: number): number;
  /** Exact up to 64 trials, above it the rounded normal approximation, kept in range. */
  binomial(trials: number, chance: number): number;
  /** Shape at least 1/2, scale 1. */
  gamma(shape: number): number;
}

const TABLE_MEANS = 64;
/** Entries of a table's guide: where to start looking, by the draw's upper bits. */
const GUIDE_BITS = 8;

/** `seed`: any number; its lower 32 bits count. */
export function createRandom(seed: number): Random {
  let mixed = seed >>> 0;
  const splitmix = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed ^ (mixed >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let d = splitmix() | 1;

  const uint32 = (): number => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = (): number => ((uint32() >>> 5) * 67_108_864 + (uint32() >>> 6)) / 9_007_199_254_740_992;
  /** Open at both ends, for logarithms. */
  const open = (): number => uniform() || Number.EPSILON;
  const normal = (): number => Math.sqrt(-2 * Math.log(open())) * Math.cos(2 * Math.PI * uniform());

  const tables: (PoissonTable | undefined)[] = [];
  const poisson = (mean: number): number => {
    if (!(mean > 0)) return 0;
    if (mean <= TABLE_MEANS && Number.isInteger(mean)) {
      let table = tables[mean];
      if (table === undefined) {
        table = poissonTable(mean);
        tables[mean] = table;
      }
      const draw = uint32();
      let count = table.guide[draw >>> (32 - GUIDE_BITS)] ?? 0;
      while (draw >= (table.cumulative[count] ?? Number.POSITIVE_INFINITY)) count += 1;
      return count;
    }
    if (mean < 10) {
      const limit = Math.exp(-mean);
      let count = 0;
      for (let product = uniform(); product > limit; product *= uniform()) count += 1;
      return count;
    }
    return poissonByRejection(mean, uniform);
  };

  const binomial = (trials: number, chance: number): number => {
    if (trials > 64) {
      const spread = Math.sqrt(trials * chance * (1 - chance));
      return Math.min(trials, Math.max(0, Math.round(trials * chance + spread * normal())));
    }
    let count = 0;
    for (let i = 0; i < trials; i += 1) if (uniform() < chance) count += 1;
    return count;
  };

  /** Marsaglia and Tsang 2000; below 1 by the power of a uniform. */
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * open() ** (1 / shape);
    const third = shape - 1 / 3;
    const slope = 1 / Math.sqrt(9 * third);
    for (;;) {
      const x = normal();
      const v = (1 + slope * x) ** 3;
      if (v > 0 && Math.log(open()) < (x * x) / 2 + third - third * v + third * Math.log(v)) return third * v;
    }
  };

  return { uint32, uniform, normal, poisson, binomial, gamma };
}

interface PoissonTable {
  /** Cumulative probabilities times 2^32, as far as 32 bits tell them apart. */
  readonly cumulative: Float64Array;
  /** Smallest count a draw with these upper bits can give. */
  readonly guide: Uint8Array;
}

function poissonTable(mean: number): PoissonTable {
  const cumulative: number[] = [];
  let term = Math.exp(-mean);
  let sum = 0;
  for (let k = 0; cumulative.length < 200; k += 1) {
    sum += term;
    cumulative.push(sum * 4_294_967_296);
    if (k > mean && term < 1e-12) break;
    term *= mean / (k + 1);
  }
  const guide = new Uint8Array(2 ** GUIDE_BITS);
  let count = 0;
  for (let at = 0; at < guide.length; at += 1) {
    while (at * 2 ** (32 - GUIDE_BITS) >= (cumulative[count] ?? Number.POSITIVE_INFINITY)) count += 1;
    guide[at] = count;
  }
  return { cumulative: Float64Array.from(cumulative), guide };
}

/** ln k!: exact sums up to 9, Stirling's series above. */
const SMALL_LOG_FACTORIALS = [0, 0, 2, 6, 24, 120, 720, 5040, 40_320, 362_880].map((f) => Math.log(f || 1));
function logFactorial(k: number): number {
  if (k < 10) return SMALL_LOG_FACTORIALS[k] ?? 0;
  return (
    (k + 0.5) * Math.log(k) - k + 0.9189385332046728 + (1 / 12 - (1 / 360 - 1 / 1260 / (k * k)) / (k * k)) / k
  );
}

/** PTRS of Hörmann (1993), "The transformed rejection method for generating Poisson random variables"; mean ≥ 10. */
function poissonByRejection(mean: number, uniform: () => number): number {
  const slope = 0.931 + 2.53 * Math.sqrt(mean);
  const lift = -0.059 + 0.02483 * slope;
  const quick = 0.9277 - 3.6224 / (slope - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * lift) / us + slope) * u + mean + 0.43);
    if (us >= 0.07 && v <= quick) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    // One draw in seven comes here: only it pays for the logarithms.
    const inverseAlpha = 1.1239 + 1.1328 / (slope - 3.4);
    if (
      Math.log(v) + Math.log(inverseAlpha) - Math.log(lift / (us * us) + slope) <=
      k * Math.log(mean) - mean - logFactorial(k)
    )
      return k;
  }
}
