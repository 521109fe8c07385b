import { NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import {
  type BinaryResult,
  comparisonParts,
  createBinaryAccumulator,
  createComparison,
  createRegression,
  createScoreSummary,
  metricsOf,
  type RankComparer,
  regressionParts,
  validationParts,
} from '../../../shared/domain/metrics/index.ts';
import type { OutputMapping } from '../../../shared/domain/model/version.ts';
import { createRandom, type Isotonic } from '../../../shared/domain/statistics/index.ts';
import type { ComparisonEvidence, ModelEvidence } from '../../ports/engine.ts';
import type { ModelAnswers } from './model-answers.ts';

/** What a model's answers are worth, in the form of reports. */
export type ModelFigures = Pick<
  ModelEvidence,
  | 'metrics'
  | 'intervals'
  | 'roc'
  | 'precisionRecall'
  | 'scoreHistogram'
  | 'scoreQuantiles'
  | 'regression'
  | 'reliability'
  | 'sweep'
>;

export type PairFigures = Pick<
  ComparisonEvidence,
  | 'significance'
  | 'deltaIntervals'
  | 'disagreementMatrix'
  | 'scoreShift'
  | 'disagreements'
  | 'challengerFixes'
  | 'challengerBreaks'
>;

export interface Figures {
  /** Rows to be counted: `keep` by index, null = all. Truth is as the kind of the models has it, or null. */
  add(
    truth: { readonly labels: Uint8Array | null; readonly targets: Float64Array | null },
    answers: readonly ModelAnswers[],
    keep: Uint32Array | null,
  ): void;
  finish(): Promise<{
    readonly models: readonly ModelFigures[];
    /** Each model after the first against it. */
    readonly pairs: readonly PairFigures[];
    /** From the first model's scores to probabilities; null without truth. */
    readonly calibration: Isotonic | null;
  }>;
}

const NO_CONFUSION = { tn: 0, fp: 0, fn: 0, tp: 0 };
const NO_CURVES = { roc: [], precisionRecall: [], reliability: [], sweep: [] };

export function isRegression(mapping: OutputMapping): boolean {
  return (mapping.kind as string) === 'regression';
}

/** Figures of one to eight models over the same rows, which `compare` holds against each other. */
export function createFigures(
  mappings: readonly OutputMapping[],
  labelled: boolean,
  seed: number,
  compare: RankComparer,
): Figures {
  if (mappings.some(isRegression)) return regressionFigures(mappings, labelled, seed);
  return mappings.length === 1
    ? singleFigures(mappings[0] as OutputMapping, labelled, seed)
    : comparedFigures(mappings, labelled, seed, compare);
}

const settingsOf = ({ lowerIsPositive, threshold }: OutputMapping) => ({
  lowerIsPositive,
  decisionThreshold: threshold,
});

function singleFigures(mapping: OutputMapping, labelled: boolean, seed: number): Figures {
  const accumulator = createBinaryAccumulator({ ...settingsOf(mapping), random: createRandom(seed) });
  let benign = new Uint8Array(0);
  return {
    add({ labels }, [answers], keep) {
      if (!answers) return;
      const predicted = kept(answers.predicted, keep);
      // Without truth the scores are held as those of one class; only what needs no truth is told of them.
      if (benign.length !== predicted.length) benign = new Uint8Array(predicted.length);
      accumulator.add(
        labels === null ? benign : kept(labels, keep),
        predicted,
        answers.scores && kept(answers.scores, keep),
      );
    },
    async finish() {
      const result = accumulator.finish();
      return {
        models: [figuresOf(result, labelled)],
        pairs: [],
        calibration: labelled ? result.isotonic : null,
      };
    },
  };
}

function comparedFigures(
  mappings: readonly OutputMapping[],
  labelled: boolean,
  seed: number,
  compare: RankComparer,
): Figures {
  const comparison = createComparison({ models: mappings.map(settingsOf), random: createRandom(seed) });
  return {
    add({ labels }, answers, keep) {
      comparison.add(
        labels && kept(labels, keep),
        answers.map(({ predicted }) => kept(predicted, keep)),
        answers.map(({ scores }) => scores && kept(scores, keep)),
      );
    },
    async finish() {
      const { models, pairs } = await comparison.finishBeside(compare);
      return {
        models: models.map((result) => figuresOf(result, labelled)),
        pairs: pairs.map((pair) => comparisonParts(pair, labelled)),
        calibration: labelled ? (models[0]?.isotonic ?? null) : null,
      };
    },
  };
}

function figuresOf(result: BinaryResult, labelled: boolean): ModelFigures {
  const parts = validationParts(result);
  if (labelled) return { ...parts, regression: null };
  const { rows, positive_rate } = parts.metrics;
  const interval = parts.intervals.positive_rate;
  return {
    ...parts,
    ...NO_CURVES,
    regression: null,
    metrics: { ...metricsOf(NO_CONFUSION, null), rows, positive_rate },
    intervals: interval ? { positive_rate: interval } : {},
  };
}

function regressionFigures(mappings: readonly OutputMapping[], labelled: boolean, seed: number): Figures {
  const measured = mappings.map((_, model) => ({
    errors: createRegression({ random: createRandom(seed + model) }),
    answers: createScoreSummary(),
  }));
  let rows = 0;
  return {
    add({ targets }, answers, keep) {
      rows += keep?.length ?? answers[0]?.predicted.length ?? 0;
      for (const [model, { scores }] of answers.entries()) {
        if (scores === null) continue;
        const values = kept(scores, keep);
        measured[model]?.answers.add(values, null);
        if (targets !== null) measured[model]?.errors.add(kept(targets, keep), values);
      }
    },
    finish: async () => ({
      models: measured.map(({ errors, answers }) => ({
        metrics: { ...metricsOf(NO_CONFUSION, null), rows },
        ...NO_CURVES,
        scoreHistogram: null,
        scoreQuantiles: answers.result().quantiles,
        ...(labelled ? regressionParts(errors.result()) : { regression: null, intervals: {} }),
      })),
      pairs: mappings.slice(1).map(() => ({
        significance: null,
        deltaIntervals: {},
        disagreementMatrix: [],
        scoreShift: null,
        disagreements: 0,
        challengerFixes: 0,
        challengerBreaks: 0,
      })),
      calibration: null,
    }),
  };
}

/** The rows that every model answered, null where that is all of them. */
export function answeredByAll(answers: readonly ModelAnswers[], rows: number): Uint32Array | null {
  if (answers.every(({ predicted }) => !predicted.includes(NO_ANSWER))) return null;
  const keep: number[] = [];
  for (let row = 0; row < rows; row++)
    if (answers.every(({ predicted }) => predicted[row] !== NO_ANSWER)) keep.push(row);
  return Uint32Array.from(keep);
}

function kept<T extends Uint8Array | Float32Array | Float64Array>(values: T, keep: Uint32Array | null): T {
  if (keep === null) return values;
  const out = new (values.constructor as { new (length: number): T })(keep.length);
  for (let index = 0; index < keep.length; index++) out[index] = values[keep[index] as number] as number;
  return out;
}
