import { describe, expect, it } from 'vitest';
import { createCalibration } from '../../../shared/domain/metrics/calibration.ts';
import { createBinaryAccumulator } from '../../../shared/domain/metrics/classification.ts';
import { createComparison } from '../../../shared/domain/metrics/comparison.ts';
import {
  detectionFigures,
  detectionFiguresSchema,
  figuresByName,
  intervalsByName,
} from '../../../shared/domain/metrics/detection.ts';
import { createMultiClass, multiClassFiguresSchema } from '../../../shared/domain/metrics/multi-class.ts';
import { createRegression, regressionFiguresSchema } from '../../../shared/domain/metrics/regression.ts';
import type { Confusion } from '../../../shared/domain/metrics/report.ts';
import { createScoreSummary, scoreSummarySchema } from '../../../shared/domain/metrics/score-summary.ts';
import { createRandom } from '../../../shared/domain/statistics/random.ts';

/** `positives` and `negatives` are scores; at 0.5 and above a row is flagged. */
function measure(
  negatives: readonly number[],
  positives: readonly number[],
  options: Parameters<typeof createBinaryAccumulator>[0] = {},
) {
  const scores = [...negatives, ...positives];
  const accumulator = createBinaryAccumulator(options);
  accumulator.add(
    Uint8Array.from(scores, (_, at) => (at < negatives.length ? 0 : 1)),
    Uint8Array.from(scores, (score) => (score >= 0.5 ? 1 : 0)),
    Float64Array.from(scores),
  );
  return accumulator.finish();
}

/** No NaN or infinity anywhere in a result. */
function isClean(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value !== 'object' || Object.values(value).every(isClean);
}

describe('figures that are undefined', () => {
  it.each([
    ['no rows', [], []],
    ['no positives', [0.1, 0.7], []],
    ['no negatives', [], [0.1, 0.7]],
    ['one row of each', [0.2], [0.9]],
    ['all scores alike', [0.5, 0.5], [0.5, 0.5]],
  ])('%s: null with a reason, never NaN, and a report can be made', (_, negatives, positives) => {
    const { figures } = measure(negatives, positives, { random: createRandom(1), decisionThreshold: 0.5 });
    expect(isClean(figures)).toBe(true);
    expect(detectionFiguresSchema.safeParse(figures).success).toBe(true);
    for (const [name, { value, reason }] of Object.entries(figuresByName(figures)))
      expect((value === null) === (reason !== null), name).toBe(true);
  });
  it('says why', () => {
    const { figures } = measure([0.1, 0.7], []);
    expect(figures.recall.reason).toBe('there are no positives');
    expect(figures.roc_auc.reason).toBe('a class is missing');
    expect(measure([3], [4]).figures.brier.reason).toBe('the scores are no probabilities');
    const unscored: Confusion = { tn: 1, fp: 0, fn: 0, tp: 1 };
    expect(detectionFigures(unscored, null).roc_auc.reason).toBe('the model has no score output');
    expect(detectionFigures(unscored, null).scores).toBeNull();
  });
});

