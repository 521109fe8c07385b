import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averagePrecisionOf } from '../../../shared/domain/metrics/average-precision.ts';
import { binFigures, emptyFigures, rankBins } from '../../../shared/domain/metrics/bootstrap.ts';
import { createBinaryAccumulator } from '../../../shared/domain/metrics/classification.ts';
import { createComparison } from '../../../shared/domain/metrics/comparison.ts';
import { delongTest } from '../../../shared/domain/metrics/delong.ts';
import { operatingPoints } from '../../../shared/domain/metrics/detection-rate.ts';
import {
  agreementOf,
  confusionOf,
  decisionDeltaIntervals,
} from '../../../shared/domain/metrics/pair-table.ts';
import { compareRanks } from '../../../shared/domain/metrics/ranked-pair.ts';
import { aucWithVariance } from '../../../shared/domain/metrics/roc-auc.ts';
import { sortedScores } from '../../../shared/domain/metrics/sorted-scores.ts';
import { SWEEP_POINTS, thresholdSweep } from '../../../shared/domain/metrics/threshold-sweep.ts';
import { createRandom } from '../../../shared/domain/statistics/random.ts';

const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, min: -1e9, max: 1e9 }));
const scores = fc.array(score, { minLength: 2, maxLength: 50 });
const sorted = (of: readonly number[]): Float64Array => Float64Array.from(of, (one) => one + 0).sort();
const ranked = (negatives: readonly number[], positives: readonly number[]) =>
  sortedScores(sorted(negatives), sorted(positives));
const classes = (negatives: readonly number[], positives: readonly number[]) => ({
  ...ranked(negatives, positives),
  inOrder: { negatives: Float64Array.from(negatives), positives: Float64Array.from(positives) },
});

describe('ranking figures', () => {
  it('AUC and its variance stay under a monotone transform and turn round with the classes', () => {
    fc.assert(
      fc.property(scores, scores, (negatives, positives) => {
        const whole = aucWithVariance(ranked(negatives, positives));
        // By their places: what is computed from two neighbouring numbers may be rounded to one.
        const places = [...new Set([...negatives, ...positives].map((one) => one + 0))].sort((a, b) => a - b);
        const risen = (of: readonly number[]) => of.map((one) => places.indexOf(one + 0) ** 3 - 50);
        const moved = aucWithVariance(ranked(risen(negatives), risen(positives)));
        expect(moved?.auc).toBeCloseTo(whole?.auc ?? -1, 12);
        expect(moved?.variance).toBeCloseTo(whole?.variance ?? -1, 12);
        const flipped = aucWithVariance(ranked(positives, negatives));
        expect(flipped?.auc).toBeCloseTo(1 - (whole?.auc ?? 2), 12);
        expect(flipped?.variance).toBeCloseTo(whole?.variance ?? -1, 12);
      }),
    );
  });
  it('the variance is that of looking at every pair', () => {
    fc.assert(
      fc.property(scores, scores, (negatives, positives) => {
        const wins = (p: number, n: number): number => (p > n ? 1 : p === n ? 0.5 : 0);
        const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length;
        const spread = (of: readonly number[]): number =>
          of.reduce((sum, one) => sum + (one - mean(of)) ** 2, 0) / (of.length - 1);
        const ofPositives = positives.map((p) => mean(negatives.map((n) => wins(p + 0, n + 0))));
        const ofNegatives = negatives.map((n) => mean(positives.map((p) => wins(p + 0, n + 0))));
        expect(aucWithVariance(ranked(negatives, positives))?.variance).toBeCloseTo(
          spread(ofPositives) / positives.length + spread(ofNegatives) / negatives.length,
          10,
        );
      }),
    );
  });
  it('binned so finely that nothing ties are the exact ones', () => {
    fc.assert(
      fc.property(scores, scores, (negatives, positives) => {
        const both = ranked(negatives, positives);
        const bins = rankBins(both, { bins: Number.POSITIVE_INFINITY });
        const limits = [0.01, 0.1, 0.5];
        const figures = emptyFigures(limits);
        binFigures(bins.negatives, bins.positives, bins.mixed, limits, figures);
        expect(figures.auc).toBeCloseTo(aucWithVariance(both)?.auc ?? -1, 10);
        expect(figures.averagePrecision).toBeCloseTo(averagePrecisionOf(both) ?? -1, 10);
        for (const [at, point] of operatingPoints(both, limits).entries())
          expect(figures.rates[at]).toBeCloseTo(point.truePositives / positives.length, 10);
      }),
    );
  });
  it('coarse bins hold every row', () => {
    const random = createRandom(1);
    const of = (rows: number, by: number) =>
      Float64Array.from({ length: rows }, () => random.normal() + by).sort();
    const bins = rankBins(sortedScores(of(30_000, 0), of(5000, 1)));
    const sum = (counts: Float64Array): number => counts.reduce((all, one) => all + one, 0);
    expect([sum(bins.negatives), sum(bins.positives)]).toEqual([30_000, 5000]);
    expect(bins.floors.length).toBeLessThan(2000);
    expect(Array.from(bins.floors)).toEqual(Array.from(bins.floors).sort((a, b) => b - a));
  });
  it('detection at a limit is the best rate that keeps it, tried at every threshold', () => {
    fc.assert(
      fc.property(scores, scores, fc.constantFrom(0, 0.01, 0.1, 0.3, 1), (negatives, positives, limit) => {
        const share = (of: readonly number[], at: number): number =>
          of.filter((one) => one >= at).length / of.length;
        const best = Math.max(
          0,
          ...[...negatives, ...positives]
            .filter((at) => share(negatives, at) <= limit)
            .map((at) => share(positives, at)),
        );
        const [point] = operatingPoints(ranked(negatives, positives), [limit]);
        expect((point?.truePositives ?? -1) / positives.length).toBeCloseTo(best, 12);
      }),
    );
  });
});

