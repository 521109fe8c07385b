/** How rows of numbers and texts become a model's input tensors. */
import { SallyportError } from '../../domain/errors.ts';
import type { PlainTensor, TensorDescription, ValueDescription } from './runtime.ts';

/** Rows for a model. */
export interface RunInput {
  /** `count` rows of features, one after another; places of text features hold any finite number. */
  readonly rows: Float32Array;
  readonly count: number;
  /** By feature, for those that take text: one text a row. */
  readonly texts?: readonly (readonly string[] | undefined)[];
  /** Whoever read the rows has seen that all numbers are finite: they are not looked through again. */
  readonly areFinite?: boolean;
}

export interface Feed {
  /** Values per row over all inputs, or null where the one input leaves its width open. */
  readonly featureCount: number | null;
  /** Rows per call where the model fixes them. */
  readonly fixedBatch: number | null;
  /** Places in a row that take text. */
  readonly textFeatures: readonly number[];
  /** `columns` values a row. Throws `input.invalid` for a number that an input's type cannot hold. */
  feeds(input: RunInput, columns: number): Record<string, PlainTensor>;
}

/** An input's share of a row. */
export interface InputPlan {
  readonly input: TensorDescription;
  /** Its dimensions after the first. */
  readonly rest: readonly (number | string)[];
  /** Values per row, null where open. */
  readonly width: number | null;
  /** Place of the first of them in the row. */
  readonly start: number;
}

export interface InputPlans {
  readonly inputs: readonly InputPlan[];
  /** Values per row over all inputs, or null where the one input leaves its width open. */
  readonly featureCount: number | null;
}

/**
 * The inputs in the model's order share a row: each takes as many of its values as it is wide. Throws
 * `model.unsupported` for inputs that cannot be filled from rows.
 */
export function planInputs(values: readonly ValueDescription[]): InputPlans {
  const inputs: InputPlan[] = [];
  let total = 0;
  for (const value of values) {
    const plan = planOf(value, total);
    inputs.push(plan);
    total += plan.width ?? 0;
  }
  const open = inputs.find(({ width }) => width === null);
  if (open && inputs.length > 1)
    throw new SallyportError(
      'model.unsupported',
      `The model has ${inputs.length} inputs and leaves the width of "${open.input.name}" open: rows cannot be shared out.`,
      { hint: 'Export the model with inputs of fixed width, such as one column each.' },
    );
  return { inputs, featureCount: open ? null : total };
}

/** How rows are fed; throws as `planInputs`. */
export function feedOf(values: readonly ValueDescription[]): Feed {
  const { inputs: plans, featureCount } = planInputs(values);
  const textFeatures = plans.flatMap(({ input, width, start }) =>
    input.type === 'string' ? Array.from({ length: width ?? 0 }, (_, place) => start + place) : [],
  );
  return {
    featureCount,
    fixedBatch: fixedBatchOf(plans),
    textFeatures,
    feeds: ({ rows, count, texts }, columns) => {
      const feeds: Record<string, PlainTensor> = {};
      for (const { input, rest, width, start } of plans) {
        const take = width ?? columns;
        const data =
          input.type === 'string'
            ? textRows(texts, start, take, count, input.name)
            : filled(input.type, take === columns ? rows : part(rows, columns, start, take, count));
        feeds[input.name] = {
          type: input.type,
          dims: [count, ...(width === null ? [columns] : rest.map(Number))],
          data,
        };
      }
      return feeds;
    },
  };
}

function planOf({ name, tensor: input }: ValueDescription, start: number): InputPlan {
  if (input === null)
    throw new SallyportError('model.unsupported', `The model's input "${name}" is no tensor.`, {
      hint: 'Only models that take tensors can be fed with rows.',
    });
  const isText = input.type === 'string';
  if (!isText && FILL[input.type] === undefined)
    throw new SallyportError(
      'model.unsupported',
      `The model's input "${name}" is ${input.type}; numbers, booleans and text can be fed.`,
    );
  const rest = input.shape.slice(1);
  const width = rest.every((size) => typeof size === 'number' && size > 0)
    ? rest.reduce<number>((product, size) => product * Number(size), 1)
    : null;
  // A rank-2 input of open width takes any row; a deeper one of open shape cannot be filled from a row.
  if (width === null && (isText || rest.length !== 1))
    throw new SallyportError(
      'model.unsupported',
      isText
        ? `The model's input "${name}" leaves open how many texts a row has.`
        : `The shape of the model's input "${name}" is open in more than one place.`,
    );
  return { input, rest, width, start };
}

