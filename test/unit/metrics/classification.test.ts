import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { createBinaryAccumulator, metricsOf } from '../../../shared/domain/metrics/classification.ts';
import { classificationMetricsSchema } from '../../../shared/domain/metrics/report.ts';

function measure(labels: number[], predicted: number[], scores: number[] | null, lowerIsPositive = false) {
  const accumulator = createBinaryAccumulator({ lowerIsPositive });
  accumulator.add(
    Uint8Array.from(labels),
    Uint8Array.from(predicted),
    scores === null ? null : Float64Array.from(scores),
  );
  return accumulator.finish();
}
function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SallyportError) return error.code;
    throw error;
  }
  return 'none';
}

describe('metrics of a binary detector', () => {
  it('are those computed by hand', () => {
    // tp 2, fn 1, fp 1, tn 2; positives score .9 .8 .3, negatives .7 .2 .1: 8 of 9 pairs in order.
    const { metrics } = measure([1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.2, 0.1]);
    expect(classificationMetricsSchema.parse(metrics)).toEqual(metrics);
    expect(metrics).toMatchObject({ rows: 6, positives: 3, confusion: { tn: 2, fp: 1, fn: 1, tp: 2 } });
    expect(metrics.accuracy).toBeCloseTo(4 / 6, 12);
    expect(metrics.balanced_accuracy).toBeCloseTo(2 / 3, 12);
    expect(metrics.precision).toBeCloseTo(2 / 3, 12);
    expect(metrics.recall).toBeCloseTo(2 / 3, 12);
    expect(metrics.f1).toBeCloseTo(2 / 3, 12);
    expect(metrics.mcc).toBeCloseTo(1 / 3, 12);
    expect(metrics.false_positive_rate).toBeCloseTo(1 / 3, 12);
    expect(metrics.roc_auc).toBeCloseTo(8 / 9, 12);
  });

  it('agree with scikit-learn on a published confusion matrix', () => {
    const metrics = metricsOf({ tn: 2128, fp: 54, fn: 1031, tp: 1787 }, null);
    expect(metrics.accuracy).toBeCloseTo(0.783, 9);
    expect(metrics.balanced_accuracy).toBeCloseTo(0.804694874, 9);
    expect(metrics.precision).toBeCloseTo(0.970668115, 9);
    expect(metrics.recall).toBeCloseTo(0.634137686, 9);
    expect(metrics.f1).toBeCloseTo(0.767117407, 9);
    expect(metrics.mcc).toBeCloseTo(0.626601319, 9);
  });

  it('stay exact at millions of rows', () => {
    const metrics = metricsOf({ tn: 20_000_000, fp: 5_000_000, fn: 5_000_000, tp: 20_000_000 }, null);
    expect(metrics.mcc).toBeCloseTo(0.6, 12);
  });

  it('are null where they are undefined, and 0 only where they are 0', () => {
    const onlyNegatives = measure([0, 0], [0, 0], [0.1, 0.2]).metrics;
    expect(onlyNegatives).toMatchObject({
      accuracy: 1,
      balanced_accuracy: null,
      precision: null,
      recall: null,
      f1: null,
      mcc: null,
      roc_auc: null,
      false_positive_rate: 0,
    });
    const onlyPositives = measure([1, 1], [0, 0], [0.1, 0.2]).metrics;
    expect(onlyPositives).toMatchObject({
      accuracy: 0,
      precision: null,
      recall: 0,
      f1: 0,
      roc_auc: null,
      false_positive_rate: null,
    });
    const nothing = createBinaryAccumulator().finish();
    expect(nothing.metrics).toMatchObject({ rows: 0, accuracy: null, roc_auc: null });
    expect(nothing).toMatchObject({ roc: [], precisionRecall: [], histogram: null });
  });

  it('do without scores', () => {
    const result = measure([1, 0], [1, 1], null);
    expect(result.metrics).toMatchObject({ accuracy: 0.5, roc_auc: null });
    expect(result).toMatchObject({ roc: [], precisionRecall: [], histogram: null });
  });

  it('count ties one half', () => {
    expect(measure([1, 0, 1, 0], [1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]).metrics.roc_auc).toBe(0.5);
    expect(measure([1, 0], [1, 1], [-0, 0]).metrics.roc_auc).toBe(0.5);
  });

  it("read an anomaly detector's scores turned round, and its histogram as it is", () => {
    const result = measure([1, 1, 0, 0], [1, 1, 0, 0], [-0.9, -0.5, 0.1, 0.4], true);
    expect(result.metrics.roc_auc).toBe(1);
    expect(result.histogram).toMatchObject({ min: -0.9, max: 0.4 });
    expect(result.histogram?.positive[0]).toBe(1);
    expect(result.histogram?.negative[19]).toBe(1);
  });
});

