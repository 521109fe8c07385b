/** What a call brings, held against what the model itself says it takes: before the runtime sees any of it. */
import { SallyportError } from '../../shared/domain/errors.ts';
import {
  type ModelInterface,
  type NamedTensor,
  sizeOf,
  TENSOR_ARRAYS,
  type TensorInfo,
} from '../../shared/node/onnx/named-tensor.ts';

export class TooManyRows extends Error {
  constructor(rows: number, most: number) {
    super(`${rows} rows; at most ${most} are taken in one call.`);
  }
}

export interface InputRules {
  /** Most rows of one call. */
  readonly rows: number;
  /** Whether NaN and infinity may reach the model. */
  readonly allowNonFinite: boolean;
  /** Rows will be cut to the batch that the model fixes: their number may be any. */
  readonly anyCount?: boolean;
}

/**
 * Answers the number of rows (1 for a model that knows none). Throws `TooManyRows`, and `input.invalid` for an input
 * that is unknown, missing, there twice, of another type or shape, or holds what is no finite number: the runtime would
 * answer NaN with label 0, "benign". Errors name the input and the row, counted from 1.
 */
export function checkInputs(
  model: ModelInterface,
  inputs: readonly NamedTensor[],
  rules: InputRules,
): number {
  const sizes = new Map<string, number>();
  let rows: number | null = null;
  for (const info of model.inputs) {
    const given = inputs.filter(({ name }) => name === info.name);
    const [tensor] = given;
    if (!tensor) throw invalid(info.name, 'is missing');
    if (given.length > 1) throw invalid(info.name, 'is there more than once');
    checkShape(info, tensor, sizes, rules.anyCount === true && typeof model.batch === 'number');
    if (model.batch === null) continue;
    const [count = 1] = tensor.dims;
    if (rows !== null && rows !== count)
      throw invalid(info.name, `has ${count} rows, the others have ${rows}`);
    rows = count;
  }
  if (inputs.length > model.inputs.length) {
    const known = new Set(model.inputs.map(({ name }) => name));
    const other = inputs.find(({ name }) => !known.has(name));
    throw new SallyportError('input.invalid', `The model has no input "${other?.name ?? ''}".`, {
      facts: { input: other?.name ?? '' },
    });
  }
  const count = rows ?? 1;
  if (count > rules.rows) throw new TooManyRows(count, rules.rows);
  for (const tensor of inputs) checkValues(tensor, model.batch === null ? null : count, rules);
  return count;
}

function checkShape(
  info: TensorInfo,
  { dims, type, data }: NamedTensor,
  sizes: Map<string, number>,
  anyCount: boolean,
): void {
  if (type !== info.type) throw invalid(info.name, `takes ${info.type}, not ${type}`);
  const fits =
    dims.length === info.shape.length &&
    info.shape.every((size, place) => {
      const given = dims[place] ?? 0;
      if (place === 0 && anyCount) return true;
      if (typeof size === 'number') return size === given;
      if (size === null) return true;
      // Dimensions of one name are of one size, over all inputs.
      const known = sizes.get(size) ?? given;
      sizes.set(size, known);
      return known === given;
    });
  if (!fits) throw invalid(info.name, `takes the shape [${shapeText(info)}], not [${dims.join(', ')}]`);
  if (sizeOf(dims) === 0) throw invalid(info.name, 'is empty');
  if (data.length !== sizeOf(dims))
    throw invalid(
      info.name,
      `has ${data.length} values; its shape [${dims.join(', ')}] says ${sizeOf(dims)}`,
    );
  const right = type === 'string' ? Array.isArray(data) : data instanceof TENSOR_ARRAYS[type];
  if (!right) throw invalid(info.name, `is not given as ${type}`);
}

function shapeText({ shape }: TensorInfo): string {
  return shape.map((size) => size ?? '?').join(', ');
}

function checkValues(tensor: NamedTensor, count: number | null, rules: InputRules): void {
  const { name, data } = tensor;
  const found = firstUnfit(tensor, rules);
  if (found === null) return;
  const { at, what } = found;
  if (count === null)
    throw new SallyportError('input.invalid', `Value ${at + 1} of "${name}" ${what}.`, {
      facts: { input: name, value: at + 1 },
    });
  const perRow = data.length / count;
  const row = Math.floor(at / perRow) + 1;
  const value = (at % perRow) + 1;
  throw new SallyportError('input.invalid', `Row ${row}, value ${value} of "${name}" ${what}.`, {
    facts: { input: name, row, value },
  });
}

/** The first value that must not reach the model, and what is wrong with it. */
function firstUnfit(
  tensor: NamedTensor,
  { allowNonFinite }: InputRules,
): { readonly at: number; readonly what: string } | null {
  const found = (at: number, what: string) => (at < 0 ? null : { at, what });
  if (tensor.type === 'bool') return found(firstNoTruth(tensor), 'is neither true nor false');
  // The runtime ends a text there, in silence: what follows would be hidden from the model.
  if (tensor.type === 'string')
    return found(
      (tensor.data as readonly string[]).findIndex((text) => text.includes('\0')),
      'has a NUL character, at which the runtime would cut it off',
    );
  return allowNonFinite ? null : found(firstNonFinite(tensor), 'is not a finite number');
}

/** Index of the first NaN or infinity of a tensor of floats, or -1. */
export function firstNonFinite({ type, data }: NamedTensor): number {
  if (type === 'float16') {
    const bits = data as Uint16Array;
    // All ones in the exponent.
    return bits.findIndex((each) => (each & 0x7c00) === 0x7c00);
  }
  if (type !== 'float32' && type !== 'float64') return -1;
  return firstUnbound(data as Float32Array | Float64Array);
}

function firstUnbound(values: Float32Array | Float64Array): number {
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    // Finite numbers only: NaN - NaN and Infinity - Infinity are NaN.
    if (value - value !== 0) return index;
  }
  return -1;
}

function firstNoTruth({ data }: NamedTensor): number {
  return (data as Uint8Array).findIndex((each) => each > 1);
}

function invalid(input: string, what: string): SallyportError {
  return new SallyportError('input.invalid', `Input "${input}" ${what}.`, { facts: { input } });
}
