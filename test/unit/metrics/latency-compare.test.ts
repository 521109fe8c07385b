import { describe, expect, it } from 'vitest';
import { createBinaryAccumulator } from '../../../shared/domain/metrics/classification.ts';
import { compareMetrics, METRIC_NAMES, regressionOf } from '../../../shared/domain/metrics/compare.ts';
import { latencyOf, percentile } from '../../../shared/domain/metrics/latency.ts';
import {
  classificationMetricsSchema,
  comparisonReportSchema,
  latencySchema,
} from '../../../shared/domain/metrics/report.ts';

describe('latency percentiles', () => {
  it('are nearest ranks: values that were measured', () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(latencyOf(samples)).toEqual({ p50: 50, p95: 95, p99: 99, samples: 100 });
    expect(samples[0]).toBe(100);
    expect(latencySchema.parse(latencyOf([7]))).toEqual({ p50: 7, p95: 7, p99: 7, samples: 1 });
  });

  it('are not pushed up a rank by rounding', () => {
    const twenty = Array.from({ length: 20 }, (_, index) => index + 1);
    expect(percentile(twenty, 95)).toBe(19);
    expect(percentile(twenty, 55)).toBe(11);
    expect(percentile(twenty, 0)).toBe(1);
    expect(percentile(twenty, 100)).toBe(20);
  });

  it('are not made up', () => {
    expect(() => latencyOf([])).toThrow('no measurements');
    expect(() => latencyOf([1, Number.NaN])).toThrow('NaN');
    expect(() => latencyOf([-1])).toThrow('-1');
  });
});

describe('comparing champion and challenger', () => {
  function measure(predicted: number[]) {
    const accumulator = createBinaryAccumulator();
    accumulator.add(Uint8Array.of(1, 1, 0, 0), Uint8Array.from(predicted), null);
    return accumulator.finish().metrics;
  }

  it('gives challenger minus champion, null where either is undefined', () => {
    const deltas = compareMetrics(measure([1, 0, 1, 0]), measure([1, 1, 0, 0]));
    expect(comparisonReportSchema.shape.deltas.parse(deltas)).toEqual(deltas);
    expect(deltas.find((row) => row.metric === 'accuracy')).toEqual({
      metric: 'accuracy',
      champion: 0.5,
      challenger: 1,
      delta: 0.5,
    });
    expect(deltas.find((row) => row.metric === 'false_positive_rate')?.delta).toBe(-0.5);
    expect(deltas.find((row) => row.metric === 'roc_auc')).toEqual({
      metric: 'roc_auc',
      champion: null,
      challenger: null,
      delta: null,
    });
    // Those a detector has: nothing of regression, files or drift.
    expect(deltas.map(({ metric }) => metric)).toEqual(
      METRIC_NAMES.filter((metric) => metric in classificationMetricsSchema.shape),
    );
    expect(deltas).toHaveLength(15);
  });

  it('has latency rows where both were measured', () => {
    const deltas = compareMetrics(measure([1, 0, 1, 0]), measure([1, 1, 0, 0]), {
      champion: latencyOf([1]),
      challenger: latencyOf([3]),
    });
    expect(deltas.find((row) => row.metric === 'latency_p95_ms')).toEqual({
      metric: 'latency_p95_ms',
      champion: 1,
      challenger: 3,
      delta: 2,
    });
  });

  it('knows which direction is worse', () => {
    expect(regressionOf('f1', 0.8, 0.9)).toBeCloseTo(0.1);
    expect(regressionOf('false_positive_rate', 0.2, 0.1)).toBeCloseTo(0.1);
    expect(regressionOf('latency_p99_ms', 5, 10)).toBe(-5);
  });
});
