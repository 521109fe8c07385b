import { SallyportError } from '../errors.ts';
import type { Interval } from '../evidence/interval.ts';
import type { Random } from '../statistics/random.ts';
import { type BinaryResult, binaryResult, MAX_ROWS } from './classification.ts';
import { type AucDifference, type ClassScores, delongTest } from './delong.ts';
import type { DetectionOptions } from './detection.ts';
import { GrowableFloats } from './growable.ts';
import { logLossOf, SINGLE_LOG_LOSS_FLOOR } from './log-loss.ts';
import {
  type Agreement,
  agreementOf,
  confusionOf,
  decisionDeltaIntervals,
  PAIR_CELLS,
} from './pair-table.ts';
import { pairedRankingIntervals } from './paired-bootstrap.ts';
import { meanDifferenceInterval } from './row-mean.ts';
import { type ScoreParts, type ScoreShift, scoreShift } from './score-shift.ts';

/** How one model differs from the first. */
export interface PairComparison {
  /** Eight counts; see pair-table. Without labels every row counts as benign, and only disagreement means anything. */
  readonly table: Float64Array;
  readonly agreement: Agreement;
  /** DeLong's test; null without labels or scores. */
  readonly auc: AucDifference | null;
  /** Paired bootstrap of the AUC difference, beside DeLong's interval. */
  readonly aucBootstrap: Interval | null;
  /** By metric name: the interval of this model minus the first. */
  readonly deltaIntervals: Record<string, Interval>;
  /** null where either model has no scores. Scores are turned so that higher is more positive. */
  readonly scoreShift: ScoreShift | null;
}

export interface ComparisonResult {
  readonly rows: number;
  readonly labelled: boolean;
  /** One a model. Without labels only flagged rates, score quantiles and histograms mean anything. */
  readonly models: readonly BinaryResult[];
  /** One a model after the first. */
  readonly pairs: readonly PairComparison[];
}

export interface ComparisonAccumulator {
  readonly rows: number;
  /**
   * Adds a batch: labels (1 = positive) or null without truth, and by model the decisions and the scores or null.
   * Throws as `BinaryAccumulator.add` does; a refused batch leaves nothing behind.
   */
  add(
    labels: Uint8Array | null,
    predicted: readonly Uint8Array[],
    scores: readonly (Float64Array | Float32Array | null)[],
  ): void;
  /** The result; the accumulator is empty afterwards. */
  finish(): ComparisonResult;
}

export interface ComparisonOptions {
  /** One a model, the champion first. */
  readonly models: readonly Omit<DetectionOptions, 'random' | 'level'>[];
  /** Seeded; without it what needs resampling has no interval. */
  readonly random?: Random;
  readonly level?: number;
  readonly maxRows?: number;
}

interface Scores {
  readonly negatives: Float64Array;
  readonly positives: Float64Array;
}

/**
 * The same rows through two or more models: each one's figures, and every one against the first. Holds 8 bytes a row
 * and model, and 16 a row more while putting together: 16 a row and model for two.
 */
