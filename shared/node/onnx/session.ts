import * as ort from 'onnxruntime-node';
import { SallyportError } from '../../domain/errors.ts';
import type { OutputMapping } from '../../domain/model/version.ts';
import { negativeLabel, scoreIsPositive } from './output-mapping.ts';
import { readLabels, readScores } from './tensors.ts';
import { type ModelInfo, type Predictions, shorten } from './worker-protocol.ts';

/** A model in memory, ready to run. Only ever made inside a worker process: `run` blocks its thread. */
export interface LoadedModel {
  readonly info: ModelInfo;
  /**
   * `rows` is `count` rows of features, one after another. Throws `input.invalid` for a wrong width or a value that is
   * not finite (with its 1-based row and column), `model.unsupported` where the runtime refuses or answers NaN.
   */
  run(rows: Float32Array, count: number): Promise<Predictions>;
  release(): Promise<void>;
}

type Dimensions = readonly (number | string)[];
interface TensorDescription {
  readonly name: string;
  readonly type: string;
  readonly shape: Dimensions;
}

/**
 * Loads a model from its bytes. Errors: `model.unsupported` (the runtime or this program cannot run it),
 * `model.unmappable` (the mapping names an output it does not have).
 */
export async function loadModel(
  bytes: Uint8Array,
  mapping: OutputMapping,
  options: { readonly intraOpThreads: number },
): Promise<LoadedModel> {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      // Idle runtime threads would spin between calls and take the cores from whoever reads the data.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (cause) {
    throw new SallyportError(
      'model.unsupported',
      `The runtime cannot load this model: ${runtimeText(cause)}`,
      {
        hint: 'The file is kept as it is. Export it again with operators that ONNX Runtime knows, and without side files.',
      },
    );
  }
  try {
    return wrap(session, mapping);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function wrap(session: ort.InferenceSession, mapping: OutputMapping): LoadedModel {
  const inputs = session.inputMetadata.flatMap((value) => (value.isTensor ? [describe(value)] : []));
  const outputs = session.outputMetadata.flatMap((value) => (value.isTensor ? [describe(value)] : []));
  const input = inputs.find(({ name }) => name === mapping.input);
  if (!input) throw unmappable(`The model has no input named "${mapping.input}".`, session.inputNames);
  if (session.inputNames.length !== 1) {
    throw new SallyportError(
      'model.unsupported',
      `The model has ${session.inputNames.length} inputs; detectors with one input can be run.`,
      {
        hint: 'Export the model with all features in one input tensor.',
      },
    );
  }
  const fill = FILL[input.type];
  if (!fill) {
    throw new SallyportError(
      'model.unsupported',
      `The model's input "${input.name}" is ${input.type}; float, double, int32 and int64 can be fed.`,
    );
  }
  const wanted = [mapping.labelOutput, mapping.scoreOutput].filter((name) => name !== null);
  if (wanted.length === 0)
    throw unmappable('The mapping names neither a label nor a score output.', session.outputNames);
  for (const name of wanted) {
    if (!outputs.some((output) => output.name === name)) {
      throw unmappable(`The model has no tensor output named "${name}".`, session.outputNames);
    }
  }

  const [batch, ...rest] = input.shape;
  const fixedBatch = typeof batch === 'number' && batch > 0 ? batch : null;
  const width = rest.every((size) => typeof size === 'number' && size > 0)
    ? rest.reduce<number>((product, size) => product * Number(size), 1)
    : null;
  // A rank-2 input of open width takes any row; a deeper one of open shape cannot be filled from a row.
  const featureCount = rest.length === 0 ? 1 : width;
  if (featureCount === null && rest.length !== 1) {
    throw new SallyportError(
      'model.unsupported',
      `The shape of the model's input "${input.name}" is open in more than one place.`,
    );
  }

  const call = async (rows: Float32Array, count: number, columns: number): Promise<Predictions> => {
    const dimensions = [count, ...(rest.length === 1 ? [columns] : rest.map(Number))];
    const tensor = fill(rows, dimensions);
    let results: ort.InferenceSession.OnnxValueMapType;
    try {
      results = await session.run({ [input.name]: tensor }, wanted);
    } catch (cause) {
      throw new SallyportError(
        'model.unsupported',
        `The runtime stopped on this input: ${runtimeText(cause)}`,
      );
    }
    const scores =
      mapping.scoreOutput === null ? null : readScores(results[mapping.scoreOutput], count, mapping);
    const labels =
      mapping.labelOutput === null
        ? labelsOf(scores, mapping)
        : readLabels(results[mapping.labelOutput], count, mapping.labelOutput);
    return { labels, scores };
  };

  return {
    info: { input, outputs, featureCount, fixedBatch, hasScores: mapping.scoreOutput !== null },
    async run(rows, count) {
      const columns = checkRows(rows, count, featureCount);
      if (fixedBatch === null || fixedBatch === count) return call(rows, count, columns);
      return runSliced(call, rows, count, columns, fixedBatch);
    },
    release: () => session.release(),
  };
}

/** How rows become an input tensor of each type. */
const FILL: Readonly<Record<string, (rows: Float32Array, dimensions: readonly number[]) => ort.Tensor>> = {
  float32: (rows, dimensions) => new ort.Tensor('float32', rows, dimensions),
  float64: (rows, dimensions) => new ort.Tensor('float64', Float64Array.from(rows), dimensions),
  int32: (rows, dimensions) => new ort.Tensor('int32', Int32Array.from(rows, whole), dimensions),
  int64: (rows, dimensions) => {
    const values = new BigInt64Array(rows.length);
    for (const [index, value] of rows.entries()) values[index] = BigInt(whole(value));
    return new ort.Tensor('int64', values, dimensions);
  },
};

/** A fraction would be cut off in silence. */
function whole(value: number): number {
  if (!Number.isInteger(value) || Math.abs(value) > 2 ** 31 - 1) {
    throw new SallyportError('input.invalid', `The model takes whole numbers; ${value} is none it can take.`);
  }
  return value;
}

/** A model of fixed batch size sees slices of it; the last one is filled up with zeros whose answers are dropped. */
async function runSliced(
  call: (rows: Float32Array, count: number, columns: number) => Promise<Predictions>,
  rows: Float32Array,
  count: number,
  columns: number,
  batch: number,
): Promise<Predictions> {
  const labels = new Float64Array(count);
  let scores: Float32Array | null = null;
  for (let start = 0; start < count; start += batch) {
    const take = Math.min(batch, count - start);
    const slice = new Float32Array(batch * columns);
    slice.set(rows.subarray(start * columns, (start + take) * columns));
    const part = await call(slice, batch, columns);
    labels.set(part.labels.subarray(0, take), start);
    if (part.scores) {
      scores ??= new Float32Array(count);
      scores.set(part.scores.subarray(0, take), start);
    }
  }
  return { labels, scores };
}

/** Checks shape and values; answers the number of columns. */
function checkRows(rows: Float32Array, count: number, featureCount: number | null): number {
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
  const bad = firstNonFinite(rows);
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
  const negative = negativeLabel(mapping);
  return Float64Array.from(scores, (score) =>
    scoreIsPositive(mapping, score) ? mapping.positiveLabel : negative,
  );
}

function describe(value: ort.InferenceSession.TensorValueMetadata): TensorDescription {
  return { name: value.name, type: value.type, shape: value.shape };
}

function unmappable(message: string, names: readonly string[]): SallyportError {
  return new SallyportError('model.unmappable', message, {
    hint: `Set the version's output mapping; the model has: ${shorten(names.join(', '), 400)}.`,
  });
}

function runtimeText(cause: unknown): string {
  return shorten(cause instanceof Error ? cause.message : String(cause), 400);
}
