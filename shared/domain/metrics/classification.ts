import { SallyportError } from '../errors.ts';
import { fitIsotonic, type Isotonic } from '../statistics/isotonic.ts';
import { accuracyOf } from './accuracy.ts';
import { balancedAccuracyOf } from './balanced-accuracy.ts';
import { type DetectionFigures, deepMetrics, detectionFigures } from './detection.ts';
import type { DetectionOptions } from './detection-options.ts';
import { f1Of } from './f1.ts';
import { falsePositiveRateOf } from './false-positive-rate.ts';
import { type Floats, placeWhere } from './floats.ts';
import { mccOf } from './mcc.ts';
import { positiveRateOf } from './positive-rate.ts';
import { precisionOf } from './precision.ts';
import { type CurvePoint, rank } from './ranking.ts';
import { recallOf } from './recall.ts';
import { type ClassificationMetrics, type Confusion, UNMEASURED_METRICS } from './report.ts';
import { type ScoredRows, ScoreRows } from './scored-rows.ts';

/** Rows one run may have: 8 bytes of score each. */
export const MAX_ROWS = 50_000_000;
const HISTOGRAM_BINS = 20;

export interface ScoreHistogram {
  min: number;
  max: number;
  /** Rows per bin, of the negative and of the positive class. */
  negative: number[];
  positive: number[];
}

export interface BinaryResult {
  readonly metrics: ClassificationMetrics;
  readonly roc: CurvePoint[];
  readonly precisionRecall: CurvePoint[];
  /** null where the model has no score output. */
  readonly histogram: ScoreHistogram | null;
  /** All figures, with intervals, reasons and sample sizes. */
  readonly figures: DetectionFigures;
  /** From score (turned so that higher is more positive) to probability; null where there is nothing to fit. */
  readonly isotonic: Isotonic | null;
}

export interface BinaryAccumulator {
  /** Rows so far. */
  readonly rows: number;
  /**
   * Adds a batch: true and predicted classes (1 = positive, 0 = negative) and the scores, or null where the model
   * has none. Arrays are copied from, never kept. Throws `input.invalid` (lengths, values, scores now and then
   * missing), `model.unmappable` with the row for a score that is no finite number, `dataset.invalid` past the limit.
   */
  add(labels: Uint8Array, predicted: Uint8Array, scores: Floats | null): void;
  /** The result; the accumulator is empty afterwards. */
  finish(): BinaryResult;
}

/** Where lower is more positive, the curves and the area read the scores turned round. */
export interface BinaryOptions extends DetectionOptions {
  readonly maxRows?: number;
}

/** Measures a binary detector batch by batch: 4 bytes a row of single precision, 8 of double, twice that at most. */
export function createBinaryAccumulator(options: BinaryOptions = {}): BinaryAccumulator {
  const { maxRows = MAX_ROWS } = options;
  let rows = 0;
  let confusion: Confusion = { tn: 0, fp: 0, fn: 0, tp: 0 };
  let isScored: boolean | null = null;
  let scored = new ScoreRows(options);

  return {
    get rows() {
      return rows;
    },

    add(labels, predicted, scores) {
      if (predicted.length !== labels.length || (scores !== null && scores.length !== labels.length)) {
        throw new SallyportError(
          'input.invalid',
          `A batch has ${labels.length} labels, ${predicted.length} predictions and ${scores?.length ?? 'no'} scores.`,
        );
      }
      if (labels.length === 0) return;
      if (isScored !== null && isScored !== (scores !== null)) {
        throw new SallyportError('input.invalid', 'Some batches have scores and others have none.');
      }
      if (rows + labels.length > maxRows) {
        throw new SallyportError('dataset.invalid', `The data has more than ${maxRows} rows.`, {
          hint: 'Nothing was stored. Validate on a sample of it.',
          facts: { maxRows },
        });
      }
      check(labels, predicted, scores, rows);
      isScored = scores !== null;
      for (let row = 0; row < labels.length; row += 1) {
        const isFlagged = predicted[row] === 1;
        if (labels[row] === 1) confusion[isFlagged ? 'tp' : 'fn'] += 1;
        else confusion[isFlagged ? 'fp' : 'tn'] += 1;
      }
      if (scores !== null) scored.add(labels, scores);
      rows += labels.length;
    },

    finish() {
      const result = binaryResult(confusion, isScored === true ? scored.take() : null, options);
      rows = 0;
      confusion = { tn: 0, fp: 0, fn: 0, tp: 0 };
      isScored = null;
      scored = new ScoreRows(options);
      return result;
    },
  };
}

