import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benjaminiHochberg, holm } from '../../../shared/domain/statistics/correction.ts';
import { Digest, digestDistribution, digestSchema } from '../../../shared/domain/statistics/digest.ts';
import {
  cdf,
  countedDistribution,
  distributionArea,
  distributionDistance,
  quantile,
} from '../../../shared/domain/statistics/distribution.ts';
import { percentileInterval, wilsonInterval } from '../../../shared/domain/statistics/interval.ts';
import { fitIsotonic } from '../../../shared/domain/statistics/isotonic.ts';
import { jensenShannon } from '../../../shared/domain/statistics/jensen-shannon.ts';
import { ksDistance, ksPValue } from '../../../shared/domain/statistics/kolmogorov.ts';
import { mcnemar } from '../../../shared/domain/statistics/mcnemar.ts';
import { criticalPsi, psi } from '../../../shared/domain/statistics/psi.ts';
import { createRandom } from '../../../shared/domain/statistics/random.ts';
import { fisherGreater, higherRateP } from '../../../shared/domain/statistics/two-proportions.ts';
import { wasserstein } from '../../../shared/domain/statistics/wasserstein.ts';

const histograms = fc
  .integer({ min: 1, max: 12 })
  .chain((bins) =>
    fc.tuple(
      fc.array(fc.nat(500), { minLength: bins, maxLength: bins }),
      fc.array(fc.nat(500), { minLength: bins, maxLength: bins }),
    ),
  );
const values = fc.array(
  fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 })),
  { minLength: 1, maxLength: 60 },
);
const sorted = (of: readonly number[]): Float64Array => Float64Array.from(of).sort();

describe('distances of histograms', () => {
  it('PSI is never negative, zero for the same counts, and the same both ways', () => {
    fc.assert(
      fc.property(histograms, ([a, b]) => {
        const index = psi(a, b);
        if (index === null) return;
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index).toBeCloseTo(psi(b, a) ?? -1, 12);
        expect(psi(a, a)).toBe(0);
      }),
    );
  });
  it('Jensen-Shannon lies between 0 and 1 and does not ask who is first', () => {
    fc.assert(
      fc.property(histograms, ([a, b]) => {
        const distance = jensenShannon(a, b);
        if (distance === null) return;
        expect(distance >= 0 && distance <= 1).toBe(true);
        expect(distance).toBeCloseTo(jensenShannon(b, a) ?? -1, 12);
      }),
    );
    expect(jensenShannon([3, 0], [0, 9])).toBe(1);
  });
});

describe('distances of samples', () => {
  it('are those of the definition, and of the two distribution functions', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [x, y] = [sorted(a), sorted(b)];
        const at = [...a, ...b].sort((p, q) => p - q);
        const share = (of: readonly number[], up: number): number =>
          of.filter((one) => one <= up).length / of.length;
        const gaps = at.map((up) => Math.abs(share(a, up) - share(b, up)));
        expect(ksDistance(x, y)).toBeCloseTo(Math.max(...gaps), 12);
        let area = 0;
        for (const [i, gap] of gaps.entries()) area += gap * ((at[i + 1] ?? at[i] ?? 0) - (at[i] ?? 0));
        expect(wasserstein(x, y)).toBeCloseTo(area, 5);

        const counted = (of: Float64Array) => {
          const counts = new Map<number, number>();
          for (const one of of) counts.set(one + 0, (counts.get(one + 0) ?? 0) + 1);
          return countedDistribution([...counts.keys()], [...counts.values()]);
        };
        expect(distributionDistance(counted(x), counted(y))).toBeCloseTo(Math.max(...gaps), 12);
        expect(distributionArea(counted(x), counted(y))).toBeCloseTo(area, 5);
      }),
    );
  });
  it('a larger distance is less probable', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3000 }), fc.integer({ min: 2, max: 3000 }), (n, m) => {
        const [near, far] = [ksPValue(0.2, n, m), ksPValue(0.6, n, m)];
        expect(far).toBeLessThanOrEqual(near + 1e-12);
        expect(near <= 1 && far >= 0).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('tests of counts', () => {
  it('McNemar does not ask who is first', () => {
    fc.assert(
      fc.property(fc.nat(900), fc.nat(900), (first, second) => {
        const { pValue, midP } = mcnemar(first, second);
        expect(mcnemar(second, first).pValue).toBe(pValue);
        expect(pValue > 0 && pValue <= 1).toBe(true);
        if (midP !== null) expect(midP).toBeLessThanOrEqual(pValue);
      }),
    );
  });
  it('Fisher sums to one over both tails and the point between', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(40),
        (n, m, hits) => {
          const allHits = Math.min(hits, n + m);
          let sum = 0;
          for (let x = Math.max(0, allHits - m); x <= Math.min(n, allHits); x += 1) {
            const point = fisherGreater(x, n, allHits, n + m) - fisherGreater(x + 1, n, allHits, n + m);
            expect(point).toBeGreaterThanOrEqual(-1e-12);
            sum += point;
          }
          expect(sum).toBeCloseTo(1, 9);
        },
      ),
    );
  });
  it('a rate that is no higher is no evidence', () => {
    expect(higherRateP(5, 100, 50, 1000)).toBeGreaterThan(0.4);
    expect(higherRateP(500, 1000, 500, 1000)).toBeCloseTo(0.5, 9);
    expect(higherRateP(60, 100, 300, 1000)).toBeLessThan(1e-6);
    expect(higherRateP(0, 0, 1, 10)).toBe(1);
  });
  it('corrected p-values are no smaller, keep their order, and Holm is the stricter', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (raw) => {
        const [strict, loose] = [holm(raw), benjaminiHochberg(raw)];
        for (const [i, p] of raw.entries()) {
          expect(loose[i] ?? -1).toBeGreaterThanOrEqual(p);
          expect(strict[i] ?? -1).toBeGreaterThanOrEqual((loose[i] ?? 2) - 1e-12);
          for (const [j, other] of raw.entries())
            if (p < other) expect(loose[i] ?? 2).toBeLessThanOrEqual(loose[j] ?? -1);
        }
      }),
    );
  });
});

