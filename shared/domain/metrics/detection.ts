import { z } from 'zod';
import type { Interval } from '../evidence/interval.ts';
import { wilsonInterval } from '../statistics/interval.ts';
import { accuracy } from './accuracy.ts';
import { averagePrecisionOf } from './average-precision.ts';
import { balancedAccuracy } from './balanced-accuracy.ts';
import { rankBins, rankingIntervals } from './bootstrap.ts';
import { calibrationSchema } from './calibration.ts';
import type { DetectionOptions } from './detection-options.ts';
import {
  type DetectionRate,
  detectionRateSchema,
  FALSE_POSITIVE_LIMITS,
  operatingPoints,
} from './detection-rate.ts';
import { f1 } from './f1.ts';
import { falsePositiveRate } from './false-positive-rate.ts';
import { type Figure, figure, figureSchema } from './figure.ts';
import { mcc } from './mcc.ts';
import { positiveRate } from './positive-rate.ts';
import { precision } from './precision.ts';
import { recall } from './recall.ts';
import type { ClassificationMetrics, Confusion } from './report.ts';
import { rocAuc } from './roc-auc.ts';
import { scoreSummarySchema, summarizeScores } from './score-summary.ts';
import type { ScoredRows } from './scored-rows.ts';
import { sweepPointSchema, thresholdSweep } from './threshold-sweep.ts';

/** Every figure of a binary detector, each with its interval and the rows it rests on. */
export const detectionFiguresSchema = z.object({
  accuracy: figureSchema,
  balanced_accuracy: figureSchema,
  precision: figureSchema,
  recall: figureSchema,
  f1: figureSchema,
  mcc: figureSchema,
  false_positive_rate: figureSchema,
  /** Share of rows flagged. */
  positive_rate: figureSchema,
  roc_auc: figureSchema,
  average_precision: figureSchema,
  log_loss: figureSchema,
  brier: figureSchema,
  ece: figureSchema,
  /** One per false-positive rate, rising. */
  detectionRates: z.array(detectionRateSchema),
  sweep: z.array(sweepPointSchema),
  /** null where the scores are no probabilities. */
  calibration: calibrationSchema.nullable(),
  /** null where the model has no score output. */
  scores: scoreSummarySchema.nullable(),
});
export type DetectionFigures = z.infer<typeof detectionFiguresSchema>;

/** Puts all figures together. O(n) on sorted scores, plus a bounded bootstrap where randomness is given. */
export function detectionFigures(
  confusion: Confusion,
  sorted: ScoredRows | null,
  options: DetectionOptions = {},
): DetectionFigures {
  const { random, level } = options;
  return {
    accuracy: accuracy(confusion, level),
    balanced_accuracy: balancedAccuracy(confusion, level),
    precision: precision(confusion, level),
    recall: recall(confusion, level),
    f1: f1(confusion, level),
    mcc: mcc(confusion, random, level),
    false_positive_rate: falsePositiveRate(confusion, level),
    positive_rate: positiveRate(confusion, level),
    ...rankingFigures(sorted, options),
    ...probabilityFigures(sorted),
    scores:
      sorted &&
      summarizeScores([sorted.negatives, sorted.positives], sorted.moments, confusion.tp + confusion.fp, {
        sign: options.lowerIsPositive === true ? -1 : 1,
        level,
      }),
  };
}

const noScore = (): Figure => figure(null, 0, null, 'the model has no score output');