/** Everything a detector's decisions and its sorted scores (null where it has none) say. */
export function binaryResult(
  confusion: Confusion,
  sorted: ScoredRows | null,
  options: DetectionOptions = {},
): BinaryResult {
  const sign = options.lowerIsPositive === true ? -1 : 1;
  const { rocAuc, roc, precisionRecall } =
    sorted === null ? { rocAuc: null, roc: [], precisionRecall: [] } : rank(sorted);
  const figures = detectionFigures(confusion, sorted, options);
  return {
    metrics: { ...metricsOf(confusion, rocAuc), ...deepMetrics(figures) },
    roc,
    precisionRecall,
    histogram: sorted === null ? null : histogramOf(sorted.negatives, sorted.positives, sign),
    figures,
    isotonic: sorted && fitIsotonic(sorted.negatives, sorted.positives),
  };
}

/** The whole batch before any of it is counted, so that a refused batch leaves nothing behind. */
function check(labels: Uint8Array, predicted: Uint8Array, scores: Floats | null, before: number): void {
  for (let index = 0; index < labels.length; index += 1) {
    const row = before + index + 1;
    if ((labels[index] ?? 0) > 1 || (predicted[index] ?? 0) > 1) {
      throw new SallyportError('input.invalid', `Row ${row}: a class must be 0 or 1.`, { facts: { row } });
    }
    if (scores !== null && !Number.isFinite(scores[index])) {
      throw new SallyportError(
        'model.unmappable',
        `The model's score for row ${row} is not a finite number.`,
        {
          hint: 'Nothing was stored. A model that answers so cannot be measured; check how it was exported.',
          facts: { row },
        },
      );
    }
  }
}

/** The metrics of a confusion matrix, as gates name them; those that read scores are null. Undefined ones too, never 0. */
export function metricsOf(confusion: Confusion, rocAuc: number | null): ClassificationMetrics {
  const { tn, fp, fn, tp } = confusion;
  return {
    rows: tn + fp + fn + tp,
    positives: tp + fn,
    confusion: { tn, fp, fn, tp },
    accuracy: accuracyOf(confusion),
    balanced_accuracy: balancedAccuracyOf(confusion),
    precision: precisionOf(confusion),
    recall: recallOf(confusion),
    f1: f1Of(confusion),
    mcc: mccOf(confusion),
    roc_auc: rocAuc,
    false_positive_rate: falsePositiveRateOf(confusion),
    ...UNMEASURED_METRICS,
    positive_rate: positiveRateOf(confusion),
  };
}

/** 20 equal bins over the scores as the model gave them (`sign` undoes the turning round). */
function histogramOf(negatives: Floats, positives: Floats, sign: number): ScoreHistogram {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const scores of [negatives, positives]) {
    if (scores.length === 0) continue;
    const ends = [(scores[0] ?? 0) * sign, (scores[scores.length - 1] ?? 0) * sign];
    min = Math.min(min, ...ends);
    max = Math.max(max, ...ends);
  }
  // Halved first: the width of a range of doubles may not be one.
  const halfWidth = max / 2 - min / 2;
  const binOf = (score: number): number => {
    const share = halfWidth === 0 ? 0 : ((score * sign) / 2 - min / 2) / halfWidth;
    return Math.min(HISTOGRAM_BINS - 1, Math.max(0, Math.floor(share * HISTOGRAM_BINS)));
  };
  // Bins rise with the scores, or fall where those are turned round: each begins where a search says.
  const bins = (scores: Floats): number[] => {
    const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
    const rising = sign === 1;
    let before = 0;
    for (let step = 0; step < HISTOGRAM_BINS; step += 1) {
      const bin = rising ? step : HISTOGRAM_BINS - 1 - step;
      const end = placeWhere(scores.length, (at) => {
        const here = binOf(scores[at] as number);
        return rising ? here > bin : here < bin;
      });
      counts[bin] = end - before;
      before = end;
    }
    return counts;
  };
  return { min, max, negative: bins(negatives), positive: bins(positives) };
}
