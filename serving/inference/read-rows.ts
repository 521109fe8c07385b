/** `features` of a predict call as the model's inputs: they share a row in the model's order. */
import { SallyportError } from '../../shared/domain/errors.ts';
import { type InputPlan, type InputPlans, planInputs } from '../../shared/node/onnx/feed.ts';
import {
  type ModelInterface,
  type NamedTensor,
  type NumberArray,
  type NumberType,
  TENSOR_ARRAYS,
  type TensorType,
} from '../../shared/node/onnx/named-tensor.ts';
import { TooManyRows } from './check-inputs.ts';

export interface RowReader {
  /** Values of a row over all inputs; null where the one input leaves its width open. */
  readonly featureCount: number | null;
  /**
   * One row, or rows of one width, of JSON values: numbers, texts where the model takes text, true and false. `null`,
   * which JSON makes of NaN, is NaN to an input of floats. Throws `TooManyRows`, `input.invalid`.
   */
  read(features: unknown, maxRows: number): readonly NamedTensor[];
}

type Row = readonly unknown[];

/** Throws `model.unsupported` for a model whose inputs cannot be filled from rows. */
export function rowReader(model: ModelInterface): RowReader {
  const plans = planInputs(
    model.inputs.map(({ name, type, shape }) => ({
      name,
      tensor: { name, type, shape: shape.map((size) => size ?? '') },
    })),
  );
  return {
    featureCount: plans.featureCount,
    read: (features, maxRows) => readRows(plans, features, maxRows),
  };
}

function readRows(plans: InputPlans, features: unknown, maxRows: number): NamedTensor[] {
  if (!Array.isArray(features) || features.length === 0)
    throw invalid('`features` is a row of numbers, or a list of rows.');
  const list: readonly unknown[] = Array.isArray(features[0]) ? features : [features];
  if (list.length > maxRows) throw new TooManyRows(list.length, maxRows);
  const rows: Row[] = [];
  for (const [index, row] of list.entries()) {
    if (!Array.isArray(row)) throw invalid(`Row ${index + 1} of \`features\` is not a list.`);
    if (row.length !== rows[0]?.length && index > 0)
      throw invalid(
        `Row ${index + 1} of \`features\` has ${row.length} values, the first has ${rows[0]?.length}.`,
      );
    rows.push(row);
  }
  const width = rows[0]?.length ?? 0;
  if (width === 0) throw invalid('Row 1 of `features` is empty.');
  if (plans.featureCount !== null && plans.featureCount !== width)
    throw invalid(`The model takes ${plans.featureCount} values a row, not ${width}.`);
  return plans.inputs.map((plan) => tensorOf(plan, rows, width));
}

function tensorOf(plan: InputPlan, rows: readonly Row[], columns: number): NamedTensor {
  const { input, rest, start } = plan;
  const { name } = input;
  // `planInputs` takes no others.
  const type = input.type as TensorType;
  const width = plan.width ?? columns;
  const dims = [rows.length, ...(plan.width === null ? [columns] : rest.map(Number))];
  if (type === 'string') return { name, type, dims, data: texts(name, rows, start, width) };
  const data =
    type === 'float32' ? floats(name, rows, start, width) : numbers(name, type, rows, start, width);
  return { name, type, dims, data };
}

/** The usual case, without a call per value. What 32 bits cannot hold becomes infinite, and is refused as such. */
function floats(name: string, rows: readonly Row[], start: number, width: number): Float32Array {
  const data = new Float32Array(rows.length * width);
  let at = 0;
  for (const [index, row] of rows.entries()) {
    for (let place = start; place < start + width; place++) {
      const value = row[place];
      if (typeof value === 'number') data[at++] = value;
      else if (value === null) data[at++] = Number.NaN;
      else throw wrong(name, index, place, 'is not a number');
    }
  }
  return data;
}

function numbers(
  name: string,
  type: NumberType,
  rows: readonly Row[],
  start: number,
  width: number,
): NumberArray {
  const length = rows.length * width;
  const halves = type === 'float16' ? new Float16Array(length) : null;
  const data = halves ? new Uint16Array(halves.buffer) : new TENSOR_ARRAYS[type](length);
  const into = (halves ?? data) as { [index: number]: number | bigint };
  const convert = CONVERT[type];
  let at = 0;
  for (const [index, row] of rows.entries()) {
    for (let place = start; place < start + width; place++) {
      const value = convert(row[place]);
      if (value === null)
        throw wrong(name, index, place, NOT[type] ?? `is not a whole number that ${type} holds`);
      into[at++] = value;
    }
  }
  return data;
}

function texts(name: string, rows: readonly Row[], start: number, width: number): string[] {
  const data: string[] = [];
  for (const [index, row] of rows.entries()) {
    for (let place = start; place < start + width; place++) {
      const value = row[place];
      if (typeof value !== 'string') throw wrong(name, index, place, 'is not a text');
      data.push(value);
    }
  }
  return data;
}

/** Null for a value that the type does not hold; never rounded, never wrapped round. */
type Convert = (value: unknown) => number | bigint | null;

const float: Convert = (value) => (typeof value === 'number' ? value : value === null ? Number.NaN : null);
const whole =
  (low: number, high: number): Convert =>
  (value) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? (value as number)
      : null;
/** JSON's numbers are exact up to 2^53. */
const wide =
  (low: number): Convert =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= low ? BigInt(value as number) : null;

const CONVERT: Readonly<Record<NumberType, Convert>> = {
  float16: float,
  float32: float,
  float64: float,
  bool: (value) => (value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : null),
  int8: whole(-128, 127),
  uint8: whole(0, 255),
  int16: whole(-32_768, 32_767),
  uint16: whole(0, 65_535),
  int32: whole(-(2 ** 31), 2 ** 31 - 1),
  uint32: whole(0, 2 ** 32 - 1),
  int64: wide(Number.MIN_SAFE_INTEGER),
  uint64: wide(0),
};

const NOT: Partial<Record<NumberType, string>> = {
  float16: 'is not a number',
  float32: 'is not a number',
  float64: 'is not a number',
  bool: 'is neither true nor false',
};

function wrong(input: string, index: number, place: number, what: string): SallyportError {
  return new SallyportError(
    'input.invalid',
    `Row ${index + 1}, value ${place + 1} of \`features\` ${what} (input "${input}").`,
    {
      facts: { input, row: index + 1, value: place + 1 },
    },
  );
}

function invalid(message: string): SallyportError {
  return new SallyportError('input.invalid', message);
}
