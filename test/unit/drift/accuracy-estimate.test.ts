import { describe, expect, it } from 'vitest';
import {
  accuracyEstimateSchema,
  createAccuracyEstimator,
  estimatedAccuracyOf,
} from '../../../shared/domain/drift/accuracy-estimate.ts';
import { createBinaryAccumulator } from '../../../shared/domain/metrics/classification.ts';
import { fitIsotonic } from '../../../shared/domain/statistics/isotonic.ts';
import { createRandom, type Random } from '../../../shared/domain/statistics/random.ts';

/** A well-behaved detector: the truth is drawn from the chance its score stands for; `mix` moves the scores. */
function rowsOf(random: Random, rows: number, mix: number) {
  const chances = Float64Array.from({ length: rows }, () => random.uniform() ** mix);
  return {
    labels: Uint8Array.from(chances, (chance) => (random.uniform() < chance ? 1 : 0)),
    // Not calibrated: the estimate has to learn what a score means.
    scores: Float64Array.from(chances, (chance) => chance ** 3),
    predicted: Uint8Array.from(chances, (chance) => (chance >= 0.5 ? 1 : 0)),
  };
}
const byClass = ({ labels, scores }: ReturnType<typeof rowsOf>, label: number): Float64Array =>
  scores.filter((_, row) => labels[row] === label).sort();

describe('accuracy without labels', () => {
  const random = createRandom(1);
  const reference = rowsOf(random, 20_000, 1);
  const calibration = fitIsotonic(byClass(reference, 0), byClass(reference, 1)) ?? [];
  const live = rowsOf(random, 5000, 2);
  const estimator = createAccuracyEstimator(calibration);
  for (let at = 0; at < 5000; at += 700)
    estimator.add(live.scores.subarray(at, at + 700), live.predicted.subarray(at, at + 700));
  const estimate = estimator.result(createRandom(2));
  const measured = createBinaryAccumulator();
  measured.add(live.labels, live.predicted, live.scores);
  const { metrics } = measured.finish();

  it('is marked as an estimate and has the form it travels in', () => {
    expect(estimate?.estimate).toBe(true);
    expect(accuracyEstimateSchema.safeParse(estimate).success).toBe(true);
    expect(estimate?.rows).toBe(5000);
    expect(estimatedAccuracyOf(estimate)).toMatchObject({ estimate: true, value: estimate?.accuracy.value });
    expect(estimatedAccuracyOf(null)).toBeNull();
  });
  it.each(['accuracy', 'precision', 'recall', 'f1', 'false_positive_rate', 'roc_auc'] as const)(
    'comes near the %s that labels show, though the scores have moved, and its interval holds it',
    (metric) => {
      const { value, interval } = estimate?.[metric] ?? { value: -1, interval: null };
      expect(Math.abs(value - (metrics[metric] ?? 9))).toBeLessThan(0.03);
      expect(interval?.low).toBeLessThan(metrics[metric] ?? -1);
      expect(interval?.high).toBeGreaterThan(metrics[metric] ?? 9);
    },
  );
  it('holds the truth about as often as it says', () => {
    let held = 0;
    for (let run = 0; run < 60; run += 1) {
      const rows = rowsOf(random, 500, 1.5);
      const one = createAccuracyEstimator(calibration);
      one.add(rows.scores, rows.predicted);
      const interval = one.result(createRandom(run))?.accuracy.interval;
      const right = rows.labels.reduce((sum, label, row) => sum + (label === rows.predicted[row] ? 1 : 0), 0);
      if (interval && interval.low <= right / 500 && right / 500 <= interval.high) held += 1;
    }
    expect(held).toBeGreaterThanOrEqual(52);
  });
  it('reads a model turned round the same', () => {
    const turned = createAccuracyEstimator(calibration, { lowerIsPositive: true });
    turned.add(
      live.scores.map((score) => -score),
      live.predicted,
    );
    expect(turned.result()?.accuracy.value).toBe(estimate?.accuracy.value);
    expect(turned.result()?.accuracy.interval).toBeNull();
  });
  it('is none without rows, and no recall where nothing can be positive', () => {
    expect(createAccuracyEstimator(calibration).result()).toBeNull();
    const never = createAccuracyEstimator([{ from: 0, to: 1, value: 0, rows: 10 }]);
    never.add([0.5], Uint8Array.of(0));
    expect(never.result()).toMatchObject({ accuracy: { value: 1 }, recall: null, roc_auc: null });
  });
});
