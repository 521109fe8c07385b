/** Rows of features in, labels and scores out, over anything that runs a model's tensors. */
import { SallyportError } from '../../domain/errors.ts';
import type { OutputMapping } from '../../domain/model/version.ts';
import { feedOf, type RunInput } from './feed.ts';
import { negativeLabel, scoreIsPositive } from './output-mapping.ts';
import type { RuntimeSession, RuntimeTensor } from './runtime.ts';
import { shorten } from './shorten.ts';
import { checkFinite, readLabels, readScoreRows, type ScoreRows, scoreColumn } from './tensors.ts';
import type { ModelInfo, Predictions } from './worker-protocol.ts';

/** A model's answers as they are: nothing is refused, labels and scores may be NaN or infinite. */
export interface DetailedPredictions extends Predictions {
  /** All columns of the score output, row by row; null where the model has none. */
  readonly scoreRows: ScoreRows | null;
}

/** What runs the tensors: a session of this process, or one behind a process boundary. */
export type TensorRunner = Pick<RuntimeSession, 'inputs' | 'outputs' | 'run'>;

export interface RowModel {
  readonly info: ModelInfo;
  /**
   * `rows` is `count` rows of features, one after another. Throws `input.invalid` for a wrong width or a value that is
   * not finite (with its 1-based row and column), `model.unsupported` where the runtime refuses or answers NaN.
   */
  run(rows: Float32Array, count: number): Promise<Predictions>;
  /** The same with text features and every column of the scores; answers that are not finite are no error here. */
  runDetailed(input: RunInput): Promise<DetailedPredictions>;
}

/** Reads labels and scores out of a model's outputs, as a mapping says. */
export interface AnswerReader {
  /** The outputs it reads. */
  readonly wanted: readonly string[];
  /** Answers that are not finite are no error here. */
  read(results: Readonly<Record<string, RuntimeTensor | undefined>>, count: number): DetailedPredictions;
  /** Throws `model.unsupported` for a label or score that is no finite number. */
  check(predictions: Predictions): void;
}

/** `model.unmappable` where the mapping names an output the model does not have. */
export function answerReader(outputs: TensorRunner['outputs'], mapping: OutputMapping): AnswerReader {
  const { labelOutput, scoreOutput, classes } = mapping;
  const wanted = [labelOutput, scoreOutput].filter((name) => name !== null);
  if (wanted.length === 0) throw unmappable('The mapping names neither a label nor a score output.', outputs);
  for (const name of wanted) {
    if (!outputs.some((output) => output.name === name && output.tensor !== null))
      throw unmappable(`The model has no tensor output named "${name}".`, outputs);
  }
  return {
    wanted,
    read(results, count) {
      const scoreRows = scoreOutput === null ? null : readScoreRows(results[scoreOutput], count, scoreOutput);
      const scores = scoreRows === null ? null : scoreColumn(scoreRows, count, mapping);
      const labels =
        labelOutput === null
          ? labelsOf(scores, mapping)
          : readLabels(results[labelOutput], count, labelOutput, classes);
      return { labels, scores, scoreRows };
    },
    check({ labels, scores }) {
      if (scores) checkFinite(scores, scoreOutput ?? '');
      if (labelOutput !== null) checkFinite(labels, labelOutput);
    },
  };
}

/**
 * Errors: `model.unmappable` (the mapping names an input or output the model does not have), `model.unsupported` (its
 * inputs cannot be filled from rows).
 */
export function rowModel(session: TensorRunner, mapping: OutputMapping): RowModel {
  const first = session.inputs.find(({ name }) => name === mapping.input);
  if (!first) throw unmappable(`The model has no input named "${mapping.input}".`, session.inputs);
  const feed = feedOf(session.inputs);
  const { featureCount, fixedBatch, textFeatures } = feed;
  const answers = answerReader(session.outputs, mapping);
  const call = async (input: RunInput, columns: number): Promise<DetailedPredictions> =>
    answers.read(await session.run(feed.feeds(input, columns), answers.wanted), input.count);
  const runDetailed = async (input: RunInput): Promise<DetailedPredictions> => {
    const columns = checkRows(input, featureCount);
    if (fixedBatch === null || fixedBatch === input.count) return call(input, columns);
    return runSliced((part) => call(part, columns), input, columns, fixedBatch);
  };

  return {
    info: {
      input: first.tensor ?? { name: first.name, type: 'unknown', shape: [] },
      outputs: session.outputs.flatMap(({ tensor }) => (tensor === null ? [] : [tensor])),
      featureCount,
      fixedBatch,
      hasScores: mapping.scoreOutput !== null,
      textFeatures,
    },
    runDetailed,
    async run(rows, count) {
      const { labels, scores } = await runDetailed({ rows, count });
      answers.check({ labels, scores });
      return { labels, scores };
    },
  };
}