describe('intervals', () => {
  const random = createRandom(2);
  const draw = (rows: number, by: number): number[] =>
    Array.from({ length: rows }, () => 1 / (1 + Math.exp(-random.normal() - by)));
  const result = measure(draw(3000, -1), draw(1000, 1), { random: createRandom(3) });

  it('are given for every figure, hold it, and are listed by the names of reports', () => {
    const intervals = intervalsByName(result.figures);
    expect(Object.keys(intervals).sort()).toEqual(Object.keys(figuresByName(result.figures)).sort());
    for (const [name, { value }] of Object.entries(figuresByName(result.figures))) {
      const { low, high } = intervals[name] ?? { low: 1, high: 0 };
      expect(low < (value ?? 2) && (value ?? -1) < high, `${name} ${low} ${value} ${high}`).toBe(true);
    }
  });
  it('that need resampling are left out without randomness', () => {
    const names = Object.keys(intervalsByName(measure([0.1, 0.6], [0.4, 0.9]).figures));
    expect(names).toContain('accuracy');
    for (const name of ['mcc', 'pr_auc', 'ece', 'tpr_at_fpr_0_01']) expect(names).not.toContain(name);
  });
  it('do not call a detector perfect that was seen on a few rows', () => {
    const { figures } = measure([0.1, 0.2, 0.3], [0.8, 0.9], { random: createRandom(4) });
    for (const name of ['accuracy', 'recall', 'f1', 'mcc', 'roc_auc', 'tpr_at_fpr_0_01', 'balanced_accuracy'])
      expect(intervalsByName(figures)[name]?.low ?? 1, name).toBeLessThan(0.85);
  });
  it('hold the true value about as often as they say', () => {
    // Scores of two normal classes one deviation apart: the true area is Φ(1/√2).
    const truth = 0.7602499389065234;
    const source = createRandom(5);
    const runs = 400;
    let held = 0;
    for (let run = 0; run < runs; run += 1) {
      const normal = (by: number) => Array.from({ length: 60 }, () => source.normal() + by);
      const interval = measure(normal(0), normal(1)).figures.roc_auc.interval;
      if (interval && interval.low <= truth && truth <= interval.high) held += 1;
    }
    expect(held / runs).toBeGreaterThan(0.92);
    expect(held / runs).toBeLessThan(0.985);
  });
});

describe('detection at a false-alarm rate', () => {
  it('says where there are too few negatives to tell', () => {
    const few = measure([0.1, 0.2], [0.9]).figures.detectionRates;
    expect(few.map(({ resolved }) => resolved)).toEqual([false, false]);
    expect(few[0]).toMatchObject({ limit: 0.001, falsePositiveRate: 0, threshold: 0.9 });
  });
  it('is nothing where every threshold breaks the limit', () => {
    const [strict] = measure([0.9, 0.1], [0.9, 0.2]).figures.detectionRates;
    expect(strict).toMatchObject({ threshold: null, detectionRate: { value: 0 } });
  });
  it('names thresholds in the scale of a model whose lower scores are worse', () => {
    const { figures } = measure([0.9, 0.8], [0.1, 0.2], { lowerIsPositive: true, decisionThreshold: 0.3 });
    expect(figures.detectionRates[0]).toMatchObject({ threshold: 0.2, detectionRate: { value: 1 } });
    expect(figures.sweep.find(({ decision }) => decision)).toMatchObject({ threshold: 0.3, recall: 1 });
    // 0.1 is the probability of being benign: of being malicious it is 0.9.
    expect(figures.brier.value).toBeCloseTo((0.01 + 0.04 + 0.01 + 0.04) / 4, 12);
    expect(figures.scores?.quantiles.at(0)).toEqual({ q: 0, value: 0.1 });
    expect(figures.scores?.quantiles.at(-1)).toEqual({ q: 1, value: 0.9 });
  });
});

describe('calibration', () => {
  it('of a model that says what happens is zero', () => {
    const calibration = createCalibration();
    calibration.add(Uint8Array.of(1, 0, 0, 0), [0.25, 0.25, 0.25, 0.25]);
    expect(calibration.result()).toMatchObject({ ece: { value: 0 }, maximumError: 0 });
    expect(calibration.result().bins).toHaveLength(1);
  });
});

describe('log loss', () => {
  it('keeps probabilities off zero by what their precision can tell', () => {
    const loss = (scores: Float32Array | Float64Array, options = {}) => {
      const accumulator = createBinaryAccumulator(options);
      accumulator.add(Uint8Array.of(1), Uint8Array.of(0), scores);
      return accumulator.finish().metrics.log_loss;
    };
    expect(loss(Float32Array.of(0))).toBeCloseTo(-Math.log(1e-7), 12);
    expect(loss(Float64Array.of(0))).toBeCloseTo(52 * Math.LN2, 12);
    expect(loss(Float32Array.of(0), { probabilityFloor: 1e-3 })).toBeCloseTo(-Math.log(1e-3), 12);
  });
});

