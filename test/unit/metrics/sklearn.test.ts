/** The numbers of scikit-learn, recorded with their versions in the fixture, to 1e-9. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { averagePrecisionOf } from '../../../shared/domain/metrics/average-precision.ts';
import { createCalibration, equalMassEdges } from '../../../shared/domain/metrics/calibration.ts';
import { createBinaryAccumulator } from '../../../shared/domain/metrics/classification.ts';
import { delongTest } from '../../../shared/domain/metrics/delong.ts';
import { operatingPoints } from '../../../shared/domain/metrics/detection-rate.ts';
import { createMultiClass } from '../../../shared/domain/metrics/multi-class.ts';
import { createRegression } from '../../../shared/domain/metrics/regression.ts';
import { aucWithVariance } from '../../../shared/domain/metrics/roc-auc.ts';
import { PairMoments, scoreDistances, scoreShift } from '../../../shared/domain/metrics/score-shift.ts';
import { sortedScores } from '../../../shared/domain/metrics/sorted-scores.ts';
import { binOf, fitIsotonic, isotonicCuts } from '../../../shared/domain/statistics/isotonic.ts';

interface BinaryCase {
  readonly name: string;
  readonly labels: number[];
  readonly scores: number[];
  readonly bins: number[][];
  readonly bins_mass: number[][];
  readonly curve: number[][];
  readonly confusion: number[];
  readonly isotonic: number[];
  readonly quantiles: number[];
  readonly [metric: string]: unknown;
}
interface Recorded {
  readonly binary: readonly BinaryCase[];
  readonly multi: {
    readonly labels: number[];
    readonly predicted: number[];
    readonly classes: number;
    readonly matrix: number[][];
    readonly precision: number[];
    readonly recall: number[];
    readonly f1: number[];
    readonly macro: number[];
    readonly weighted: number[];
    readonly accuracy: number;
    readonly balanced_accuracy: number;
    readonly mcc: number;
    readonly kappa: number;
  };
  readonly regression: Record<string, number> & {
    readonly targets: number[];
    readonly predictions: number[];
  };
  readonly paired: {
    readonly labels: number[];
    readonly first: number[];
    readonly second: number[];
    readonly delta: number;
    readonly se: number;
    readonly p: number;
    readonly correlation: number;
    readonly ks: number;
    readonly wasserstein: number;
  };
}
const recorded = JSON.parse(
  readFileSync(new URL('../../fixtures/metrics/sklearn.json', import.meta.url), 'utf8'),
) as Recorded;

function near(actual: number | null | undefined, expected: unknown): void {
  expect(actual).toBeTypeOf('number');
  expect(Math.abs((actual ?? 0) - Number(expected))).toBeLessThanOrEqual(1e-9);
}
const nearAll = (actual: readonly (number | null)[], expected: readonly number[] | undefined): void => {
  expect(actual).toHaveLength(expected?.length ?? -1);
  for (const [at, value] of actual.entries()) near(value, expected?.[at]);
};
const ofClass = (labels: readonly number[], scores: readonly number[], label: number): Float64Array =>
  Float64Array.from(scores.filter((_, row) => labels[row] === label));

describe.each(recorded.binary)('$name', (one) => {
  const { labels, scores } = one;
  const accumulator = createBinaryAccumulator({ limits: [0.001, 0.01, 0.1] });
  // In batches of 7: nothing may depend on them.
  for (let at = 0; at < labels.length; at += 7)
    accumulator.add(
      Uint8Array.from(labels.slice(at, at + 7)),
      Uint8Array.from(scores.slice(at, at + 7), (score) => (score >= 0.5 ? 1 : 0)),
      Float64Array.from(scores.slice(at, at + 7)),
    );
  const { figures, metrics, isotonic } = accumulator.finish();
  const negatives = ofClass(labels, scores, 0).sort();
  const positives = ofClass(labels, scores, 1).sort();
  const ranked = sortedScores(negatives, positives);

  it.each([
    'accuracy',
    'balanced_accuracy',
    'precision',
    'recall',
    'f1',
    'mcc',
    'roc_auc',
    'average_precision',
    'log_loss',
    'brier',
    'ece',
  ] as const)('%s', (metric) => near(figures[metric].value, one[metric]));
  it('says the same under the names of reports', () => {
    near(metrics.pr_auc, one.average_precision);
    near(metrics.log_loss, one.log_loss);
    near(metrics.brier, one.brier);
    near(metrics.ece, one.ece);
    near(metrics.tpr_at_fpr_0_01, one.tpr_01);
    near(metrics.tpr_at_fpr_0_001, one.tpr_001);
    expect(Object.values(metrics.confusion)).toEqual(one.confusion);
  });
  it('detection at fixed false-alarm rates', () => {
    nearAll(
      figures.detectionRates.map(({ detectionRate }) => detectionRate.value),
      [one.tpr_001, one.tpr_01, one.tpr_10] as number[],
    );
    const [at] = operatingPoints(ranked, [0.1]);
    expect((at?.falsePositives ?? 0) / negatives.length).toBeLessThanOrEqual(0.1);
  });
  it('the reliability curve, of equal width', () => {
    const bins = figures.calibration?.bins ?? [];
    nearAll(
      bins.map(({ confidence }) => confidence),
      one.curve[0],
    );
    nearAll(
      bins.map(({ frequency }) => frequency),
      one.curve[1],
    );
    expect(bins.map(({ rows }) => rows)).toEqual(one.bins.map(([rows]) => rows));
  });
  it('the reliability curve, of equal mass', () => {
    const calibration = createCalibration({ edges: equalMassEdges(Float64Array.from(scores).sort()) });
    calibration.add(Uint8Array.from(labels), scores);
    const { ece, bins } = calibration.result();
    near(ece.value, one.ece_mass);
    expect(bins.map(({ rows }) => rows)).toEqual(one.bins_mass.map(([rows]) => rows));
    nearAll(
      bins.map(({ frequency }) => frequency),
      one.bins_mass.map(([, , observed]) => observed ?? 0),
    );
  });
  it("DeLong's variance, as by looking at every pair", () => {
    near(aucWithVariance(ranked)?.variance, one.auc_variance);
  });
  it('isotonic regression', () => {
    const steps = fitIsotonic(negatives, positives) ?? [];
    expect(isotonic).toEqual(steps);
    const cuts = isotonicCuts(steps);
    nearAll(
      scores.map((score) => steps[binOf(cuts, score)]?.value ?? Number.NaN),
      one.isotonic,
    );
  });
  it('quantiles, mean and deviation of the scores', () => {
    nearAll(figures.scores?.quantiles.map(({ value }) => value) ?? [], one.quantiles);
    near(figures.scores?.mean, one.mean);
    near(figures.scores?.standardDeviation, one.std);
  });
  it('average precision from the sorted scores alone', () =>
    near(averagePrecisionOf(ranked), one.average_precision));
});

it('many classes', () => {
  const { multi } = recorded;
  const accumulator = createMultiClass(['a', 'b', 'c', 'd', 'e']);
  accumulator.add(multi.labels.slice(0, 40), multi.predicted.slice(0, 40));
  accumulator.add(multi.labels.slice(40), multi.predicted.slice(40));
  const result = accumulator.result();
  expect(result.matrix).toEqual(multi.matrix);
  near(result.accuracy.value, multi.accuracy);
  near(result.balancedAccuracy, multi.balanced_accuracy);
  near(result.mcc, multi.mcc);
  near(result.kappa, multi.kappa);
  nearAll(
    result.perClass.map(({ precision }) => precision.value ?? 0),
    multi.precision,
  );
  nearAll(
    result.perClass.map(({ recall }) => recall.value ?? 0),
    multi.recall,
  );
  nearAll(
    result.perClass.map(({ f1 }) => f1 ?? 0),
    multi.f1,
  );
  nearAll(Object.values(result.macro ?? {}), multi.macro);
  nearAll(Object.values(result.weighted ?? {}), multi.weighted);
});

it('regression, far from zero', () => {
  const { targets, predictions, ...expected } = recorded.regression;
  const accumulator = createRegression();
  accumulator.add(targets.slice(0, 50), predictions.slice(0, 50));
  expect(accumulator.result().rows).toBe(50);
  accumulator.add(targets.slice(50), predictions.slice(50));
  const result = accumulator.result();
  near(result.mae.value, expected.mae);
  near(result.rmse.value, expected.rmse);
  near(result.r2.value, expected.r2);
  near(result.maxError.value, expected.max_error);
  near(result.medianAbsoluteError.value, expected.median_absolute_error);
});

it("DeLong's test of two areas on the same rows, and the shift of scores", () => {
  const { labels, first, second, ...expected } = recorded.paired;
  const scores = (of: readonly number[]) => {
    const [negatives, positives] = [ofClass(labels, of, 0), ofClass(labels, of, 1)];
    return {
      ...sortedScores(negatives.toSorted(), positives.toSorted()),
      inOrder: { negatives, positives },
    };
  };
  const [a, b] = [scores(first), scores(second)];
  const test = delongTest(a, b);
  near(test?.delta, expected.delta);
  near(test?.standardError, expected.se);
  near(test?.pValue, expected.p);
  const moments = new PairMoments();
  for (const [row, score] of first.entries()) moments.add(score, second[row] ?? 0);
  const shift = scoreShift(scoreDistances(a, b), moments);
  near(shift.correlation, expected.correlation);
  near(shift.ks, expected.ks);
  near(shift.wasserstein, expected.wasserstein);
});