describe('the threshold sweep', () => {
  it('falls, has at most 200 points, counts right at each, and holds the decision threshold', () => {
    const many = fc.array(score, { minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(many, many, score, fc.boolean(), (negatives, positives, decision, lower) => {
        const sign = lower ? -1 : 1;
        const turn = (of: readonly number[]) => of.map((one) => one * sign);
        const points = thresholdSweep(ranked(turn(negatives), turn(positives)), {
          decisionThreshold: decision,
          sign,
        });
        expect(points.length).toBeLessThanOrEqual(SWEEP_POINTS);
        expect(points.filter((point) => point.decision).map(({ threshold }) => threshold)).toEqual([
          decision + 0,
        ]);
        for (const [at, { threshold, confusion }] of points.entries()) {
          if (at > 0) expect(threshold * sign).toBeLessThan((points[at - 1]?.threshold ?? 0) * sign);
          const flagged = (of: readonly number[]): number =>
            of.filter((one) => one * sign >= threshold * sign).length;
          expect([confusion.fp, confusion.tp]).toEqual([flagged(negatives), flagged(positives)]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

const bit = fc.constantFrom<0 | 1>(0, 1);
const pairs = fc.array(fc.record({ label: bit, a: bit, b: bit, first: score, second: score }), {
  minLength: 1,
  maxLength: 80,
});
type Pair = { label: 0 | 1; a: 0 | 1; b: 0 | 1; first: number; second: number };

function compare(data: readonly Pair[], batch: number, labelled = true, seed?: number) {
  const accumulator = createComparison({
    models: [{}, { lowerIsPositive: true }],
    ...(seed === undefined ? {} : { random: createRandom(seed) }),
  });
  for (let at = 0; at < data.length; at += batch) {
    const part = data.slice(at, at + batch);
    accumulator.add(
      labelled ? Uint8Array.from(part, (row) => row.label) : null,
      [Uint8Array.from(part, (row) => row.a), Uint8Array.from(part, (row) => row.b)],
      [Float64Array.from(part, (row) => row.first), Float64Array.from(part, (row) => row.second)],
    );
  }
  return accumulator.finish();
}

describe('a comparison', () => {
  it('says of each model what measuring it alone says, whatever the batches', () => {
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 30 }), (data, batch) => {
        const { models } = compare(data, batch);
        for (const which of [0, 1] as const) {
          const alone = createBinaryAccumulator({ lowerIsPositive: which === 1 });
          alone.add(
            Uint8Array.from(data, (row) => row.label),
            Uint8Array.from(data, (row) => (which === 0 ? row.a : row.b)),
            Float64Array.from(data, (row) => (which === 0 ? row.first : row.second)),
          );
          expect(models[which]).toEqual(alone.finish());
        }
      }),
      { numRuns: 60 },
    );
  });
  it('counts agreement, fixed and broken rows as one does by hand', () => {
    fc.assert(
      fc.property(pairs, (data) => {
        const { pairs: found } = compare(data, 1000);
        const agreement = found[0]?.agreement;
        const count = (is: (row: Pair) => boolean): number => data.filter(is).length;
        expect(agreement).toMatchObject({
          rows: data.length,
          disagreements: count(({ a, b }) => a !== b),
          fixed: count(({ label, a, b }) => a !== label && b === label),
          broken: count(({ label, a, b }) => a === label && b !== label),
          matrix: [
            [count(({ a, b }) => a === 0 && b === 0), count(({ a, b }) => a === 0 && b === 1)],
            [count(({ a, b }) => a === 1 && b === 0), count(({ a, b }) => a === 1 && b === 1)],
          ],
        });
      }),
    );
  });
  it('the area difference is that of the two areas, its variance that of DeLong by every pair', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(score, score), { minLength: 2, maxLength: 60 }),
        fc.array(fc.tuple(score, score), { minLength: 2, maxLength: 60 }),
        (negatives, positives) => {
          const of = (which: 0 | 1) =>
            classes(
              negatives.map((row) => row[which] + 0),
              positives.map((row) => row[which] + 0),
            );
          const [a, b] = [of(0), of(1)];
          const wins = (p: number, n: number): number => (p > n ? 1 : p === n ? 0.5 : 0);
          const mean = (all: readonly number[]): number =>
            all.reduce((sum, one) => sum + one, 0) / all.length;
          const differences = [
            positives.map((p) => mean(negatives.map((n) => wins(p[1], n[1]) - wins(p[0], n[0])))),
            negatives.map((n) => mean(positives.map((p) => wins(p[1], n[1]) - wins(p[0], n[0])))),
          ];
          const variance = differences
            .map(
              (all) =>
                all.reduce((sum, one) => sum + (one - mean(all)) ** 2, 0) / (all.length - 1) / all.length,
            )
            .reduce((sum, one) => sum + one, 0);
          const test = delongTest(a, b);
          expect(test?.delta).toBeCloseTo(mean(differences[0] ?? []), 10);
          expect(test?.standardError).toBeCloseTo(Math.sqrt(variance), 6);
          expect(delongTest(a, a)).toMatchObject({ delta: 0, pValue: 1 });
        },
      ),
    );
  });
  it('without labels speaks of agreement and shift alone', () => {
    const data: Pair[] = [
      { label: 0, a: 1, b: 0, first: 0.9, second: 0.2 },
      { label: 1, a: 1, b: 1, first: 0.8, second: 0.1 },
    ];
    const result = compare(data, 1, false, 3);
    expect(result.labelled).toBe(false);
    expect(result.pairs[0]?.auc).toBeNull();
    expect(Object.keys(result.pairs[0]?.deltaIntervals ?? {})).toEqual(['positive_rate']);
    expect(result.pairs[0]?.agreement.disagreements).toBe(1);
    expect(result.pairs[0]?.scoreShift?.psi).toBeTypeOf('number');
  });
  it('the same seed gives the same intervals, and they hold the difference', () => {
    const random = createRandom(9);
    const data = Array.from({ length: 600 }, (): Pair => {
      const label = random.uniform() < 0.4 ? 1 : 0;
      const shared = random.normal();
      const first = shared + label;
      const second = -(shared + 2 * label + random.normal() / 2);
      return { label, a: first > 0.7 ? 1 : 0, b: second < -1 ? 1 : 0, first, second };
    });
    const [one, two] = [compare(data, 100, true, 4), compare(data, 100, true, 4)];
    expect(one).toEqual(two);
    const [champion, challenger] = one.models;
    for (const [name, { low, high }] of Object.entries(one.pairs[0]?.deltaIntervals ?? {})) {
      const delta =
        Number(challenger?.metrics[name as 'accuracy']) - Number(champion?.metrics[name as 'accuracy']);
      expect(low <= delta + 0.02 && delta - 0.02 <= high, name).toBe(true);
    }
    const { interval, pValue } = one.pairs[0]?.auc ?? {};
    const bootstrap = one.pairs[0]?.aucBootstrap;
    expect(pValue).toBeLessThan(0.01);
    // Two ways to one interval.
    expect(bootstrap?.low).toBeCloseTo(interval?.low ?? -1, 1.5);
    expect(bootstrap?.high).toBeCloseTo(interval?.high ?? -1, 1.5);
  });
});

describe('eight counts', () => {
  const table = fc.array(fc.nat(300), { minLength: 8, maxLength: 8 });
  it('swapping the models turns every interval round', () => {
    fc.assert(
      fc.property(table, (counts) => {
        const swapped = [0, 2, 1, 3, 4, 6, 5, 7].map((index) => counts[index] ?? 0);
        expect(confusionOf(swapped, 'first')).toEqual(confusionOf(counts, 'second'));
        const [a, b] = [agreementOf(counts), agreementOf(swapped)];
        expect([b.fixed, b.broken, b.mcnemar.pValue]).toEqual([a.broken, a.fixed, a.mcnemar.pValue]);
        const [there, back] = [decisionDeltaIntervals(counts), decisionDeltaIntervals(swapped)];
        for (const [name, { low, high }] of Object.entries(there)) {
          expect(back[name]?.low).toBeCloseTo(-high, 10);
          expect(back[name]?.high).toBeCloseTo(-low, 10);
        }
      }),
    );
  });
});

describe('models compared in another thread', () => {
  it('give the figures of models compared in this one, to the last digit', async () => {
    const random = createRandom(4);
    const batch = (): Parameters<ReturnType<typeof createComparison>['add']> => {
      const labels = Uint8Array.from({ length: 20_000 }, () => (random.uniform() < 0.3 ? 1 : 0));
      const scored = [0.2, 0.3, 0.1].map((gain) =>
        Float32Array.from(labels, (label) => random.uniform() * 0.7 + gain * label),
      );
      return [labels, scored.map((one) => Uint8Array.from(one, (value) => (value > 0.5 ? 1 : 0))), scored];
    };
    const batches = [batch(), batch()];
    const filled = () => {
      const comparison = createComparison({ models: [{}, {}, {}], random: createRandom(1) });
      for (const one of batches) comparison.add(...one);
      return comparison;
    };
    const buffers = new Set<unknown>();
    const beside = await filled().finishBeside(async (pair) => {
      for (const { ladder, negatives, positives, inOrder } of [pair.first, pair.second])
        for (const part of [ladder, negatives, positives, inOrder.negatives, inOrder.positives])
          buffers.add(part.buffer.constructor);
      // Only plain data gets through.
      return structuredClone(compareRanks(structuredClone(pair)));
    });
    expect(beside).toEqual(filled().finish());
    expect(beside.pairs.every(({ auc, aucBootstrap }) => auc !== null && aucBootstrap !== null)).toBe(true);
    expect(buffers).toEqual(new Set([SharedArrayBuffer]));
  });
});