describe('scores without labels', () => {
  it('are summed up, and may go on', () => {
    const summary = createScoreSummary();
    summary.add(Float32Array.of(1, 2, 3), Uint8Array.of(0, 0, 1));
    expect(summary.result()).toMatchObject({ rows: 3, mean: 2, anomalyRate: { value: 1 / 3, rows: 3 } });
    summary.add(Float32Array.of(4), Uint8Array.of(1));
    const result = summary.result();
    expect(scoreSummarySchema.parse(result)).toMatchObject({ rows: 4, mean: 2.5, isConstant: false });
    expect(() => summary.add(Float32Array.of(Number.NaN), null)).toThrow(/not a finite number/);
  });
  it('none is no summary of something', () => {
    expect(createScoreSummary().result()).toMatchObject({ rows: 0, mean: null, quantiles: [] });
  });
});

describe('regression', () => {
  it('has no R² where the target is constant, and no figure without rows', () => {
    const constant = createRegression({ random: createRandom(1) });
    constant.add([5, 5, 5], [4, 5, 6]);
    expect(constant.result()).toMatchObject({
      mae: { value: 2 / 3 },
      r2: { value: null, reason: 'the target is constant' },
      bias: 0,
    });
    const empty = createRegression({ random: createRandom(1) }).result();
    expect(isClean(empty)).toBe(true);
    expect(regressionFiguresSchema.parse(empty).rmse.reason).toBe('there are no rows');
  });
  it('has intervals that hold its figures', () => {
    const random = createRandom(8);
    const targets = Array.from({ length: 2000 }, () => random.normal() * 3);
    const accumulator = createRegression({ random });
    accumulator.add(
      targets,
      targets.map((target) => target + random.normal()),
    );
    const { mae, rmse, r2 } = accumulator.result();
    for (const { value, interval } of [mae, rmse, r2])
      expect((interval?.low ?? 9) < (value ?? 0) && (value ?? 0) < (interval?.high ?? 0)).toBe(true);
  });
  it('refuses what is no number and uneven batches', () => {
    expect(() => createRegression().add([1], [Number.NaN])).toThrow(/Row 1/);
    expect(() => createRegression().add([1, 2], [1])).toThrow(/as many/);
  });
});

describe('many classes', () => {
  it('without rows are null, and codes outside of the classes are refused', () => {
    const accumulator = createMultiClass(['a', 'b']);
    const empty = accumulator.result();
    expect(isClean(empty)).toBe(true);
    expect(multiClassFiguresSchema.parse(empty)).toMatchObject({ mcc: null, macro: null });
    expect(() => accumulator.add([2], [0])).toThrow(/none of the 2/);
    expect(() => createMultiClass(['a'])).toThrow(/2 to 200/);
  });
});

describe('a comparison refuses', () => {
  const two = () => createComparison({ models: [{}, {}], maxRows: 2 });
  const bits = Uint8Array.of(1, 0);
  const scores = Float64Array.of(0.2, 0.4);
  it('arrays of other lengths, other numbers of models, and values that are none', () => {
    expect(() => two().add(bits, [bits], [scores])).toThrow(/2 models/);
    expect(() => two().add(Uint8Array.of(1), [bits, bits], [null, null])).toThrow(/arrays of/);
    expect(() => two().add(Uint8Array.of(1, 2), [bits, bits], [null, null])).toThrow(/Row 2: a class/);
    expect(() => two().add(bits, [bits, bits], [scores, Float64Array.of(1, Number.NaN)])).toThrow(
      /model 2 for row 2/,
    );
    expect(() => createComparison({ models: [{}] })).toThrow(/two models/);
  });
  it('labels or scores now and then, and too many rows; what was counted stays', () => {
    const comparison = two();
    comparison.add(bits, [bits, bits], [scores, null]);
    expect(() => comparison.add(null, [bits, bits], [scores, null])).toThrow(/others have none/);
    expect(() => comparison.add(bits, [bits, bits], [scores, null])).toThrow(/more than 2 rows/);
    const result = comparison.finish();
    expect(result.rows).toBe(2);
    expect(result.pairs[0]?.scoreShift).toBeNull();
    expect(result.models[0]?.figures.roc_auc.value).toBe(0);
    expect(comparison.rows).toBe(0);
  });
});
