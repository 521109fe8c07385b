/** The numbers of scipy, recorded with their versions in the fixture, to 1e-9. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { chiSquaredHomogeneity } from '../../../shared/domain/statistics/chi-squared.ts';
import { benjaminiHochberg, holm } from '../../../shared/domain/statistics/correction.ts';
import { wilsonInterval } from '../../../shared/domain/statistics/interval.ts';
import { jensenShannon } from '../../../shared/domain/statistics/jensen-shannon.ts';
import { kolmogorovSf, ksDistance, ksPValue } from '../../../shared/domain/statistics/kolmogorov.ts';
import { mcnemar } from '../../../shared/domain/statistics/mcnemar.ts';
import { criticalPsi, psi, psiPValue } from '../../../shared/domain/statistics/psi.ts';
import {
  binomialCdf,
  chiSquaredQuantile,
  chiSquaredSf,
  logGamma,
  normalCdf,
  normalQuantile,
} from '../../../shared/domain/statistics/special.ts';
import { fisherGreater } from '../../../shared/domain/statistics/two-proportions.ts';
import { wasserstein } from '../../../shared/domain/statistics/wasserstein.ts';

type Points = readonly (readonly number[])[];
interface Recorded {
  readonly chi2_sf: Points;
  readonly chi2_ppf: Points;
  readonly norm_ppf: Points;
  readonly norm_cdf: Points;
  readonly binom_cdf: Points;
  readonly gammaln: Points;
  readonly wilson: Points;
  readonly mcnemar: Points;
  readonly mcnemar_chi2: Points;
  readonly fisher: Points;
  readonly kolmogorov: Points;
  readonly ks: readonly { a: number[]; b: number[]; d: number; p: number; w: number }[];
  readonly histograms: readonly {
    a: number[];
    b: number[];
    js: number;
    psi: number;
    chi2: number;
    p: number;
    v: number;
  }[];
  readonly p: number[];
  readonly bh: number[];
  readonly holm: number[];
}
const recorded = JSON.parse(
  readFileSync(new URL('../../fixtures/metrics/scipy.json', import.meta.url), 'utf8'),
) as Recorded;

/** Within 1e-9, relative where the value is large, and tails to 1e-9 of themselves. */
function near(actual: number | null | undefined, expected: number | undefined): void {
  expect(actual).toBeTypeOf('number');
  expect(Math.abs((actual ?? 0) - (expected ?? Number.NaN))).toBeLessThanOrEqual(
    1e-9 * Math.max(1e-3, Math.abs(expected ?? 0)) + 1e-15,
  );
}

describe('distributions agree with scipy', () => {
  it.each(recorded.chi2_sf)('chi-squared above %d with %d degrees', (x, degrees, expected) =>
    near(chiSquaredSf(x ?? 0, degrees ?? 0), expected),
  );
  it.each(recorded.chi2_ppf)('chi-squared quantile %d with %d degrees', (p, degrees, expected) =>
    near(chiSquaredQuantile(p ?? 0, degrees ?? 0), expected),
  );
  it.each(recorded.norm_ppf)('normal quantile %d', (p, expected) => near(normalQuantile(p ?? 0), expected));
  it.each(recorded.norm_cdf)('normal up to %d', (z, expected) => near(normalCdf(z ?? 0), expected));
  it.each(recorded.binom_cdf)('binomial up to %d of %d at %d', (k, n, p, expected) =>
    near(binomialCdf(k ?? 0, n ?? 0, p ?? 0), expected),
  );
  it.each(recorded.gammaln)('ln gamma of %d', (x, expected) => near(logGamma(x ?? 0), expected));
  it.each(recorded.kolmogorov)('Kolmogorov above %d', (z, expected) => near(kolmogorovSf(z ?? 0), expected));
});

describe('tests and intervals agree with scipy', () => {
  it.each(recorded.wilson)('Wilson for %d of %d at %d', (hits, trials, level, low, high) => {
    const interval = wilsonInterval(hits ?? 0, trials ?? 0, level);
    near(interval?.low, low);
    near(interval?.high, high);
  });
  it.each(recorded.mcnemar)('McNemar exact for %d against %d', (first, second, expected, midP) => {
    const test = mcnemar(first ?? 0, second ?? 0);
    expect(test.method).toBe('exact');
    near(test.pValue, expected);
    near(test.midP, midP);
  });
  it.each(recorded.mcnemar_chi2)('McNemar chi-squared for %d against %d', (a, b, statistic, expected) => {
    const test = mcnemar(a ?? 0, b ?? 0);
    expect(test).toMatchObject({ method: 'chi-squared', midP: null });
    near(test.statistic, statistic);
    near(test.pValue, expected);
  });
  it.each(recorded.fisher)('Fisher for %d of %d against %d of %d', (a, b, c, d, expected) =>
    near(fisherGreater(a ?? 0, b ?? 0, (a ?? 0) + (c ?? 0), (b ?? 0) + (d ?? 0)), expected),
  );
  it('Kolmogorov and Smirnov, exact, and Wasserstein', () => {
    for (const { a, b, d, p, w } of recorded.ks) {
      const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
      near(ksDistance(x, y), d);
      near(ksPValue(d, a.length, b.length), p);
      near(wasserstein(x, y), w);
    }
  });
  it('histogram distances and the chi-squared test', () => {
    for (const { a, b, js, psi: index, chi2, p, v } of recorded.histograms) {
      near(jensenShannon(a, b), js);
      near(psi(a, b), index);
      const test = chiSquaredHomogeneity(a, b, { pool: false });
      near(test?.statistic, chi2);
      near(test?.pValue, p);
      near(test?.cramersV, v);
    }
  });
  it('corrections for many tests', () => {
    for (const [at, p] of benjaminiHochberg(recorded.p).entries()) near(p, recorded.bh[at]);
    for (const [at, p] of holm(recorded.p).entries()) near(p, recorded.holm[at]);
  });
});

describe('what has no value', () => {
  it('is null or certain, never NaN', () => {
    expect(wilsonInterval(0, 0)).toBeNull();
    expect(ksDistance([], [1])).toBeNull();
    expect(wasserstein([1], [])).toBeNull();
    expect(psi([0, 0], [1, 1])).toBeNull();
    expect(jensenShannon([0], [1])).toBeNull();
    expect(chiSquaredHomogeneity([5], [5])).toBeNull();
    expect(mcnemar(0, 0).pValue).toBe(1);
    expect(ksPValue(0.5, 0, 10)).toBe(1);
    expect(psiPValue(0.3, 1, 10, 10)).toBe(1);
    expect(criticalPsi(10, 0, 10, 0.99)).toBe(Number.POSITIVE_INFINITY);
  });
  it('is refused where the question makes no sense', () => {
    expect(() => normalQuantile(1)).toThrow(SallyportError);
    expect(() => psi([1], [1, 2])).toThrow(/same bins/);
    expect(() => jensenShannon([1], [1, 2])).toThrow(/same bins/);
    expect(() => chiSquaredHomogeneity([1], [1, 2])).toThrow(/same categories/);
  });
});