describe('intervals', () => {
  it('Wilson holds the rate, stays in [0, 1], and narrows with rows', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (hits, misses) => {
        const trials = hits + misses;
        const interval = wilsonInterval(hits, trials);
        if (interval === null) return;
        const share = hits / trials;
        expect(interval.low <= share && share <= interval.high).toBe(true);
        expect(interval.low >= 0 && interval.high <= 1).toBe(true);
        const more = wilsonInterval(hits * 4, trials * 4);
        expect((more?.high ?? 1) - (more?.low ?? 0)).toBeLessThan(interval.high - interval.low);
      }),
    );
  });
  it('a percentile interval leaves out the undefined, and is none where they are many', () => {
    const replicates = Float64Array.from({ length: 100 }, (_, i) => (i < 5 ? Number.NaN : i));
    expect(percentileInterval(replicates, 10, 0.9)?.low).toBeGreaterThan(15);
    expect(percentileInterval(Float64Array.from({ length: 10 }, () => Number.NaN))).toBeNull();
  });
});

describe('isotonic regression', () => {
  it('rises, keeps the number of rows and positives, and leaves no better rising fit beside it', () => {
    const labelled = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(labelled, (rows) => {
        const of = (label: boolean): Float64Array =>
          sorted(rows.filter(([, is]) => is === label).map(([score]) => score));
        const steps = fitIsotonic(of(false), of(true)) ?? [];
        for (const [at, step] of steps.entries()) {
          expect(step.value).toBeGreaterThan(steps[at - 1]?.value ?? -1);
          expect(step.from).toBeGreaterThan(steps[at - 1]?.to ?? -1);
        }
        expect(steps.reduce((sum, { rows: count }) => sum + count, 0)).toBe(rows.length);
        expect(steps.reduce((sum, { rows: count, value }) => sum + count * value, 0)).toBeCloseTo(
          of(true).length,
          9,
        );
      }),
    );
  });
});