/** A model of fixed batch size sees slices of it; the last one is filled up with zeros whose answers are dropped. */
async function runSliced(
  call: (input: RunInput) => Promise<DetailedPredictions>,
  { rows, count, texts }: RunInput,
  columns: number,
  batch: number,
): Promise<DetailedPredictions> {
  const labels = new Float64Array(count);
  let scores: Float32Array | null = null;
  let scoreRows: { readonly columns: number; readonly values: Float64Array } | null = null;
  for (let start = 0; start < count; start += batch) {
    const take = Math.min(batch, count - start);
    const slice = new Float32Array(batch * columns);
    slice.set(rows.subarray(start * columns, (start + take) * columns));
    const part = await call({
      rows: slice,
      count: batch,
      ...(texts === undefined ? {} : { texts: texts.map((list) => list && padded(list, start, batch)) }),
    });
    labels.set(part.labels.subarray(0, take), start);
    if (part.scores) {
      scores ??= new Float32Array(count);
      scores.set(part.scores.subarray(0, take), start);
    }
    if (part.scoreRows) {
      const { columns: width, values } = part.scoreRows;
      scoreRows ??= { columns: width, values: new Float64Array(count * width) };
      scoreRows.values.set(values.subarray(0, take * width), start * width);
    }
  }
  return { labels, scores, scoreRows };
}

function padded(texts: readonly string[], start: number, batch: number): string[] {
  const part = texts.slice(start, start + batch);
  while (part.length < batch) part.push('');
  return part;
}

/** Checks shape and values; answers the number of columns. */
function checkRows({ rows, count, areFinite }: RunInput, featureCount: number | null): number {
  const columns = count > 0 ? rows.length / count : Number.NaN;
  if (!Number.isInteger(columns) || columns < 1 || (featureCount !== null && columns !== featureCount)) {
    throw new SallyportError(
      'input.invalid',
      `The model takes ${featureCount ?? 'some'} features a row; ${rows.length} values for ${count} rows do not fit.`,
      {
        facts: { expected: featureCount, values: rows.length, rows: count },
      },
    );
  }
  // onnxruntime answers NaN features with label 0 (linear models, networks) or a plausible score (forests).
  const bad = areFinite === true ? -1 : firstNonFinite(rows);
  if (bad >= 0) {
    const row = Math.floor(bad / columns) + 1;
    const column = (bad % columns) + 1;
    throw new SallyportError('input.invalid', `Row ${row}, feature ${column} is not a finite number.`, {
      facts: { row, column },
    });
  }
  return columns;
}

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(values: Float32Array): number {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    // Finite numbers only: NaN - NaN and Infinity - Infinity are NaN.
    if (value - value !== 0) return index;
  }
  return -1;
}

function labelsOf(scores: Float32Array | null, mapping: OutputMapping): Float64Array {
  if (!scores)
    throw new SallyportError('model.unmappable', 'The mapping names neither a label nor a score output.');
  // A model that answers a number: it is its own label.
  if (mapping.kind === 'regression') return Float64Array.from(scores);
  const negative = negativeLabel(mapping);
  return Float64Array.from(scores, (score) =>
    scoreIsPositive(mapping, score) ? mapping.positiveLabel : negative,
  );
}

function unmappable(message: string, values: readonly { readonly name: string }[]): SallyportError {
  const names = values.map(({ name }) => name).join(', ');
  return new SallyportError('model.unmappable', message, {
    hint: `Set the version's output mapping; the model has: ${shorten(names, 400)}.`,
  });
}