export function createComparison(options: ComparisonOptions): ComparisonAccumulator {
  const { models, random, level, maxRows = MAX_ROWS } = options;
  if (models.length < 2) throw new SallyportError('input.invalid', 'A comparison needs two models or more.');
  let rows = 0;
  let isLabelled: boolean | null = null;
  let single = models.map(() => false);
  let stores: (readonly [GrowableFloats, GrowableFloats] | null)[] = [];
  let tables = models.slice(1).map(() => new Float64Array(PAIR_CELLS));

  return {
    get rows() {
      return rows;
    },

    add(labels, predicted, scores) {
      const length = predicted[0]?.length ?? 0;
      checkShape(models.length, length, labels, predicted, scores);
      if (length === 0) return;
      if (isLabelled === null)
        stores = scores.map((one) => one && [new GrowableFloats(), new GrowableFloats()]);
      else if (
        isLabelled !== (labels !== null) ||
        scores.some((one, at) => (one === null) !== (stores[at] === null))
      )
        throw new SallyportError('input.invalid', 'Some batches have labels or scores and others have none.');
      if (rows + length > maxRows)
        throw new SallyportError('dataset.invalid', `The data has more than ${maxRows} rows.`, {
          hint: 'Nothing was stored. Compare on a sample of it.',
          facts: { maxRows },
        });
      checkValues(labels, predicted, scores, rows);
      isLabelled = labels !== null;
      for (const [at, batch] of scores.entries()) {
        const store = stores[at];
        if (batch === null || !store) continue;
        if (batch instanceof Float32Array) single[at] = true;
        const sign = models[at]?.lowerIsPositive === true ? -1 : 1;
        for (let row = 0; row < length; row += 1)
          (labels?.[row] === 1 ? store[1] : store[0]).push((batch[row] ?? 0) * sign);
      }
      const first = predicted[0] ?? new Uint8Array(0);
      for (const [at, table] of tables.entries()) {
        const second = predicted[at + 1] ?? first;
        for (let row = 0; row < length; row += 1) {
          const cell = 4 * (labels?.[row] ?? 0) + 2 * (first[row] ?? 0) + (second[row] ?? 0);
          table[cell] = (table[cell] ?? 0) + 1;
        }
      }
      rows += length;
    },

    finish() {
      const raw = stores.map(
        (store): Scores | null => store && { negatives: store[0].take(), positives: store[1].take() },
      );
      const ended = { tables, labelled: isLabelled === true, rows };
      const settings = models.map((model, at) => ({
        ...(single[at] ? { probabilityFloor: SINGLE_LOG_LOSS_FLOOR } : {}),
        ...model,
      }));
      single = models.map(() => false);
      rows = 0;
      isLabelled = null;
      stores = [];
      tables = models.slice(1).map(() => new Float64Array(PAIR_CELLS));
      const evidence = { random, level };
      const base = sortedOf(raw[0] ?? null);
      const results = [
        resultOf(confusionOf(ended.tables[0] ?? [], 'first'), base, { ...settings[0], ...evidence }),
      ];
      const pairs = ended.tables.map((table, at): PairComparison => {
        const other = sortedOf(raw[at + 1] ?? null);
        results.push(resultOf(confusionOf(table, 'second'), other, { ...settings[at + 1], ...evidence }));
        const ranked = ended.labelled && base && other ? { base, other } : null;
        const auc = ranked && delongTest(ranked.base, ranked.other, level);
        const resampled =
          ranked && auc && random
            ? pairedRankingIntervals(ranked.base, ranked.other, random, { level })
            : null;
        const rate = (limit: number): Interval | null =>
          resampled?.rates.find((one) => one.limit === limit)?.interval ?? null;
        const intervals: Record<string, Interval | null> = {
          ...(ended.labelled
            ? decisionDeltaIntervals(table, random, level)
            : positiveRateOnly(decisionDeltaIntervals(table, undefined, level))),
          roc_auc: auc?.interval ?? null,
          pr_auc: resampled?.averagePrecision ?? null,
          tpr_at_fpr_0_01: rate(0.01),
          tpr_at_fpr_0_001: rate(0.001),
          ...(ranked
            ? lossDeltas(ranked.base, ranked.other, results[0], results[at + 1], settings, at + 1, level)
            : {}),
        };
        return {
          table,
          agreement: agreementOf(table),
          auc,
          aucBootstrap: resampled?.auc ?? null,
          deltaIntervals: Object.fromEntries(
            Object.entries(intervals).filter((entry): entry is [string, Interval] => entry[1] !== null),
          ),
          scoreShift: base && other && scoreShift(partsOf(base), partsOf(other)),
        };
      });
      return { rows: ended.rows, labelled: ended.labelled, models: results, pairs };
    },
  };
}

function positiveRateOnly({ positive_rate }: Record<string, Interval>): Record<string, Interval> {
  return positive_rate === undefined ? {} : { positive_rate };
}

