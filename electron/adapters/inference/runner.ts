import { SallyportError } from '../../../shared/domain/errors.ts';
import { NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import type { RunInput } from '../../../shared/node/onnx/feed.ts';
import type { DetailedPredictions } from '../../../shared/node/onnx/row-model.ts';
import type { LoadedModel } from '../../../shared/node/onnx/session.ts';
import type { DatasetBatch } from '../datasets/dataset.ts';
import type { TaskModel } from './evaluate-task.ts';
import { isRegression } from './figures.ts';
import type { ModelAnswers } from './model-answers.ts';
import type { RowSample } from './row-sample.ts';

/** Answers, and what only the run itself knows. */
export interface RawAnswers extends ModelAnswers {
  readonly labels: Float64Array;
  readonly scoreRows: DetailedPredictions['scoreRows'];
  /** Rows without an answer, by index, rising. */
  readonly failed: readonly number[];
  /** What the runtime took, milliseconds; null where nobody measured it apart. */
  readonly runMs: number | null;
}

/** A model of a task on its way through the data. */
export interface Runner {
  readonly model: TaskModel;
  loaded: LoadedModel;
  /** For each feature of the model its place among the numbers of a row, or -1 − its place among the texts. */
  readonly places: readonly number[];
  readonly names: readonly string[];
}

/** More rows that a model refuses one by one than this, and it is not the rows. */
const MAX_FAILURES = 10_000;

/** Runs the model; rows it stops on are found by halving, and stay without an answer as those without a number do. */
export async function answerRows(runner: Runner, input: RunInput): Promise<RawAnswers> {
  const { count } = input;
  const { mapping } = runner.model;
  const answer = await runAround(runner.loaded, input);
  const { labels, scores, scoreRows } = answer;
  const predicted = new Uint8Array(count);
  const failed: number[] = [];
  const decides = !isRegression(mapping);
  for (let row = 0; row < count; row++) {
    const label = labels[row] as number;
    const score = scores === null ? 0 : (scores[row] as number);
    // NaN - NaN and Infinity - Infinity are NaN.
    const answered = score - score === 0 && (!decides || label - label === 0);
    if (!answered) failed.push(row);
    predicted[row] = answered && decides ? (label === mapping.positiveLabel ? 1 : 0) : NO_ANSWER;
  }
  if (scores !== null) for (const row of failed) scores[row] = Number.NaN;
  const runMs = 'runMs' in answer && typeof answer.runMs === 'number' ? answer.runMs : null;
  return { predicted, scores, labels, scoreRows, failed, runMs };
}

async function runAround(loaded: LoadedModel, input: RunInput): Promise<DetailedPredictions> {
  try {
    return await loaded.runDetailed(input);
  } catch (error) {
    if (!isRefusal(error) || input.count === 1) throw error;
    return runInParts(loaded, input, error);
  }
}

async function runInParts(
  loaded: LoadedModel,
  input: RunInput,
  whole: unknown,
): Promise<DetailedPredictions> {
  const { count } = input;
  const labels = new Float64Array(count).fill(Number.NaN);
  const scores = loaded.info.hasScores ? new Float32Array(count).fill(Number.NaN) : null;
  let failures = 0;
  const parts = halves(0, count);
  for (let part = parts.shift(); part; part = parts.shift()) {
    const [from, to] = part;
    try {
      const answer = await loaded.runDetailed(partOf(input, from, to));
      labels.set(answer.labels, from);
      if (answer.scores) scores?.set(answer.scores, from);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (to - from > 1) parts.unshift(...halves(from, to));
      else failures++;
      if (failures > MAX_FAILURES) throw error;
    }
  }
  // A model that answers none of the rows cannot be run on this data.
  if (failures === count) throw whole;
  return { labels, scores, scoreRows: null };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof SallyportError && error.code === 'model.unsupported';

function halves(from: number, to: number): [from: number, to: number][] {
  const middle = (from + to) >> 1;
  return [
    [from, middle],
    [middle, to],
  ];
}

/** Some of the rows as an input of their own. */
export function partOf(input: RunInput, from: number, to: number): RunInput {
  const { rows, count, texts } = input;
  const width = rows.length / count;
  return {
    ...input,
    rows: rows.slice(from * width, to * width),
    count: to - from,
    ...(texts === undefined ? {} : { texts: texts.map((list) => list?.slice(from, to)) }),
  };
}

/** Columns laid side by side into rows, in the order of the model's features. `reuse`: the rows of an input no longer needed. */
export function batchInput(
  { places }: Pick<Runner, 'places'>,
  batch: DatasetBatch,
  count = batch.rows,
  reuse: Float32Array | null = null,
): RunInput {
  const width = places.length;
  // Shared memory: the thread that runs the model reads it where it is.
  const rows =
    reuse?.length === count * width ? reuse : new Float32Array(new SharedArrayBuffer(4 * count * width));
  const texts: (string[] | undefined)[] = [];
  for (let feature = 0; feature < width; feature++) {
    const place = places[feature] as number;
    if (place < 0) {
      texts[feature] = Array.from({ length: count }, (_, row) => batch.text(-1 - place, row));
      continue;
    }
    const column = batch.features[place] as Float32Array;
    for (let row = 0, at = feature; row < count; row++, at += width) rows[at] = column[row] as number;
  }
  return { rows, count, areFinite: true, ...(texts.length === 0 ? {} : { texts }) };
}

/** The same of rows of the sample. */
export function sampleInput(
  { places }: Pick<Runner, 'places'>,
  sample: RowSample,
  chosen: ArrayLike<number>,
): RunInput {
  const count = chosen.length;
  const width = places.length;
  const rows = new Float32Array(count * width);
  const texts: (string[] | undefined)[] = [];
  for (let feature = 0; feature < width; feature++) {
    const place = places[feature] as number;
    if (place < 0) {
      texts[feature] = Array.from(chosen, (row) => sample.texts.get(-1 - place)?.[row] ?? '');
      continue;
    }
    for (let index = 0, at = feature; index < count; index++, at += width)
      rows[at] = sample.features[(chosen[index] as number) * sample.width + place] as number;
  }
  return texts.length === 0 ? { rows, count } : { rows, count, texts };
}
