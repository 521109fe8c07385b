import { SallyportError } from '../errors.ts';
import type { OnnxSummary, OnnxValue } from '../onnx/summary.ts';
import { widthOf } from './feature-columns.ts';
import type { OutputMapping } from './version.ts';

type Guess =
  | { readonly ok: true; readonly mapping: OutputMapping }
  | { readonly ok: false; readonly reason: string };

const FED_TYPES = new Set([
  'float',
  'double',
  'float16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint64',
  'uint32',
  'uint16',
  'uint8',
  'bool',
  'string',
]);
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

/** What a class of malicious rows is called, and one of harmless rows. */
const POSITIVE_NAME =
  /^(?:1|1\.0|true|yes|positive|malicious|malware|attack|intrusion|anomaly|anomalous|phish|phishing|spam|bad|threat|fraud|botnet|exploit|suspicious)$/i;
const NEGATIVE_NAME =
  /^(?:0|0\.0|-1|-1\.0|false|no|negative|benign|normal|ham|legitimate|legit|clean|goodware|good|harmless|safe|background)$/i;
/** Operators whose output is a number, not a class. */
const REGRESSORS = new Set(['TreeEnsembleRegressor', 'LinearRegressor', 'SVMRegressor']);

/**
 * A person's mapping with what follows from the file: the classes that a label of text is read by. Throws
 * `input.invalid` where there are none, or the malicious one is not among them.
 */
export function completeMapping(summary: OnnxSummary, mapping: OutputMapping): OutputMapping {
  const { classes: _former, ...rest } = mapping;
  const label = summary.outputs.find(({ name }) => name === mapping.labelOutput);
  if (label?.elementType !== 'string') return rest;
  if (summary.classes?.kind !== 'text')
    throw new SallyportError(
      'input.invalid',
      `Output "${label.name}" gives classes as text, and the model does not name them.`,
      { hint: 'Nothing was changed. Map the score alone, or export the model with numeric classes.' },
    );
  const { labels } = summary.classes;
  if (labels[mapping.positiveLabel] === undefined)
    throw new SallyportError(
      'input.invalid',
      `The malicious class of a label of text is its place in the list (0 = ${labels[0] ?? ''}, …); ${mapping.positiveLabel} is none.`,
      { hint: 'Nothing was changed.' },
    );
  return { ...rest, classes: [...labels] };
}

function guess(summary: OnnxSummary): Guess {
  const input = inputOf(summary.inputs);
  if (!input.ok) return input;
  const zipped = zippedOf(summary);
  const nonTensor = summary.outputs.find((value) => value.kind !== 'tensor' && value !== zipped);
  const usable = summary.outputs.filter((value) => value.kind === 'tensor');
  const scores = usable.filter((value) => SCORE_TYPES.has(value.elementType));
  const labels = usable.filter(
    (value) =>
      (LABEL_TYPES.has(value.elementType) || value.elementType === 'string') && isPerRow(columnsOf(value)),
  );
  if (scores.length === 0 && zipped === null && nonTensor !== undefined) {
    return refuse(
      `Output "${nonTensor.name}" is a ${nonTensor.kind}${nonTensor.kind === 'sequence' ? ' of maps' : ''}, not a tensor. Export the model with options={"zipmap": False} so that probabilities come as a tensor.`,
    );
  }
  const numbered = labels.filter((value) => value.elementType !== 'string');
  const label = numbered.find((value) => LABEL_NAME.test(value.name)) ?? numbered[0] ?? labels[0] ?? null;
  const isText = label?.elementType === 'string';
  if (isText && summary.classes?.kind !== 'text')
    return refuse(
      `Output "${label.name}" gives classes as text, and the model does not name them. Train or export the model with numeric classes (1 = malicious).`,
    );
  const classes = label === null ? null : classesOf(summary);
  const perClass =
    classes !== null && classes.labels.length > 1 && scores.length === classes.labels.length
      ? scores.every((value) => columnsOf(value) === 1)
      : false;
  const score =
    zipped ??
    (perClass && classes !== null ? scores[positiveOf(classes)] : undefined) ??
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
  const mapped =
    classes !== null &&
    (isText || score === null || score === zipped || classes.labels.length > 2 || perClass)
      ? mapClasses(input.name, label, score, classes, isText, perClass)
      : mapOutputs(input.name, label, score, endsInClasses(summary));
  if (mapped.ok && isNumberAnswering(summary, label, score)) return regressionOf(mapped.mapping);
  return mapped.ok && summary.labelsUnreliable === true ? withoutLabel(mapped.mapping) : mapped;
}

