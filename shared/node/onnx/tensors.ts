import { SallyportError } from '../../domain/errors.ts';
import type { OutputMapping } from '../../domain/model/version.ts';

/** What is read of a runtime tensor; named by shape, so that only `session.ts` knows the runtime. */
interface Tensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly size: number;
  readonly data: unknown;
}

/** Label values of a [N] or [N, 1] output of any integer, boolean or floating type. */
export function readLabels(output: unknown, count: number, name: string): Float64Array {
  const tensor = asTensor(output, name);
  checkRows(tensor, count, name);
  if (tensor.size !== count) {
    throw new SallyportError(
      'model.unmappable',
      `The label output "${name}" has ${tensor.size / count} values a row instead of one.`,
    );
  }
  if (tensor.type === 'int64' || tensor.type === 'uint64')
    return readInt64(tensor.data as BigInt64Array | BigUint64Array, tensor.type === 'int64');
  if (!NUMERIC.has(tensor.type)) throw unreadable(name, tensor.type);
  const labels = Float64Array.from(tensor.data as Float32Array);
  checkFinite(labels, name);
  return labels;
}

/** The mapped column of a [N], [N, 1] or [N, C] output, as it is: not turned, not clipped. */
export function readScores(output: unknown, count: number, mapping: OutputMapping): Float32Array {
  const name = mapping.scoreOutput ?? '';
  const tensor = asTensor(output, name);
  checkRows(tensor, count, name);
  if (tensor.type !== 'float32' && tensor.type !== 'float64') throw unreadable(name, tensor.type);
  const columns = tensor.size / count;
  if (mapping.scoreColumn >= columns) {
    throw new SallyportError(
      'model.unmappable',
      `The score output "${name}" has ${columns} columns; column ${mapping.scoreColumn} is mapped.`,
    );
  }
  const data = tensor.data as Float32Array | Float64Array;
  const scores = new Float32Array(count);
  for (let row = 0, index = mapping.scoreColumn; row < count; row++, index += columns)
    scores[row] = data[index] as number;
  checkFinite(scores, name);
  return scores;
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
]);

function asTensor(output: unknown, name: string): Tensor {
  if (typeof output !== 'object' || output === null || !('dims' in output)) {
    throw new SallyportError('model.unmappable', `The model answered no tensor for "${name}".`);
  }
  return output as Tensor;
}

function checkRows(tensor: Tensor, count: number, name: string): void {
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
function checkFinite(values: Float32Array | Float64Array, name: string): void {
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
      hint: 'Export the classifier with integer labels and float probabilities (for scikit-learn: zipmap off).',
    },
  );
}
