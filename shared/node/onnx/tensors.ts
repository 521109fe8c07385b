import { SallyportError } from '../../domain/errors.ts';
import type { OutputMapping } from '../../domain/model/version.ts';
import type { RuntimeTensor } from './runtime.ts';

/** Every column of a score output, row by row. */
export interface ScoreRows {
  readonly columns: number;
  readonly values: Float32Array | Float64Array;
}

/**
 * Label values of a [N] or [N, 1] output of any integer, boolean or floating type; of text, the place of each among
 * `classes`, and -1 for one that is not there.
 */
export function readLabels(
  output: unknown,
  count: number,
  name: string,
  classes?: readonly string[],
): Float64Array {
  const tensor = asTensor(output, name);
  checkRows(tensor, count, name);
  if (tensor.size !== count) {
    throw new SallyportError(
      'model.unmappable',
      `The label output "${name}" has ${tensor.size / count} values a row instead of one.`,
    );
  }
  if (tensor.type === 'string' && classes !== undefined)
    return readTexts(tensor.data as readonly string[], classes);
  return Float64Array.from(numbersOf(tensor, name));
}

/** A [N], [N, 1] or [N, C] output of numbers, as it is. Single and double precision are views, nothing is copied. */
export function readScoreRows(output: unknown, count: number, name: string): ScoreRows {
  const tensor = asTensor(output, name);
  checkRows(tensor, count, name);
  const columns = tensor.size / count;
  if (tensor.type === 'bool') throw unreadable(name, tensor.type);
  const data = numbersOf(tensor, name);
  if (data instanceof Float32Array || data instanceof Float64Array) return { columns, values: data };
  return { columns, values: Float64Array.from(data) };
}

/** The mapped column, as it is: not turned, not clipped. */
export function scoreColumn(
  { columns, values }: ScoreRows,
  count: number,
  mapping: OutputMapping,
): Float32Array {
  if (mapping.scoreColumn >= columns) {
    throw new SallyportError(
      'model.unmappable',
      `The score output "${mapping.scoreOutput ?? ''}" has ${columns} columns; column ${mapping.scoreColumn} is mapped.`,
    );
  }
  const scores = new Float32Array(count);
  for (let row = 0, index = mapping.scoreColumn; row < count; row++, index += columns)
    scores[row] = values[index] as number;
  return scores;
}

function numbersOf({ type, data }: RuntimeTensor, name: string): ArrayLike<number> {
  if (type === 'int64' || type === 'uint64')
    return readInt64(data as BigInt64Array | BigUint64Array, type === 'int64');
  if (!NUMERIC.has(type)) throw unreadable(name, type);
  return data as ArrayLike<number>;
}

function readTexts(data: readonly string[], classes: readonly string[]): Float64Array {
  const placeOf = new Map(classes.map((label, place) => [label, place]));
  return Float64Array.from(data, (text) => placeOf.get(text) ?? -1);
}

const NUMERIC = new Set([
  'float32',
  'float64',
  'int32',
  'uint32',
  'int16',
  'uint16',
  'int8',
  'uint8',
  'bool',
  'float16',
]);

function asTensor(output: unknown, name: string): RuntimeTensor {
  if (typeof output !== 'object' || output === null || !('dims' in output)) {
    throw new SallyportError('model.unmappable', `The model answered no tensor for "${name}".`);
  }
  return output as RuntimeTensor;
}

function checkRows(tensor: RuntimeTensor, count: number, name: string): void {
  if (tensor.dims[0] !== count || tensor.size % count !== 0) {
    throw new SallyportError(
      'model.unmappable',
      `The output "${name}" has shape [${tensor.dims.join(', ')}] for ${count} rows: it is not one answer a row.`,
    );
  }
}

/** Reads 64-bit integers by halves: a BigInt per row costs an allocation each. Exact up to 2^53, which labels are. */
function readInt64(data: BigInt64Array | BigUint64Array, signed: boolean): Float64Array {
  const low = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  const high = signed ? new Int32Array(data.buffer, data.byteOffset, data.length * 2) : low;
  const labels = new Float64Array(data.length);
  for (let row = 0; row < data.length; row++) {
    labels[row] = (high[2 * row + 1] as number) * 0x1_0000_0000 + (low[2 * row] as number);
  }
  return labels;
}

/** A NaN that reached a metric or an answer would look like a decision. */
export function checkFinite(values: Float32Array | Float64Array, name: string): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] as number;
    if (value - value !== 0) {
      throw new SallyportError(
        'model.unsupported',
        `The model answered ${value} in "${name}" for row ${row + 1} of a batch of finite inputs.`,
        {
          hint: 'No figure was computed from it. The model overflows on this input; inspect its scaling.',
          facts: { row: row + 1, output: name },
        },
      );
    }
  }
}

function unreadable(name: string, type: string): SallyportError {
  return new SallyportError(
    'model.unmappable',
    `The output "${name}" holds ${type} values, which are not read as labels or scores.`,
    {
      hint: 'Export the classifier with labels that are whole numbers or named classes, and with float probabilities.',
    },
  );
}
