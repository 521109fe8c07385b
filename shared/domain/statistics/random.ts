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
  /** A Poisson draw; whole means up to 2,048 are drawn from tables, in constant time. */
  poisson(mean: number): number;
  /** A draw of every mean into `out`: those that `poisson` would give one after the other, several times faster. */
  poissons(means: Float64Array, out: Float64Array): void;
  /** Exact up to 64 trials, above it the rounded normal approximation, kept in range. */
  binomial(trials: number, chance: number): number;
  /** Shape at least 1/2, scale 1. */
  gamma(shape: number): number;
}

/** About 5 KiB of table for the largest of them. */
const TABLE_MEANS = 2048;
/** Entries of a table's guide: where to start looking, by the draw's upper bits. */
const GUIDE_BITS = 8;
const GUIDE_SHIFT = 32 - GUIDE_BITS;

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
  /** null where the mean is drawn in another way. */
  const tableOf = (mean: number): PoissonTable | null => {
    if (!(mean > 0 && mean <= TABLE_MEANS && Number.isInteger(mean))) return null;
    tables[mean] ??= poissonTable(mean);
    return tables[mean];
  };
  const poisson = (mean: number): number => {
    if (!(mean > 0)) return 0;
    const table = tableOf(mean);
    if (table !== null) {
      const draw = uint32();
      let place = table.guide[draw >>> GUIDE_SHIFT] as number;
      while (draw > (table.last[place] as number)) place += 1;
      return table.lowest + place;
    }
    if (mean < 10) {
      const limit = Math.exp(-mean);
      let count = 0;
      for (let product = uniform(); product > limit; product *= uniform()) count += 1;
      return count;
    }
    return poissonByRejection(mean, uniform);
  };
  const poissons = (means: Float64Array, out: Float64Array): void => {
    let table: PoissonTable | null = null;
    let tableMean = Number.NaN;
    for (let at = 0; at < means.length; at += 1) {
      const mean = means[at] as number;
      if (mean !== tableMean) {
        table = tableOf(mean);
        tableMean = mean;
      }
      if (table === null) {
        out[at] = poisson(mean);
        continue;
      }
      const { guide, last, lowest } = table;
      const draw = uint32();
      let place = guide[draw >>> GUIDE_SHIFT] as number;
      while (draw > (last[place] as number)) place += 1;
      out[at] = lowest + place;
    }
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

  return { uint32, uniform, normal, poisson, poissons, binomial, gamma };
}

/** Counts from `lowest` on, each with the draws of 32 bits that give it. */
interface PoissonTable {
  readonly lowest: number;
  /** By count: the last draw that gives it, or one below it. */
  readonly last: Uint32Array;
  /** By a draw's upper bits: the place of the smallest count it can give. */
  readonly guide: Uint16Array;
}

/** Likelier counts than this are in a table; 32 bits do not tell rarer ones apart. */
const RAREST = 2 ** -40;

function poissonTable(mean: number): PoissonTable {
  // From the likeliest count both ways: e^-mean is no number any more for large means.
  const likeliest = Math.floor(mean);
  const peak = Math.exp(likeliest * Math.log(mean) - mean - logFactorial(likeliest));
  const below: number[] = [];
  for (let k = likeliest, term = peak; k > 0 && term > RAREST; k -= 1) {
    term *= k / mean;
    below.push(term);
  }
  const lowest = likeliest - below.length;
  const terms = below.reverse();
  for (let k = likeliest, term = peak; term > RAREST; k += 1) {
    terms.push(term);
    term *= mean / (k + 1);
  }
  const last = new Uint32Array(terms.length);
  let sum = 0;
  for (const [place, term] of terms.entries()) {
    sum += term * 2 ** 32;
    last[place] = Math.min(2 ** 32 - 1, Math.max(0, Math.round(sum) - 1));
  }
  last[terms.length - 1] = 2 ** 32 - 1;
  const guide = new Uint16Array(2 ** GUIDE_BITS);
  let place = 0;
  for (let at = 0; at < guide.length; at += 1) {
    while (at * 2 ** GUIDE_SHIFT > (last[place] as number)) place += 1;
    guide[at] = place;
  }
  return { lowest, last, guide };
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