function fixedBatchOf(plans: readonly InputPlan[]): number | null {
  const sizes = new Set<number>();
  for (const { input } of plans) {
    const size = input.shape[0];
    if (typeof size === 'number' && size > 0) sizes.add(size);
  }
  if (sizes.size > 1)
    throw new SallyportError(
      'model.unsupported',
      `The model's inputs are fixed to batches of different sizes (${[...sizes].join(', ')}).`,
    );
  return [...sizes][0] ?? null;
}

/** The `width` values from `start` of each row. */
function part(
  rows: Float32Array,
  columns: number,
  start: number,
  width: number,
  count: number,
): Float32Array {
  const values = new Float32Array(count * width);
  let at = 0;
  for (let row = 0; row < count; row++) {
    const base = row * columns + start;
    for (let place = 0; place < width; place++) values[at++] = rows[base + place] as number;
  }
  return values;
}

function textRows(
  texts: RunInput['texts'],
  start: number,
  width: number,
  count: number,
  name: string,
): string[] {
  const columns = Array.from({ length: width }, (_, place) => texts?.[start + place]);
  const missing = columns.findIndex((column) => column?.length !== count);
  if (missing >= 0)
    throw new SallyportError(
      'input.invalid',
      `The model takes text in "${name}", and the rows bring none for feature ${start + missing + 1}.`,
      { facts: { input: name, feature: start + missing + 1 } },
    );
  const values: string[] = [];
  for (let row = 0; row < count; row++) for (const column of columns) values.push(column?.[row] ?? '');
  return values;
}

/** How numbers become data of each type. A value that the type cannot hold is refused, never wrapped round. */
const FILL: Readonly<Record<string, (rows: Float32Array) => unknown>> = {
  float32: (rows) => rows,
  float64: (rows) => Float64Array.from(rows),
  float16: (rows) => new Uint16Array(Float16Array.from(rows).buffer),
  bool: (rows) => Uint8Array.from(rows, within('bool', 0, 1)),
  int8: (rows) => Int8Array.from(rows, within('int8', -128, 127)),
  uint8: (rows) => Uint8Array.from(rows, within('uint8', 0, 255)),
  int16: (rows) => Int16Array.from(rows, within('int16', -32_768, 32_767)),
  uint16: (rows) => Uint16Array.from(rows, within('uint16', 0, 65_535)),
  int32: (rows) => Int32Array.from(rows, within('int32', -LARGEST, LARGEST)),
  uint32: (rows) => Uint32Array.from(rows, within('uint32', 0, LARGEST)),
  int64: (rows) => wide(new BigInt64Array(rows.length), rows, within('int64', -LARGEST, LARGEST)),
  uint64: (rows) => wide(new BigUint64Array(rows.length), rows, within('uint64', 0, LARGEST)),
};

const LARGEST = 2 ** 31 - 1;

function filled(type: string, rows: Float32Array): unknown {
  // `planOf` has refused types that are not there.
  return FILL[type]?.(rows);
}

/** A fraction would be cut off in silence, and a large number wrapped round. */
function within(type: string, low: number, high: number): (value: number) => number {
  return (value) => {
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new SallyportError(
      'input.invalid',
      type === 'bool'
        ? `The model takes true and false (1 and 0); ${value} is neither.`
        : `The model takes whole numbers (${type}); ${value} is none it can take.`,
    );
  };
}

function wide<T extends BigInt64Array | BigUint64Array>(
  into: T,
  rows: Float32Array,
  whole: (value: number) => number,
): T {
  for (let index = 0; index < rows.length; index++) into[index] = BigInt(whole(rows[index] as number));
  return into;
}
