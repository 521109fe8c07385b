import { z } from 'zod';
import type { DriftReport } from '../evidence/drift.ts';
import { intervalSchema } from '../evidence/interval.ts';
import { accuracyOf } from '../metrics/accuracy.ts';
import { binFigures, emptyFigures, REPLICATES } from '../metrics/bootstrap.ts';
import { f1Of } from '../metrics/f1.ts';
import { falsePositiveRateOf } from '../metrics/false-positive-rate.ts';
import { precisionOf } from '../metrics/precision.ts';
import { recallOf } from '../metrics/recall.ts';
import { percentileInterval } from '../statistics/interval.ts';
import { binOf, type Isotonic, isotonicCuts } from '../statistics/isotonic.ts';
import type { Random } from '../statistics/random.ts';

const estimateSchema = z.object({ value: z.number(), interval: intervalSchema.nullable() });

/** What a model's quality probably is on rows without labels. Never to be shown as measured. */
export const accuracyEstimateSchema = z.object({
  estimate: z.literal(true),
  rows: z.number().int(),
  accuracy: estimateSchema,
  precision: estimateSchema.nullable(),
  recall: estimateSchema.nullable(),
  f1: estimateSchema.nullable(),
  false_positive_rate: estimateSchema.nullable(),
  roc_auc: estimateSchema.nullable(),
});
export type AccuracyEstimate = z.infer<typeof accuracyEstimateSchema>;

export interface AccuracyEstimator {
  readonly rows: number;
  /** Scores in the model's own scale (finite) and its decisions. */
  add(scores: ArrayLike<number>, predicted: Uint8Array): void;
  /** null where there are no rows. */
  result(random?: Random, level?: number): AccuracyEstimate | null;
}

type Sums = readonly [flagged: Float64Array, passed: Float64Array];

/**
 * Confidence-based performance estimation, as NannyML does it: a calibrated probability is the chance that a flagged
 * row is rightly flagged, so expected hits and misses add up without any label. Holds while the relation of score to
 * truth holds; a change of that (concept drift) is not seen. Streaming: two counts a calibration step.
 */
export function createAccuracyEstimator(
  calibration: Isotonic,
  { lowerIsPositive = false }: { readonly lowerIsPositive?: boolean } = {},
): AccuracyEstimator {
  const cuts = isotonicCuts(calibration);
  const sign = lowerIsPositive ? -1 : 1;
  const flagged = new Float64Array(calibration.length);
  const passed = new Float64Array(calibration.length);
  let rows = 0;

  return {
    get rows() {
      return rows;
    },
    add(scores, predicted) {
      for (let row = 0; row < predicted.length; row += 1) {
        const step = binOf(cuts, (scores[row] ?? 0) * sign);
        const counts = predicted[row] === 1 ? flagged : passed;
        counts[step] = (counts[step] ?? 0) + 1;
      }
      rows += predicted.length;
    },
    result(random, level) {
      if (rows === 0) return null;
      const counts = [flagged, passed] as const;
      const values = metricsAt(counts, expected(counts, calibration));
      const replicates = values.map(() => new Float64Array(REPLICATES));
      if (random !== undefined)
        for (let at = 0; at < REPLICATES; at += 1)
          for (const [index, value] of metricsAt(counts, drawn(counts, calibration, random)).entries()) {
            const of = replicates[index];
            if (of !== undefined) of[at] = value;
          }
      const [accuracy, precision, recall, f1, falsePositiveRate, rocAuc] = values.map((value, index) => {
        const of = replicates[index];
        const interval = random && of ? percentileInterval(of, 0, level) : null;
        return Number.isNaN(value) ? null : { value, interval };
      });
      return {
        estimate: true,
        rows,
        accuracy: accuracy ?? { value: 0, interval: null },
        precision: precision ?? null,
        recall: recall ?? null,
        f1: f1 ?? null,
        false_positive_rate: falsePositiveRate ?? null,
        roc_auc: rocAuc ?? null,
      };
    },
  };
}

/** Positives expected among the flagged and the passed rows of each step. */
function expected([flagged, passed]: Sums, calibration: Isotonic): Sums {
  return [
    flagged.map((count, step) => count * (calibration[step]?.value ?? 0)),
    passed.map((count, step) => count * (calibration[step]?.value ?? 0)),
  ];
}

/**
 * One draw of both uncertainties: the step's own probability given the rows it was fitted on (Beta, Jeffreys' prior),
 * then the labels of the rows given that.
 */
function drawn([flagged, passed]: Sums, calibration: Isotonic, random: Random): Sums {
  const hits = [new Float64Array(flagged.length), new Float64Array(passed.length)] as const;
  for (const [step, { value, rows }] of calibration.entries()) {
    const a = random.gamma(value * rows + 0.5);
    const b = random.gamma((1 - value) * rows + 0.5);
    const chance = a / (a + b);
    hits[0][step] = random.binomial(flagged[step] ?? 0, chance);
    hits[1][step] = random.binomial(passed[step] ?? 0, chance);
  }
  return hits;
}

/** Accuracy, precision, recall, F1, false-positive rate and ROC AUC; NaN where undefined. */
function metricsAt([flagged, passed]: Sums, [hits, misses]: Sums): number[] {
  const steps = flagged.length;
  const positives = new Float64Array(steps);
  const negatives = new Float64Array(steps);
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  for (let step = 0; step < steps; step += 1) {
    const hit = hits[step] ?? 0;
    const miss = misses[step] ?? 0;
    const alarm = (flagged[step] ?? 0) - hit;
    const clean = (passed[step] ?? 0) - miss;
    tp += hit;
    fn += miss;
    fp += alarm;
    tn += clean;
    // From the highest step down, as ranks are read.
    positives[steps - 1 - step] = hit + miss;
    negatives[steps - 1 - step] = alarm + clean;
  }
  const figures = emptyFigures([]);
  binFigures(negatives, positives, null, [], figures);
  const confusion = { tp, fp, fn, tn };
  return [
    ...[accuracyOf, precisionOf, recallOf, f1Of, falsePositiveRateOf].map(
      (metric) => metric(confusion) ?? Number.NaN,
    ),
    figures.auc,
  ];
}

/** The estimate in the form of a drift report; null without an interval, since a bare guess is no evidence. */
export function estimatedAccuracyOf(estimate: AccuracyEstimate | null): DriftReport['estimatedAccuracy'] {
  const interval = estimate?.accuracy.interval;
  return estimate && interval
    ? { value: estimate.accuracy.value, low: interval.low, high: interval.high, estimate: true }
    : null;
}
