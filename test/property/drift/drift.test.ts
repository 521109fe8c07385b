import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profileDrift } from '../../../shared/domain/drift/drift.ts';
import {
  type NumericProfile,
  type ReferenceProfile,
  referenceProfileSchema,
  standardDeviationOf,
} from '../../../shared/domain/drift/profile.ts';
import { createProfileBuilder, mergeProfiles } from '../../../shared/domain/drift/profile-builder.ts';
import { driftReportSchema } from '../../../shared/domain/evidence/drift.ts';
import { createRandom } from '../../../shared/domain/statistics/random.ts';

const FEATURES = [
  { name: 'bytes', kind: 'numeric' },
  { name: 'proto', kind: 'categorical' },
] as const;

interface Row {
  readonly bytes: number;
  readonly proto: string;
  readonly score: number;
  readonly flagged: 0 | 1;
}
const anyRow = fc.record({
  bytes: fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  ),
  proto: fc.constantFrom('tcp', 'udp', 'icmp', ''),
  score: fc.double({ min: 0, max: 1, noNaN: true }),
  flagged: fc.constantFrom<0 | 1>(0, 1),
});
const anyRows = fc.array(anyRow, { minLength: 1, maxLength: 120 });

function build(rows: readonly Row[], batch: number, like?: ReferenceProfile): ReferenceProfile {
  const builder = createProfileBuilder({ features: FEATURES, ...(like === undefined ? {} : { like }) });
  for (let at = 0; at < rows.length; at += batch) {
    const part = rows.slice(at, at + batch);
    builder.add({
      rows: part.length,
      features: [Float64Array.from(part, (row) => row.bytes), part.map((row) => row.proto)],
      scores: Float64Array.from(part, (row) => row.score),
      predicted: Uint8Array.from(part, (row) => row.flagged),
    });
  }
  return builder.profile();
}

const numeric = (profile: ReferenceProfile): NumericProfile => {
  const [first] = profile.features;
  if (first?.kind !== 'numeric') throw new Error('not numeric');
  return first;
};
/** All but the moments, whose last digits depend on the order of adding. */
const counts = (profile: ReferenceProfile) => ({
  ...profile,
  features: profile.features.map((feature) =>
    feature.kind === 'numeric' ? { ...feature, mean: 0, squares: 0 } : feature,
  ),
  score: profile.score && { ...profile.score, mean: 0, squares: 0 },
});

describe('a profile', () => {
  it('of parts merged is that of all rows together', () => {
    fc.assert(
      fc.property(anyRows, anyRows, fc.integer({ min: 1, max: 40 }), (a, b, batch) => {
        const whole = build([...a, ...b], 1000);
        const reference = build(a, 1000);
        // Counted into the same bins, and with bins chosen anew.
        const parts = [mergeProfiles(build(a, batch), build(b, batch)), build([...a, ...b], batch)];
        for (const merged of parts) {
          const [x, y] = [counts(merged), counts(whole)];
          const unbinned = (of: typeof x) => ({
            ...of,
            features: of.features.map((one) => (one.kind === 'numeric' ? { ...one, bins: null } : one)),
            score: of.score && { ...of.score, bins: null },
          });
          expect(unbinned(x)).toEqual(unbinned(y));
          expect(numeric(merged).mean).toBeCloseTo(numeric(whole).mean, 5);
          const sum = numeric(merged).bins.rows.reduce((total, rows) => total + rows, 0);
          expect(sum + numeric(merged).missing).toBe(a.length + b.length);
        }
        expect(counts(mergeProfiles(build(a, 1000, reference), build(b, 1000, reference)))).toEqual(
          counts(build([...a, ...b], 1000, reference)),
        );
      }),
    );
  });
  it('knows mean, deviation, extremes, missing values and categories', () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 1, max: 40 }), (rows, batch) => {
        const profile = build(rows, batch);
        expect(referenceProfileSchema.safeParse(profile).success).toBe(true);
        const seen = rows.map(({ bytes }) => bytes);
        const finite = seen.filter(Number.isFinite);
        const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
        const column = numeric(profile);
        expect(column.missing).toBe(seen.filter(Number.isNaN).length);
        expect(column.infinite).toEqual({
          low: seen.filter((value) => value === Number.NEGATIVE_INFINITY).length,
          high: seen.filter((value) => value === Number.POSITIVE_INFINITY).length,
        });
        if (finite.length > 1) {
          expect([column.min, column.max]).toEqual([Math.min(...finite) + 0, Math.max(...finite) + 0]);
          expect(column.mean).toBeCloseTo(mean, 5);
          const spread = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (finite.length - 1);
          expect(standardDeviationOf(column)).toBeCloseTo(Math.sqrt(spread), 4);
        }
        const [, proto] = profile.features;
        if (proto?.kind !== 'categorical') throw new Error('not categorical');
        for (const { value, rows: many } of proto.categories)
          expect(many).toBe(rows.filter((row) => row.proto === value).length);
        expect(profile.flagged).toBe(rows.filter(({ flagged }) => flagged === 1).length);
      }),
    );
  });
  it('takes minus zero for zero: written down and read again it would be another profile', () => {
    const row = { bytes: -0, proto: 'tcp', score: 0, flagged: 0 } as const;
    const column = numeric(build([row, { ...row, bytes: 0 }], 1));
    expect([column.min, column.max, column.values?.value]).toEqual([0, 0, [0]]);
  });
  it('survives being written down', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const profile = build(rows, 1000);
        expect(referenceProfileSchema.parse(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
      }),
    );
  });
  it('stays small whatever it has seen, and counted again into its own bins is nearly itself', () => {
    const random = createRandom(2);
    const rows = Array.from(
      { length: 60_000 },
      (_, i): Row => ({
        bytes: Math.exp(2 * random.normal()),
        proto: `p${i % 3000}`,
        score: random.uniform(),
        flagged: 0,
      }),
    );
    const profile = build(rows, 4096);
    expect(JSON.stringify(profile).length).toBeLessThan(30_000);
    expect(referenceProfileSchema.safeParse(profile).success).toBe(true);
    expect(numeric(profile).bins.exact).toBe(false);
    const again = numeric(build(rows, 4096, profile));
    expect(again.bins.exact).toBe(true);
    for (const [bin, count] of again.bins.rows.entries()) {
      // A tenth each, within the sketch's error.
      expect(Math.abs(count - (numeric(profile).bins.rows[bin] ?? 0)) / rows.length).toBeLessThan(0.005);
      expect(Math.abs(count / rows.length - 0.1)).toBeLessThan(0.01);
    }
  });
});

