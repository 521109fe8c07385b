import { SallyportError } from '../errors.ts';
import type { OnnxSummary, OnnxValue } from '../onnx/summary.ts';
import type { OutputMapping } from './version.ts';

type Guess =
  | { readonly ok: true; readonly mapping: OutputMapping }
  | { readonly ok: false; readonly reason: string };

const FED_TYPES = new Set(['float', 'double', 'int64', 'int32']);
const LABEL_TYPES = new Set([
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
]);
const SCORE_TYPES = new Set(['float', 'double', 'float16', 'bfloat16']);
const LABEL_NAME = /label|class|pred/i;
const PROBABILITY_NAME = /prob|confidence|sigmoid|softmax/i;
/** scikit-learn's detectors export `label` (1 normal, -1 anomaly) with `scores` or `decision`, lower = more anomalous. */
const SKLEARN_SCORE = /^(?:output_)?(?:scores?|score_samples|decision(?:_function)?)$/i;
/** Operators that only classifiers end in; scikit-learn's anomaly detectors are exported as regressors and comparisons. */
const CLASSIFIER_OPERATORS = new Set([
  'ArgMax',
  'Sigmoid',
  'Softmax',
  'TreeEnsembleClassifier',
  'LinearClassifier',
  'SVMClassifier',
]);
const ANOMALY_NAME = /anomal|outlier|novelty|reconstruction|error|distance/i;

/**
 * A good guess of how a model's outputs are read, or null where a person (or another export) must help;
 * `explainUnmappable` then says why.
 */
export function guessMapping(summary: OnnxSummary): OutputMapping | null {
  const found = guess(summary);
  return found.ok ? found.mapping : null;
}

/** Why `guessMapping` gives null, and what to do; '' where it does not. */
export function explainUnmappable(summary: OnnxSummary): string {
  const found = guess(summary);
  return found.ok ? '' : found.reason;
}

/** The guess, or `model.unmappable` with the reason. */
export function requireMapping(summary: OnnxSummary): OutputMapping {
  const found = guess(summary);
  if (found.ok) return found.mapping;
  throw new SallyportError('model.unmappable', found.reason, {
    hint: 'The version is kept. Map its outputs by hand, or export it differently and add it as a new version.',
  });
}

function guess(summary: OnnxSummary): Guess {
  const input = inputOf(summary.inputs);
  if (!input.ok) return input;
  const nonTensor = summary.outputs.find((value) => value.kind !== 'tensor');
  const usable = summary.outputs.filter((value) => value.kind === 'tensor');
  const scores = usable.filter((value) => SCORE_TYPES.has(value.elementType));
  const labels = usable.filter((value) => LABEL_TYPES.has(value.elementType) && isPerRow(columnsOf(value)));
  if (scores.length === 0 && nonTensor !== undefined) {
    return refuse(
      `Output "${nonTensor.name}" is a ${nonTensor.kind}${nonTensor.kind === 'sequence' ? ' of maps' : ''}, not a tensor. Export the model with options={"zipmap": False} so that probabilities come as a tensor.`,
    );
  }
  if (labels.length === 0) {
    const text = usable.find((value) => value.elementType === 'string');
    if (text !== undefined)
      return refuse(
        `Output "${text.name}" gives classes as text. Train or export the model with numeric classes (1 = malicious).`,
      );
  }
  const label = labels.find((value) => LABEL_NAME.test(value.name)) ?? labels[0] ?? null;
  const score =
    scores.find((value) => PROBABILITY_NAME.test(value.name)) ??
    scores.find((value) => SKLEARN_SCORE.test(value.name) || ANOMALY_NAME.test(value.name)) ??
    scores[0] ??
    null;
  if (label === null && score === null) {
    return refuse(
      summary.outputs.length === 0
        ? 'The model has no outputs.'
        : `None of the outputs (${summary.outputs.map(describe).join(', ')}) is a class per row or a score per row.`,
    );
  }
  const classifies = summary.operators.some((operator) => CLASSIFIER_OPERATORS.has(operator.type));
  return mapOutputs(input.name, label, score, classifies);
}

