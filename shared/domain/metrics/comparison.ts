import { SallyportError } from '../errors.ts';
import type { Interval } from '../evidence/interval.ts';
import type { Random } from '../statistics/random.ts';
import { type BinaryResult, binaryResult, MAX_ROWS } from './classification.ts';
import type { AucDifference, ClassScores } from './delong.ts';
import type { DetectionOptions } from './detection-options.ts';
import type { Floats } from './floats.ts';
import { GrowableFloats } from './growable.ts';
import { PairLosses } from './pair-losses.ts';
import {
  type Agreement,
  agreementOf,
  confusionOf,
  decisionDeltaIntervals,
  PAIR_CELLS,
} from './pair-table.ts';
import { pairedRankingIntervals } from './paired-bootstrap.ts';
import { compareRanks, type RankedDifference, type RankedPair } from './ranked-pair.ts';
import {
  PairMoments,
  type ScoreDistances,
  type ScoreShift,
  scoreDistances,
  scoreShift,
} from './score-shift.ts';
import { type ScoredRows, ScoreRows } from './scored-rows.ts';

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
  add(labels: Uint8Array | null, predicted: readonly Uint8Array[], scores: readonly (Floats | null)[]): void;
  /** The result; the accumulator is empty afterwards. */
  finish(): ComparisonResult;
  /** The same with models compared by `compare`, a thread beside this one, while each is measured by itself here. */
  finishBeside(compare: RankComparer): Promise<ComparisonResult>;
}

/** Does `compareRanks` elsewhere. */
export type RankComparer = (pair: RankedPair) => Promise<RankedDifference | null>;

export interface ComparisonOptions {
  /** One a model, the champion first. */
  readonly models: readonly Omit<DetectionOptions, 'random' | 'level'>[];
  /** Seeded; without it what needs resampling has no interval. */
  readonly random?: Random;
  readonly level?: number;
  readonly maxRows?: number;
}

/** One model's scores: in order, and as the rows came. */
interface Store {
  readonly scored: ScoreRows;
  readonly rows: readonly [negatives: GrowableFloats, positives: GrowableFloats];
}

/** All that does not wait for models to be compared rank by rank. */
interface Measured {
  readonly models: readonly BinaryResult[];
  /** Of each model after the first. */
  readonly apart: readonly (ScoreDistances | null)[];
}

/** What is gathered of a model and the first one. */
interface PairStore {
  readonly table: Float64Array;
  readonly moments: PairMoments;
  readonly losses: PairLosses;
}

/**
 * The same rows through two or more models: each one's figures, and every one against the first. Scores of single
 * precision take 8 bytes a row and model, and 4 a row more for a moment; of double precision twice that.
 */
