import { SallyportError } from '../errors.ts';
import { GrowableFloats } from './growable.ts';
import { type CurvePoint, rank } from './ranking.ts';
import { type ClassificationMetrics, type Confusion, UNMEASURED_METRICS } from './report.ts';

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
}

export interface BinaryAccumulator {
  /** Rows so far. */
  readonly rows: number;
  /**
   * Adds a batch: true and predicted classes (1 = positive, 0 = negative) and the scores, or null where the model
   * has none. Arrays are copied from, never kept. Throws `input.invalid` (lengths, values, scores now and then
   * missing), `model.unmappable` with the row for a score that is no finite number, `dataset.invalid` past the limit.
   */
  add(labels: Uint8Array, predicted: Uint8Array, scores: Float64Array | Float32Array | null): void;
  /** The result; the accumulator is empty afterwards. */
  finish(): BinaryResult;
}

export interface BinaryOptions {
  /** True where a lower score is more positive; the curves and the area then read the scores turned round. */
  readonly lowerIsPositive?: boolean;
  readonly maxRows?: number;
}

/** Measures a binary detector batch by batch: 9 bytes a row at most, twice that for the larger class while sorting. */
export function createBinaryAccumulator({
  lowerIsPositive = false,
  maxRows = MAX_ROWS,
}: BinaryOptions = {}): BinaryAccumulator {
  const sign = lowerIsPositive ? -1 : 1;
  let rows = 0;
  let confusion: Confusion = { tn: 0, fp: 0, fn: 0, tp: 0 };
  let isScored: boolean | null = null;
  const scoresOf = { negative: new GrowableFloats(), positive: new GrowableFloats() };

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
        const isPositive = labels[row] === 1;
        const isFlagged = predicted[row] === 1;
        if (isPositive) confusion[isFlagged ? 'tp' : 'fn'] += 1;
        else confusion[isFlagged ? 'fp' : 'tn'] += 1;
        if (scores !== null)
          (isPositive ? scoresOf.positive : scoresOf.negative).push((scores[row] ?? 0) * sign);
      }
      rows += labels.length;
    },

    finish() {
      const negatives = scoresOf.negative.takeSorted();
      const positives = scoresOf.positive.takeSorted();
      const isRanked = isScored === true;
      const { rocAuc, roc, precisionRecall } = isRanked
        ? rank(negatives, positives)
        : { rocAuc: null, roc: [], precisionRecall: [] };
      const metrics = metricsOf(confusion, rocAuc);
      rows = 0;
      confusion = { tn: 0, fp: 0, fn: 0, tp: 0 };
      isScored = null;
      return {
        metrics,
        roc,
        precisionRecall,
        histogram: isRanked ? histogramOf(negatives, positives, sign) : null,
      };
    },
  };
}

/** The whole batch before any of it is counted, so that a refused batch leaves nothing behind. */
function check(
  labels: Uint8Array,
  predicted: Uint8Array,
  scores: Float64Array | Float32Array | null,
  before: number,
): void {
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

/** A ratio, or null where it is undefined. */
function ratio(numerator: number, denominator: number): number | null {
  return denominator === 0 ? null : numerator / denominator;
}

/**
 * The metrics of a confusion matrix. Undefined ones are null, never 0. F1 is 2tp/(2tp+fp+fn), which is 0 for a
 * detector that finds nothing and null only where there is nothing to find and nothing was flagged; MCC is null
 * where a row or column of the matrix is empty.
 */
export function metricsOf(confusion: Confusion, rocAuc: number | null): ClassificationMetrics {
  const { tn, fp, fn, tp } = confusion;
  const rows = tn + fp + fn + tp;
  const recall = ratio(tp, tp + fn);
  const specificity = ratio(tn, tn + fp);
  // Four square roots: the product of the four margins passes 2^53 at a few thousand rows.
  const margins = Math.sqrt(tp + fp) * Math.sqrt(tp + fn) * Math.sqrt(tn + fp) * Math.sqrt(tn + fn);
  return {
    rows,
    positives: tp + fn,
    confusion: { tn, fp, fn, tp },
    accuracy: ratio(tp + tn, rows),
    balanced_accuracy: recall === null || specificity === null ? null : (recall + specificity) / 2,
    precision: ratio(tp, tp + fp),
    recall,
    f1: ratio(2 * tp, 2 * tp + fp + fn),
    mcc: ratio(tp * tn - fp * fn, margins),
    roc_auc: rocAuc,
    false_positive_rate: ratio(fp, fp + tn),
    ...UNMEASURED_METRICS,
    positive_rate: ratio(tp + fp, rows),
  };
}

/** 20 equal bins over the scores as the model gave them (`sign` undoes the turning round). */
function histogramOf(negatives: Float64Array, positives: Float64Array, sign: number): ScoreHistogram {
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
  const bins = (scores: Float64Array): number[] => {
    const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
    for (const score of scores) {
      const share = halfWidth === 0 ? 0 : ((score * sign) / 2 - min / 2) / halfWidth;
      const bin = Math.min(HISTOGRAM_BINS - 1, Math.max(0, Math.floor(share * HISTOGRAM_BINS)));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  };
  return { min, max, negative: bins(negatives), positive: bins(positives) };
}