describe('curves and histogram', () => {
  it('run from corner to corner', () => {
    const { roc, precisionRecall } = measure([1, 1, 0, 0], [1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1]);
    expect(roc).toEqual([
      { x: 0, y: 0 },
      { x: 0, y: 0.5 },
      { x: 0.5, y: 0.5 },
      { x: 0.5, y: 1 },
      { x: 1, y: 1 },
    ]);
    expect(precisionRecall).toEqual([
      { x: 0, y: 1 },
      { x: 0.5, y: 1 },
      { x: 1, y: 2 / 3 },
    ]);
  });

  it('put each score in one of 20 bins', () => {
    const { histogram } = measure([0, 0, 1, 1], [0, 0, 1, 1], [0, 0.04, 0.96, 1]);
    expect(histogram).toMatchObject({ min: 0, max: 1 });
    expect(histogram?.negative).toHaveLength(20);
    expect(histogram?.negative[0]).toBe(2);
    expect(histogram?.positive[19]).toBe(2);
    expect(measure([0, 1], [0, 1], [3, 3]).histogram).toMatchObject({ min: 3, max: 3 });
    expect(measure([0, 1], [0, 1], [-Number.MAX_VALUE, Number.MAX_VALUE]).histogram?.positive[19]).toBe(1);
  });
});

describe('bad batches', () => {
  const one = Uint8Array.of(1);
  it('are refused and leave nothing behind', () => {
    const accumulator = createBinaryAccumulator({ maxRows: 3 });
    accumulator.add(Uint8Array.of(1, 0), Uint8Array.of(1, 0), Float32Array.of(0.9, 0.1));
    expect(codeOf(() => accumulator.add(one, Uint8Array.of(1, 0), Float32Array.of(1)))).toBe('input.invalid');
    expect(codeOf(() => accumulator.add(one, one, Float32Array.of(1, 2)))).toBe('input.invalid');
    expect(codeOf(() => accumulator.add(one, one, null))).toBe('input.invalid');
    expect(codeOf(() => accumulator.add(Uint8Array.of(2), one, Float32Array.of(1)))).toBe('input.invalid');
    expect(codeOf(() => accumulator.add(one, one, Float32Array.of(Number.NaN)))).toBe('model.unmappable');
    expect(
      codeOf(() => accumulator.add(Uint8Array.of(1, 1), Uint8Array.of(1, 1), Float32Array.of(1, 1))),
    ).toBe('dataset.invalid');
    expect(accumulator.rows).toBe(2);
    expect(accumulator.finish().metrics).toMatchObject({ rows: 2, accuracy: 1, roc_auc: 1 });
  });

  it('name the row', () => {
    const accumulator = createBinaryAccumulator();
    accumulator.add(Uint8Array.of(1, 0), Uint8Array.of(1, 0), Float32Array.of(0.9, 0.1));
    expect(() =>
      accumulator.add(
        Uint8Array.of(1, 0),
        Uint8Array.of(1, 0),
        Float32Array.of(0.5, Number.POSITIVE_INFINITY),
      ),
    ).toThrow('row 4');
  });

  it('finishing empties it', () => {
    const accumulator = createBinaryAccumulator();
    accumulator.add(one, one, null);
    accumulator.finish();
    expect(accumulator.rows).toBe(0);
    expect(codeOf(() => accumulator.add(one, one, Float32Array.of(1)))).toBe('none');
    expect(accumulator.finish().metrics.rows).toBe(1);
  });
});