/** By its score alone, where the runtime answers wrong labels beside right probabilities. */
function withoutLabel({ classes, ...mapping }: OutputMapping): Guess {
  if (mapping.scoreOutput === null || mapping.labelOutput === null)
    return { ok: true, mapping: classes === undefined ? mapping : { ...mapping, classes } };
  const positiveLabel = classes === undefined ? mapping.positiveLabel : 1;
  return { ok: true, mapping: { ...mapping, labelOutput: null, positiveLabel, threshold: 0.5 } };
}

/** A ZipMap's list of dictionaries, whose tensor can be read: the classes say which column is whose. */
function zippedOf({ operators, outputs, classes }: OnnxSummary): OnnxValue | null {
  const isZipped = operators.some(({ domain, type }) => domain === 'ai.onnx.ml' && type === 'ZipMap');
  if (!isZipped || classes === undefined) return null;
  return outputs.find((value) => value.kind === 'sequence' && value.elementType === 'float') ?? null;
}

function classesOf({ classes }: OnnxSummary): Classes | null {
  return classes === undefined || classes.labels.length === 0 ? null : classes;
}

type Classes = NonNullable<OnnxSummary['classes']>;

/**
 * Place of the class that means malicious: of two the one that is called so, or the other of a harmless one; of more
 * the only one that is not harmless, for a rule over several is a person's to make. Else -1.
 */
function positiveOf({ labels }: Classes): number {
  const named = labels.findIndex((label) => POSITIVE_NAME.test(label.trim()));
  if (labels.length <= 2 && named >= 0) return named;
  const others = labels.flatMap((label, place) => (NEGATIVE_NAME.test(label.trim()) ? [] : [place]));
  return others.length === 1 ? (others[0] ?? -1) : -1;
}

/** A classifier whose classes are named: the column and the label of the malicious one. */
function mapClasses(
  input: string,
  label: OnnxValue | null,
  score: OnnxValue | null,
  classes: Classes,
  isText: boolean,
  perClass: boolean,
): Guess {
  const positive = positiveOf(classes);
  if (positive < 0)
    return refuse(
      `The model tells ${classes.labels.length} classes apart (${classes.labels.slice(0, 8).join(', ')}${classes.labels.length > 8 ? ', …' : ''}), and none is plainly the malicious one. Map the column of the malicious class by hand.`,
    );
  return {
    ok: true,
    mapping: {
      kind: 'classifier',
      input,
      labelOutput: label?.name ?? null,
      scoreOutput: score?.name ?? null,
      scoreColumn: score === null || perClass || columnsOf(score) === 1 ? 0 : positive,
      positiveLabel: isText ? positive : Number(classes.labels[positive]),
      threshold: 0.5,
      lowerIsPositive: false,
      ...(isText ? { classes: [...classes.labels] } : {}),
    },
  };
}

function endsInClasses({ operators }: OnnxSummary): boolean {
  return operators.some(({ type }) => CLASSIFIER_OPERATORS.has(type));
}

/** One number a row out of a regressor, and no class: a plain answer, such as a predicted severity. */
function isNumberAnswering(
  { operators }: OnnxSummary,
  label: OnnxValue | null,
  score: OnnxValue | null,
): boolean {
  if (label !== null || score === null || columnsOf(score) !== 1) return false;
  if (PROBABILITY_NAME.test(score.name) || SKLEARN_SCORE.test(score.name) || ANOMALY_NAME.test(score.name))
    return false;
  return (
    operators.some(({ domain, type }) => domain === 'ai.onnx.ml' && REGRESSORS.has(type)) &&
    !operators.some(({ type }) => CLASSIFIER_OPERATORS.has(type))
  );
}

function regressionOf(mapping: OutputMapping): Guess {
  return { ok: true, mapping: { ...mapping, kind: 'regression', scoreColumn: 0 } };
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
  const [input] = inputs;
  if (input === undefined) return refuse('The model has no input.');
  const unfed = inputs.find((value) => value.kind !== 'tensor' || !FED_TYPES.has(value.elementType));
  if (unfed !== undefined)
    return refuse(
      `Input ${describe(unfed)} takes neither numbers nor text. Export the model with float inputs of shape [N, features].`,
    );
  if (inputs.length === 1 && input.elementType !== 'string') {
    if (input.shape !== null && input.shape.length !== 2)
      return refuse(`Input ${describe(input)} is not of shape [N, features].`);
    return { ok: true, name: input.name };
  }
  // A row is shared out among the inputs, and texts are counted: each has to say how many of its values it takes.
  const open = inputs.find((value) => widthOf(value) === null);
  if (open !== undefined)
    return refuse(
      `The model has ${inputs.length} inputs, and ${describe(open)} does not say how many values of a row it takes. Export it with inputs of shape [N, 1], one a column.`,
    );
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