describe('drift', () => {
  const sample = (
    seed: number,
    rows: number,
    change: Partial<Record<'by' | 'udp' | 'missing', number>> = {},
  ) => {
    const random = createRandom(seed);
    return Array.from({ length: rows }, (): Row => {
      const bytes = random.normal() + (change.by ?? 0);
      return {
        bytes: random.uniform() < (change.missing ?? 0) ? Number.NaN : bytes,
        proto: random.uniform() < (change.udp ?? 0.2) ? 'udp' : 'tcp',
        score: 1 / (1 + Math.exp(-bytes)),
        flagged: bytes > 0 ? 1 : 0,
      };
    });
  };
  // Counted again into its own bins: exact.
  const reference = build(sample(1, 20_000), 1000, build(sample(1, 20_000), 1000));
  const against = (rows: readonly Row[]) => profileDrift(reference, build(rows, 1000, reference));
  const verdicts = (rows: readonly Row[]) => against(rows).features.map(({ verdict }) => verdict);

  it('is none between a profile and itself', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const one = build(rows, 1000);
        const { features, driftedShare, score } = profileDrift(one, build(rows, 1000, one));
        for (const feature of [...features, ...(score === null ? [] : [score])]) {
          expect(feature.psi).toBeCloseTo(0, 12);
          expect([null, 0]).toContain(feature.ks);
          expect(feature.verdict).not.toBe('drift');
        }
        expect(driftedShare).toBe(0);
      }),
    );
  });
  it.each([
    [60, 100],
    [300, 30],
    [2000, 20],
    [20_000, 5],
  ])('is not seen in %d rows of the same kind more often than one window in a hundred', (rows, windows) => {
    let alarms = 0;
    for (let seed = 10; seed < 10 + windows; seed += 1)
      if (verdicts(sample(seed, rows)).some((verdict) => verdict === 'drift' || verdict === 'watch'))
        alarms += 1;
    expect(alarms).toBeLessThanOrEqual(windows > 50 ? 4 : 1);
  });
  it('is seen where a number moves, a category grows, and a sensor falls silent', () => {
    expect(verdicts(sample(3, 5000, { by: 1 }))).toEqual(['drift', 'stable']);
    expect(verdicts(sample(4, 5000, { udp: 0.6 }))).toEqual(['stable', 'drift']);
    expect(verdicts(sample(5, 5000, { missing: 0.3 }))[0]).toBe('drift');
    expect(against(sample(3, 5000, { by: 1 })).score?.verdict).toBe('drift');
    expect(against(sample(3, 5000, { by: 1 })).driftedShare).toBe(0.5);
  });
  it('is no drift that is certain and small, and watched in between', () => {
    // Real beyond doubt on 50,000 rows, and of no size.
    const small = against(sample(6, 50_000, { by: 0.05 })).features[0];
    expect(small?.adjustedP).toBeLessThan(0.01);
    expect(small?.verdict).toBe('stable');
    expect(verdicts(sample(7, 20_000, { by: 0.4 }))[0]).toBe('watch');
  });
  it('is not judged on too few rows', () => {
    expect(verdicts(sample(8, 30, { by: 3 }))).toEqual(['too-few', 'too-few']);
  });
  it('measures what scipy would: a shift of one deviation', () => {
    const [feature] = against(sample(9, 20_000, { by: 1 })).features;
    // Of normal distributions one deviation apart: D = 2Φ(1/2) − 1 = 0.3829, W₁ = 1 deviation.
    expect(feature?.ks).toBeCloseTo(0.383, 1.5);
    expect(feature?.wasserstein).toBeCloseTo(1, 1);
    expect(feature?.ksP).toBeLessThan(1e-9);
  });
  it('has the form of a report', () => {
    const report = driftReportSchema.safeParse({
      ...against(sample(3, 5000, { by: 1 })),
      reference: {
        ref: { name: 'm', version: '1.0.0' },
        datasetDigest: 'a'.repeat(64),
        rows: reference.rows,
      },
      estimatedAccuracy: null,
    });
    expect(report.error).toBeUndefined();
  });
  it('refuses data that was counted in other bins, or has another feature', () => {
    expect(() => profileDrift(reference, build(sample(1, 100), 100))).toThrow(/reference's bins/);
    const other = createProfileBuilder({ features: [{ name: 'x', kind: 'numeric' }] }).profile();
    expect(() => profileDrift(reference, other)).toThrow(/has no numeric feature "bytes"/);
    expect(() => mergeProfiles(reference, other)).toThrow(/cannot be merged/);
  });
});