export function createComparison(options: ComparisonOptions): ComparisonAccumulator {
  const { models, random, level, maxRows = MAX_ROWS } = options;
  if (models.length < 2) throw new SallyportError('input.invalid', 'A comparison needs two models or more.');
  const settings = models.map((model) => ({
    ...model,
    ...(random === undefined ? {} : { random }),
    ...(level === undefined ? {} : { level }),
  }));
  const newPairs = (): PairStore[] =>
    models.slice(1).map((model) => ({
      table: new Float64Array(PAIR_CELLS),
      moments: new PairMoments(),
      losses: new PairLosses(models[0] ?? {}, model),
    }));
  let rows = 0;
  let isLabelled: boolean | null = null;
  let stores: (Store | null)[] = [];
  let pairs = newPairs();

  return {
    get rows() {
      return rows;
    },

    add(labels, predicted, scores) {
      const length = predicted[0]?.length ?? 0;
      checkShape(models.length, length, labels, predicted, scores);
      if (length === 0) return;
      if (isLabelled === null)
        stores = scores.map((one, at) => {
          if (one === null) return null;
          const single = one instanceof Float32Array;
          return {
            scored: new ScoreRows(settings[at] ?? {}),
            rows: [new GrowableFloats(single), new GrowableFloats(single)],
          };
        });
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
        store.scored.add(labels, batch);
        if (batch instanceof Float64Array) for (const part of store.rows) part.widen();
        const sign = signOf(models[at]);
        for (let row = 0; row < length; row += 1)
          store.rows[labels?.[row] === 1 ? 1 : 0].push((batch[row] as number) * sign);
      }
      const first = predicted[0] ?? new Uint8Array(0);
      for (const [at, { table, moments, losses }] of pairs.entries()) {
        const second = predicted[at + 1] ?? first;
        for (let row = 0; row < length; row += 1) {
          const cell = 4 * (labels?.[row] ?? 0) + 2 * (first[row] ?? 0) + (second[row] ?? 0);
          table[cell] = (table[cell] ?? 0) + 1;
        }
        const [a, b] = [scores[0], scores[at + 1]];
        if (!a || !b) continue;
        const [signA, signB] = [signOf(models[0]), signOf(models[at + 1])];
        for (let row = 0; row < length; row += 1)
          moments.add((a[row] as number) * signA, (b[row] as number) * signB);
        if (labels && stores[0]?.scored.mayBeProbabilities && stores[at + 1]?.scored.mayBeProbabilities)
          losses.add(labels, a, b);
      }
      rows += length;
    },

    finish() {
      const { pairs: asked, measure, resultOf } = end(false);
      const found = asked.map((pair) => pair && compareRanks(pair));
      return resultOf(measure(), found);
    },

    async finishBeside(compare) {
      const { pairs: asked, measure, resultOf } = end(true);
      const comparing = Promise.all(asked.map((pair) => pair && compare(pair)));
      // Awaited below: should measuring fail first, this must not count as unhandled.
      comparing.catch(() => {});
      const measured = measure();
      return resultOf(measured, await comparing);
    },
  };

  /** Empties the accumulator into what is left to be computed, in parts that may go on side by side. */
  function end(shared: boolean) {
    const taken = stores.map((store) => store && takeScores(store, shared));
    const ended = { pairs, labelled: isLabelled === true, rows };
    rows = 0;
    isLabelled = null;
    stores = [];
    pairs = newPairs();
    const base = taken[0] ?? null;
    return {
      pairs: taken.slice(1).map((other): RankedPair | null => {
        if (!ended.labelled || !base || !other) return null;
        const [first, second] = [classScoresOf(base), classScoresOf(other)];
        return { first, second, seed: random?.uint32() ?? null, level };
      }),
      measure: (): Measured => ({
        models: taken.map((scores, at) => {
          const table = ended.pairs[Math.max(0, at - 1)]?.table ?? [];
          return binaryResult(confusionOf(table, at === 0 ? 'first' : 'second'), scores, settings[at] ?? {});
        }),
        apart: taken.slice(1).map((other) => base && other && scoreDistances(base, other)),
      }),
      resultOf: (
        { models: measured, apart }: Measured,
        compared: readonly (RankedDifference | null)[],
      ): ComparisonResult => ({
        rows: ended.rows,
        labelled: ended.labelled,
        models: measured,
        pairs: ended.pairs.map(({ table, moments, losses }, at): PairComparison => {
          const [champion, challenger] = [measured[0], measured[at + 1]];
          if (!champion || !challenger) throw new SallyportError('unexpected', 'A model has no figures.');
          const { auc = null, replicates = null } = compared[at] ?? {};
          const distances = apart[at] ?? null;
          const resampled =
            replicates && pairedRankingIntervals(replicates, champion.figures, challenger.figures, level);
          const rate = (limit: number): Interval | null =>
            resampled?.rates.find((one) => one.limit === limit)?.interval ?? null;
          const areProbabilities = champion.figures.calibration && challenger.figures.calibration;
          const intervals: Record<string, Interval | null> = {
            ...(ended.labelled
              ? decisionDeltaIntervals(table, random, level)
              : positiveRateOnly(decisionDeltaIntervals(table, undefined, level))),
            roc_auc: auc?.interval ?? null,
            pr_auc: resampled?.averagePrecision ?? null,
            tpr_at_fpr_0_01: rate(0.01),
            tpr_at_fpr_0_001: rate(0.001),
            ...(auc && areProbabilities ? losses.intervals(level) : {}),
          };
          return {
            table,
            agreement: agreementOf(table),
            auc,
            aucBootstrap: resampled?.auc ?? null,
            deltaIntervals: Object.fromEntries(
              Object.entries(intervals).filter((entry): entry is [string, Interval] => entry[1] !== null),
            ),
            scoreShift: distances && scoreShift(distances, moments),
          };
        }),
      }),
    };
  }
}

const signOf = (model: ComparisonOptions['models'][number] | undefined): 1 | -1 =>
  model?.lowerIsPositive === true ? -1 : 1;

function positiveRateOnly({ positive_rate }: Record<string, Interval>): Record<string, Interval> {
  return positive_rate === undefined ? {} : { positive_rate };
}

/** As rankings and as paired tests want them. */
function takeScores({ scored, rows }: Store, shared: boolean): ScoredRows & ClassScores {
  const sorted = scored.take(shared);
  return {
    ...sorted,
    inOrder: { negatives: rows[0].take(shared), positives: rows[1].take(shared) },
  };
}

/** Nothing but the scores: it may go to another thread. */
function classScoresOf({ negatives, positives, ladder, inOrder }: ClassScores): ClassScores {
  return { negatives, positives, ladder, inOrder };
}

function checkShape(
  models: number,
  length: number,
  labels: Uint8Array | null,
  predicted: readonly Uint8Array[],
  scores: readonly (Floats | null)[],
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
  scores: readonly (Floats | null)[],
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
