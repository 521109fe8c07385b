import { z } from 'zod';
import type { Interval } from '../evidence/interval.ts';
import { wilsonInterval } from '../statistics/interval.ts';
import type { Random } from '../statistics/random.ts';
import { accuracy } from './accuracy.ts';
import { averagePrecisionOf } from './average-precision.ts';
import { balancedAccuracy } from './balanced-accuracy.ts';
import { rankBins, rankingIntervals } from './bootstrap.ts';
import { createBrier } from './brier.ts';
import { calibrationSchema, createCalibration } from './calibration.ts';
import {
  type DetectionRate,
  detectionRateSchema,
  FALSE_POSITIVE_LIMITS,
  operatingPoints,
} from './detection-rate.ts';
import { f1 } from './f1.ts';
import { falsePositiveRate } from './false-positive-rate.ts';
import { type Figure, figure, figureSchema } from './figure.ts';
import { createLogLoss } from './log-loss.ts';
import { mcc } from './mcc.ts';
import { positiveRate } from './positive-rate.ts';
import { precision } from './precision.ts';
import { recall } from './recall.ts';
import type { ClassificationMetrics, Confusion } from './report.ts';
import { rocAuc } from './roc-auc.ts';
import { scoreSummarySchema, summarizeScores } from './score-summary.ts';
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

export interface DetectionOptions {
  /** True where a lower score is more positive. */
  readonly lowerIsPositive?: boolean;
  /**
   * Whether scores are probabilities of the positive class (of the negative one where lower is more positive).
   * `auto`, the default: where all lie in [0, 1].
   */
  readonly probabilities?: boolean | 'auto';
  /** For log loss, how far probabilities are kept from 0 and 1; by the scores' precision if not given. */
  readonly probabilityFloor?: number;
  /** The score the model decides at, in its own scale. */
  readonly decisionThreshold?: number;
  /** False-positive rates to read detection at. */
  readonly limits?: readonly number[];
  /** Seeded; without it figures that need resampling come without intervals. */
  readonly random?: Random;
  /** Confidence of intervals, 0.95 if not given. */
  readonly level?: number;
}

/** The scores of each class, ascending; already turned round where lower is more positive. null without scores. */
export interface SortedScores {
  readonly negatives: Float64Array;
  readonly positives: Float64Array;
}

/** Single-precision softmax may leave [0, 1] by this much. */
const ROUNDING = 1e-6;
const CHUNK = 65_536;

/** Puts all figures together. O(n) on sorted scores, plus a bounded bootstrap where randomness is given. */
export function detectionFigures(
  confusion: Confusion,
  sorted: SortedScores | null,
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
    ...probabilityFigures(sorted, options),
    scores:
      sorted &&
      summarizeScores([sorted.negatives, sorted.positives], confusion.tp + confusion.fp, {
        sign: options.lowerIsPositive === true ? -1 : 1,
        level,
      }),
  };
}

const noScore = (): Figure => figure(null, 0, null, 'the model has no score output');

function rankingFigures(sorted: SortedScores | null, options: DetectionOptions) {
  if (sorted === null)
    return { roc_auc: noScore(), average_precision: noScore(), detectionRates: [], sweep: [] };
  const { negatives, positives } = sorted;
  const { random, level, decisionThreshold } = options;
  const sign = options.lowerIsPositive === true ? -1 : 1;
  const n = negatives.length;
  const p = positives.length;
  const limits = [...(options.limits ?? FALSE_POSITIVE_LIMITS)].sort((a, b) => a - b);
  const averagePrecision = averagePrecisionOf(negatives, positives);
  const points = operatingPoints(negatives, positives, limits);
  const isDefined = n > 0 && p > 0;
  const rates = points.map(({ truePositives }) => (isDefined ? truePositives / p : null));
  const intervals =
    random && isDefined
      ? rankingIntervals(rankBins(negatives, positives), limits, { averagePrecision, rates }, random, level)
      : null;
  return {
    roc_auc: rocAuc(negatives, positives, level),
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
    sweep: thresholdSweep(negatives, positives, { decisionThreshold, sign }),
  };
}

function probabilityFigures(sorted: SortedScores | null, options: DetectionOptions) {
  const isProbability = sorted !== null && areProbabilities(sorted, options);
  if (!isProbability) {
    const none = sorted === null ? noScore() : figure(null, 0, null, 'the scores are no probabilities');
    return { log_loss: none, brier: none, ece: none, calibration: null };
  }
  const { random, level } = options;
  // Turned round, the score is minus the probability of the negative class.
  const offset = options.lowerIsPositive === true ? 1 : 0;
  const loss = createLogLoss({ level, floor: options.probabilityFloor });
  const brier = createBrier(level);
  const calibration = createCalibration({ random, level });
  // In chunks: neither class is copied whole.
  const labels = new Uint8Array(CHUNK);
  const probabilities = new Float64Array(CHUNK);
  for (const [label, scores] of [sorted.negatives, sorted.positives].entries()) {
    labels.fill(label);
    for (let from = 0; from < scores.length; from += CHUNK) {
      const length = Math.min(CHUNK, scores.length - from);
      for (let row = 0; row < length; row += 1)
        probabilities[row] = Math.min(1, Math.max(0, offset + (scores[from + row] ?? 0)));
      const batch = [labels.subarray(0, length), probabilities.subarray(0, length)] as const;
      loss.add(...batch);
      brier.add(...batch);
      calibration.add(...batch);
    }
  }
  const measured = calibration.result();
  return { log_loss: loss.result(), brier: brier.result(), ece: measured.ece, calibration: measured };
}

function areProbabilities({ negatives, positives }: SortedScores, options: DetectionOptions): boolean {
  if (options.probabilities === false) return false;
  const [lowest, highest] = options.lowerIsPositive === true ? [-1, 0] : [0, 1];
  const fits = [negatives, positives].every(
    (scores) =>
      scores.length === 0 ||
      ((scores[0] ?? 0) >= lowest - ROUNDING && (scores[scores.length - 1] ?? 0) <= highest + ROUNDING),
  );
  return fits && negatives.length + positives.length > 0;
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