function mapOutputs(
  input: string,
  label: OnnxValue | null,
  score: OnnxValue | null,
  classifies: boolean,
): Guess {
  const base = { input, labelOutput: label?.name ?? null, scoreOutput: score?.name ?? null };
  const classifier: OutputMapping = {
    ...base,
    kind: 'classifier',
    scoreColumn: 0,
    positiveLabel: 1,
    threshold: 0.5,
    lowerIsPositive: false,
  };
  if (score === null) return { ok: true, mapping: classifier };
  const columns = columnsOf(score);
  if (columns === 'other') return refuse(`Output ${describe(score)} is not one row of scores per input row.`);
  if (columns !== 'open' && columns > 2) {
    return refuse(
      `Output ${describe(score)} has ${columns} classes; only two (harmless, malicious) can be measured. Map the column of the malicious class by hand.`,
    );
  }
  if (columns === 2) return { ok: true, mapping: { ...classifier, scoreColumn: 1 } };
  if (PROBABILITY_NAME.test(score.name)) {
    // An open width beside a label output is scikit-learn's [N, C]; alone it is more likely one column.
    return {
      ok: true,
      mapping: { ...classifier, scoreColumn: columns === 'open' && label !== null ? 1 : 0 },
    };
  }
  if (SKLEARN_SCORE.test(score.name) && !(classifies && label !== null)) {
    const isScikit = label !== null || !/^score$/i.test(score.name);
    // A lone `score` says nothing of its direction: higher = more anomalous is what most write.
    return {
      ok: true,
      mapping: {
        ...base,
        kind: 'anomaly',
        scoreColumn: 0,
        positiveLabel: isScikit ? -1 : 1,
        threshold: isScikit ? 0 : 0.5,
        lowerIsPositive: isScikit,
      },
    };
  }
  if (ANOMALY_NAME.test(score.name)) return { ok: true, mapping: { ...classifier, kind: 'anomaly' } };
  return { ok: true, mapping: { ...classifier, scoreColumn: columns === 'open' && label !== null ? 1 : 0 } };
}

function inputOf(
  inputs: readonly OnnxValue[],
): { readonly ok: true; readonly name: string } | { readonly ok: false; readonly reason: string } {
  const input = inputs[0];
  if (input === undefined) return refuse('The model has no input.');
  if (inputs.length > 1)
    return refuse(
      `The model has ${inputs.length} inputs (${inputs
        .slice(0, 5)
        .map((value) => `"${value.name}"`)
        .join(', ')}). Export it with one input of shape [N, features].`,
    );
  if (input.kind !== 'tensor' || !FED_TYPES.has(input.elementType))
    return refuse(
      `Input ${describe(input)} does not take numbers. Export the model with one float input of shape [N, features].`,
    );
  if (input.shape !== null && input.shape.length !== 2)
    return refuse(`Input ${describe(input)} is not of shape [N, features].`);
  return { ok: true, name: input.name };
}

function refuse(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

/** Columns per row: 1 for [N] and [N, 1], C for [N, C], `open` where the file does not say, `other` for anything else. */
function columnsOf({ shape }: OnnxValue): number | 'open' | 'other' {
  if (shape === null) return 'open';
  if (shape.length <= 1) return 1;
  if (shape.length > 2) return 'other';
  const size = shape[1];
  return typeof size === 'number' && size > 0 ? size : 'open';
}

function isPerRow(columns: number | 'open' | 'other'): boolean {
  return columns === 1 || columns === 'open';
}

function describe(value: OnnxValue): string {
  const shape =
    value.shape === null ? 'of open shape' : `[${value.shape.map((size) => size ?? '?').join(', ')}]`;
  return `"${value.name}" (${value.elementType} ${value.kind} ${shape})`;
}
