/** A model's first runs, before it takes traffic: so that nobody waits for them, and to see how it behaves. */
import { SallyportError } from '../../shared/domain/errors.ts';
import {
  type ModelInterface,
  type NamedTensor,
  type NumberArray,
  type NumberType,
  sizeOf,
  TENSOR_ARRAYS,
  type TensorInfo,
} from '../../shared/node/onnx/named-tensor.ts';
import { cutRows, joinRows } from './tensor-rows.ts';

type Run = (inputs: readonly NamedTensor[], outputs: readonly string[]) => Promise<readonly NamedTensor[]>;

/** Rows of the test, each run alone and all of them together. */
const ROWS = 3;
/** Of one input; a model may name any size for it. */
const MOST_VALUES = 2 ** 24;
/** A sum in another order differs in its last digits. */
const TOLERANCE = 1e-4;

/**
 * Runs neutral input, and answers whether rows of several callers may be run together: they may where each gets the
 * same answer as alone. Throws `engine.*` for a model that ends its process; one that refuses neutral input is let be.
 */
export async function warmUp(info: ModelInterface, run: Run): Promise<boolean> {
  const outputs = info.outputs.map(({ name }) => name);
  try {
    const fixed = typeof info.batch === 'number' ? info.batch : 1;
    const neutral = await run(
      inputsOf(info, fixed, () => 0),
      outputs,
    );
    if (info.batch !== 'open') return false;
    const rows = Array.from({ length: ROWS }, (_, row) => inputsOf(info, 1, valuesOf(row)));
    const alone = [neutral];
    for (const row of rows) alone.push(await run(row, outputs));
    const all = [inputsOf(info, 1, () => 0), ...rows];
    const joined = await run(
      info.inputs.map((_, place) => joinRows(all.map((row) => row[place] as NamedTensor))),
      outputs,
    );
    return alone.every((answers, row) =>
      answers.every((answer, place) => sameRow(answer, joined[place], row, alone.length)),
    );
  } catch (error) {
    if (error instanceof SallyportError && !error.code.startsWith('engine.')) return false;
    throw error;
  }
}

function inputsOf(info: ModelInterface, rows: number, next: () => number): NamedTensor[] {
  return info.inputs.map((input) => inputOf(input, info.batch === null ? null : rows, next));
}

/** Dimensions the model leaves open are 1. */
function inputOf({ name, type, shape }: TensorInfo, rows: number | null, next: () => number): NamedTensor {
  const dims = shape.map((size, place) =>
    place === 0 && rows !== null ? rows : typeof size === 'number' ? size : 1,
  );
  const length = sizeOf(dims);
  if (length > MOST_VALUES)
    throw new SallyportError('model.unsupported', `The input "${name}" is too large to be tried out.`);
  if (type === 'string') return { name, type, dims, data: new Array<string>(length).fill('') };
  return { name, type, dims, data: numbers(type, length, next) };
}

/** Whole numbers are 0 or 1: many are places in a table. */
function numbers(type: NumberType, length: number, next: () => number): NumberArray {
  const data = new TENSOR_ARRAYS[type](length);
  const target = type === 'float16' ? new Float16Array(data.buffer as ArrayBuffer) : data;
  for (let index = 0; index < length; index++) {
    const value = next();
    const whole = Math.abs(Math.round(value)) % 2;
    const fitting = type.startsWith('float') ? value : type.endsWith('64') ? BigInt(whole) : whole;
    (target as { [index: number]: number | bigint })[index] = fitting;
  }
  return data;
}

/** Fractions of both signs that differ from row to row; the same at each start (Weyl's sequence). */
function valuesOf(row: number): () => number {
  let at = row + 1;
  return () => {
    at += 0.618_033_988_749_895;
    return 4 * (at % 1) - 2;
  };
}

function sameRow(alone: NamedTensor, joined: NamedTensor | undefined, row: number, rows: number): boolean {
  if (!joined || joined.dims[0] !== rows || alone.dims[0] !== 1) return false;
  const { data } = cutRows(joined, row, 1);
  if (data.length !== alone.data.length) return false;
  const isFloat = alone.type === 'float32' || alone.type === 'float64';
  return Array.from<unknown>(alone.data as ArrayLike<unknown>).every((value, index) => {
    const other: unknown = data[index];
    if (Object.is(value, other)) return true;
    const [a, b] = [Number(value), Number(other)];
    return isFloat ? Math.abs(a - b) <= TOLERANCE * (1 + Math.abs(a)) : value === other;
  });
}