function partsOf(scores: ClassScores): ScoreParts {
  return {
    rows: [scores.negatives, scores.positives],
    sorted: [scores.sortedNegatives, scores.sortedPositives],
  };
}

function sortedOf(scores: Scores | null): ClassScores | null {
  return (
    scores && {
      ...scores,
      sortedNegatives: scores.negatives.slice().sort(),
      sortedPositives: scores.positives.slice().sort(),
    }
  );
}

function resultOf(
  confusion: Parameters<typeof binaryResult>[0],
  scores: ClassScores | null,
  options: { readonly random: Random | undefined; readonly level: number | undefined } & Omit<
    DetectionOptions,
    'random' | 'level'
  >,
): BinaryResult {
  const { random, level, ...rest } = options;
  return binaryResult(
    confusion,
    scores && { negatives: scores.sortedNegatives, positives: scores.sortedPositives },
    { ...rest, ...(random === undefined ? {} : { random }), ...(level === undefined ? {} : { level }) },
  );
}

/** Intervals of the mean difference of losses row by row, where both models' scores are probabilities. */
function lossDeltas(
  first: ClassScores,
  second: ClassScores,
  before: BinaryResult | undefined,
  after: BinaryResult | undefined,
  models: ComparisonOptions['models'],
  at: number,
  level: number | undefined,
): Record<string, Interval | null> {
  if (!before?.figures.calibration || !after?.figures.calibration) return {};
  const offsets = [0, at].map((model) => (models[model]?.lowerIsPositive === true ? 1 : 0));
  const probability = (score: number, model: number): number =>
    Math.min(1, Math.max(0, (offsets[model] ?? 0) + score));
  const over = (
    loss: (label: number, probability: number, floor: number | undefined) => number,
  ): Interval | null =>
    meanDifferenceInterval((add) => {
      for (const [label, a, b] of [
        [0, first.negatives, second.negatives],
        [1, first.positives, second.positives],
      ] as const)
        for (let row = 0; row < a.length; row += 1)
          add(
            loss(label, probability(b[row] ?? 0, 1), models[at]?.probabilityFloor) -
              loss(label, probability(a[row] ?? 0, 0), models[0]?.probabilityFloor),
          );
    }, level);
  return { log_loss: over(logLossOf), brier: over((label, p) => (p - label) ** 2) };
}

function checkShape(
  models: number,
  length: number,
  labels: Uint8Array | null,
  predicted: readonly Uint8Array[],
  scores: readonly (Float64Array | Float32Array | null)[],
): void {
  const lengths = [...predicted, ...scores, labels].flatMap((one) => (one === null ? [] : [one.length]));
  if (predicted.length !== models || scores.length !== models || lengths.some((one) => one !== length))
    throw new SallyportError(
      'input.invalid',
      `A batch of ${length} rows for ${models} models has arrays of ${lengths.join(', ')}.`,
    );
}

/** The whole batch before any of it is counted. */
function checkValues(
  labels: Uint8Array | null,
  predicted: readonly Uint8Array[],
  scores: readonly (Float64Array | Float32Array | null)[],
  before: number,
): void {
  for (const classes of [...predicted, ...(labels === null ? [] : [labels])]) {
    const at = classes.findIndex((one) => one > 1);
    if (at !== -1)
      throw new SallyportError('input.invalid', `Row ${before + at + 1}: a class must be 0 or 1.`, {
        facts: { row: before + at + 1 },
      });
  }
  for (const [model, batch] of scores.entries()) {
    if (batch === null) continue;
    for (let row = 0; row < batch.length; row += 1)
      if (!Number.isFinite(batch[row]))
        throw new SallyportError(
          'model.unmappable',
          `The score of model ${model + 1} for row ${before + row + 1} is not a finite number.`,
          {
            hint: 'Nothing was stored. A model that answers so cannot be measured; check how it was exported.',
            facts: { row: before + row + 1, model: model + 1 },
          },
        );
  }
}