describe('the quantile sketch', () => {
  const shapes: Record<string, (random: ReturnType<typeof createRandom>, i: number) => number> = {
    normal: (random) => random.normal(),
    'long tail': (random) => Math.exp(3 * random.normal()),
    rising: (_, i) => i,
    'mostly zero': (random) => (random.uniform() < 0.7 ? 0 : random.uniform()),
    'two far clusters': (random) => (random.uniform() < 0.5 ? 0 : 1e9) + random.normal(),
  };
  it.each(Object.keys(shapes))('keeps ranks of a %s column within half a percent', (shape) => {
    const random = createRandom(7);
    const all = Float64Array.from({ length: 50_000 }, (_, i) => shapes[shape]?.(random, i) ?? 0);
    const digest = new Digest();
    for (const value of all) digest.add(value);
    const state = digest.state();
    expect(digestSchema.safeParse(state).success).toBe(true);
    expect(state.means.length).toBeLessThan(250);
    expect(state.weights.reduce((sum, weight) => sum + weight, 0)).toBe(all.length);
    const distribution = digestDistribution(state);
    all.sort();
    for (const q of [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]) {
      const x = quantile(distribution, q);
      const below = all.findIndex((value) => value >= x) / all.length;
      const upTo = 1 - all.toReversed().findIndex((value) => value <= x) / all.length;
      expect(below).toBeLessThanOrEqual(q + 0.005);
      expect(upTo).toBeGreaterThanOrEqual(q - 0.005);
    }
    expect([state.min, state.max]).toEqual([all[0], all.at(-1)]);
  });
  it('merged from parts counts as the whole does, within its error', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 5 }), (seed, parts) => {
        const random = createRandom(seed);
        const merged = new Digest();
        const all: number[] = [];
        for (let part = 0; part < parts; part += 1) {
          const one = new Digest();
          for (let i = 0; i < 2000; i += 1) {
            const value = random.normal() + part;
            all.push(value);
            one.add(value);
          }
          merged.merge(one.state());
        }
        const distribution = digestDistribution(merged.state());
        const exact = digestDistribution({
          means: all.sort((a, b) => a - b),
          weights: all.map(() => 1),
          atoms: [],
          min: all[0] ?? 0,
          max: all.at(-1) ?? 0,
        });
        expect(distributionDistance(distribution, exact)).toBeLessThan(0.01);
        expect(cdf(distribution, all.at(-1) ?? 0)).toBe(1);
      }),
      { numRuns: 30 },
    );
  });
  it('refuses what is no number', () => {
    expect(() => new Digest().add(Number.NaN)).toThrow(/finite/);
  });
});

describe('seeded randomness', () => {
  it('gives the same draws for the same seed, and others for another', () => {
    const draws = (seed: number) => {
      const random = createRandom(seed);
      return [random.uniform(), random.normal(), random.poisson(3), random.poisson(900), random.gamma(2)];
    };
    expect(draws(5)).toEqual(draws(5));
    expect(draws(5)).not.toEqual(draws(6));
  });
  it.each([0.5, 1, 3.5, 17, 64, 65, 400.5, 2048, 2049])(
    'Poisson of mean %d has that mean and variance',
    (mean) => {
      const random = createRandom(11);
      const n = 40_000;
      let [sum, squares] = [0, 0];
      for (let i = 0; i < n; i += 1) {
        const draw = random.poisson(mean);
        sum += draw;
        squares += draw * draw;
      }
      // Six standard errors: of the mean √(λ/n), of the variance about λ·√(2/n + 1/(λn)).
      expect(Math.abs(sum / n - mean)).toBeLessThan(6 * Math.sqrt(mean / n));
      expect(Math.abs(squares / n - (sum / n) ** 2 - mean)).toBeLessThan(
        6 * mean * Math.sqrt(2 / n + 1 / (mean * n)),
      );
    },
  );
  it('many Poisson draws at once are those drawn one after the other', () => {
    const means = Float64Array.from([3, 3, 0, 900, 2048, 5000, 7.5, 900, 1, 1]);
    const [one, other] = [createRandom(8), createRandom(8)];
    const out = new Float64Array(means.length);
    for (let round = 0; round < 50; round += 1) {
      other.poissons(means, out);
      expect(out).toEqual(means.map((mean) => one.poisson(mean)));
    }
    expect(one.uint32()).toBe(other.uint32());
  });
  it('uniform, normal, gamma and binomial draws have their moments', () => {
    const random = createRandom(3);
    const n = 40_000;
    const mean = (draw: () => number): number => {
      let sum = 0;
      for (let i = 0; i < n; i += 1) sum += draw();
      return sum / n;
    };
    expect(mean(random.uniform)).toBeCloseTo(0.5, 1.5);
    expect(Math.abs(mean(random.normal))).toBeLessThan(0.03);
    expect(mean(() => random.normal() ** 2)).toBeCloseTo(1, 1);
    expect(mean(() => random.gamma(0.5))).toBeCloseTo(0.5, 1);
    expect(mean(() => random.gamma(9))).toBeCloseTo(9, 0.5);
    expect(mean(() => random.binomial(20, 0.3))).toBeCloseTo(6, 0.9);
    expect(mean(() => random.binomial(1000, 0.3))).toBeCloseTo(300, -0.3);
  });
  it('PSI without drift passes its critical value as often as it says', () => {
    const random = createRandom(17);
    const runs = 2000;
    let above = 0;
    const draw = (rows: number): number[] => Array.from({ length: 10 }, () => random.poisson(rows / 10));
    for (let run = 0; run < runs; run += 1) {
      const [a, b] = [draw(5000), draw(1000)];
      if ((psi(a, b) ?? 0) > criticalPsi(10, 5000, 1000, 0.95)) above += 1;
    }
    expect(above / runs).toBeGreaterThan(0.03);
    expect(above / runs).toBeLessThan(0.075);
  });
});