function rankingFigures(sorted: ScoredRows | null, options: DetectionOptions) {
  if (sorted === null)
    return { roc_auc: noScore(), average_precision: noScore(), detectionRates: [], sweep: [] };
  const { negatives, positives } = sorted;
  const { random, level, decisionThreshold } = options;
  const sign = options.lowerIsPositive === true ? -1 : 1;
  const n = negatives.length;
  const p = positives.length;
  const limits = [...(options.limits ?? FALSE_POSITIVE_LIMITS)].sort((a, b) => a - b);
  const averagePrecision = averagePrecisionOf(sorted);
  const points = operatingPoints(sorted, limits);
  const isDefined = n > 0 && p > 0;
  const rates = points.map(({ truePositives }) => (isDefined ? truePositives / p : null));
  const intervals =
    random && isDefined
      ? rankingIntervals(rankBins(sorted), limits, { averagePrecision, rates }, random, level)
      : null;
  return {
    roc_auc: rocAuc(sorted, level),
    average_precision: figure(
      averagePrecision,
      n + p,
      intervals?.averagePrecision ?? null,
      'there are no positives',
    ),
    detectionRates: points.map((point, at): DetectionRate => {
      // Never narrower than the rate's own binomial noise, which resampling loses at 0 and 1.
      const resampled = intervals?.rates[at] ?? null;
      const wilson = wilsonInterval(point.truePositives, p, level);
      const interval =
        resampled && wilson
          ? {
              ...resampled,
              low: Math.min(resampled.low, wilson.low),
              high: Math.max(resampled.high, wilson.high),
            }
          : random && isDefined
            ? wilson
            : null;
      return {
        limit: point.limit,
        detectionRate: figure(rates[at] ?? null, n + p, interval, 'a class is missing'),
        falsePositiveRate: n === 0 ? null : point.falsePositives / n,
        threshold: point.threshold === null ? null : point.threshold * sign + 0,
        resolved: n * point.limit >= 1,
      };
    }),
    sweep: thresholdSweep(sorted, { decisionThreshold, sign }),
  };
}

function probabilityFigures(sorted: ScoredRows | null) {
  const measured = sorted?.probabilities.result() ?? null;
  if (measured !== null) return measured;
  const none = sorted === null ? noScore() : figure(null, 0, null, 'the scores are no probabilities');
  return { log_loss: none, brier: none, ece: none, calibration: null };
}

/** Names of figures that reports and gates use, beside those of the confusion matrix. */
export function deepMetrics(
  figures: DetectionFigures,
): Pick<
  ClassificationMetrics,
  'pr_auc' | 'log_loss' | 'brier' | 'ece' | 'tpr_at_fpr_0_01' | 'tpr_at_fpr_0_001'
> {
  return {
    pr_auc: figures.average_precision.value,
    log_loss: figures.log_loss.value,
    brier: figures.brier.value,
    ece: figures.ece.value,
    tpr_at_fpr_0_01: rateAt(figures, 0.01)?.value ?? null,
    tpr_at_fpr_0_001: rateAt(figures, 0.001)?.value ?? null,
  };
}

function rateAt({ detectionRates }: DetectionFigures, limit: number): Figure | undefined {
  return detectionRates.find((rate) => rate.limit === limit)?.detectionRate;
}

/** Every figure by the name reports and gates use. */
export function figuresByName(figures: DetectionFigures): Record<string, Figure> {
  const named: Record<string, Figure | undefined> = {
    accuracy: figures.accuracy,
    balanced_accuracy: figures.balanced_accuracy,
    precision: figures.precision,
    recall: figures.recall,
    f1: figures.f1,
    mcc: figures.mcc,
    roc_auc: figures.roc_auc,
    pr_auc: figures.average_precision,
    log_loss: figures.log_loss,
    brier: figures.brier,
    ece: figures.ece,
    tpr_at_fpr_0_01: rateAt(figures, 0.01),
    tpr_at_fpr_0_001: rateAt(figures, 0.001),
    false_positive_rate: figures.false_positive_rate,
    positive_rate: figures.positive_rate,
  };
  return Object.fromEntries(
    Object.entries(named).filter((entry): entry is [string, Figure] => entry[1] !== undefined),
  );
}

/** The intervals of a report, by metric name; figures without one are left out. */
export function intervalsByName(figures: DetectionFigures): Record<string, Interval> {
  return Object.fromEntries(
    Object.entries(figuresByName(figures)).flatMap(([name, { interval }]) =>
      interval === null ? [] : [[name, interval]],
    ),
  );
}
