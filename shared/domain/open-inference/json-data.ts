/** `data` of a tensor in JSON, to elements. */
import { type Datatype, elementCount, placeOf, type TensorData } from './datatypes.ts';
import { unfit } from './problem.ts';

export interface JsonTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: unknown;
  /** `data` once more, with whole numbers beyond 2^53 as BigInt. Asked for where one is met, because it takes time. */
  readonly exactData: () => unknown;
  /** Elements the request has room for: a shape that says more is not believed. */
  readonly atMost: number;
}

/** Throws (422) with the input's name and the place of the first element that does not fit. */
export function readJsonData(tensor: JsonTensor): TensorData {
  const { name, datatype, shape, data } = tensor;
  const count = elementCount(shape);
  if (!Array.isArray(data)) throw unfit(`Input "${name}": \`data\` is not a list.`);
  if (datatype === 'FP16')
    throw unfit(`Input "${name}": FP16 is taken as binary data only, which JSON has no numbers for.`);
  if (count > tensor.atMost)
    throw unfit(`Input "${name}": its shape says ${count} elements, more than \`data\` holds.`);
  const flat = flatten(name, shape, data, count);
  switch (datatype) {
    case 'BYTES':
      return filled(tensor, flat, new Array<string>(count), asText, 'text');
    case 'BOOL':
      return filled(tensor, flat, new Uint8Array(count), asBool, 'true or false');
    case 'FP32':
      return filled(tensor, flat, new Float32Array(count), asSingle, 'a finite 32-bit number');
    case 'FP64':
      return filled(tensor, flat, new Float64Array(count), asDouble, 'a finite number');
    case 'INT64':
      return wide(tensor, flat, new BigInt64Array(count), -(2n ** 63n), 2n ** 63n - 1n);
    case 'UINT64':
      return wide(tensor, flat, new BigUint64Array(count), 0n, 2n ** 64n - 1n);
    default: {
      const { into, low, high } = WHOLE[datatype];
      return filled(tensor, flat, into(count), within(low, high), `a whole number of ${datatype}`);
    }
  }
}

const WHOLE = {
  INT8: { into: (count: number) => new Int8Array(count), low: -128, high: 127 },
  UINT8: { into: (count: number) => new Uint8Array(count), low: 0, high: 255 },
  INT16: { into: (count: number) => new Int16Array(count), low: -32_768, high: 32_767 },
  UINT16: { into: (count: number) => new Uint16Array(count), low: 0, high: 65_535 },
  INT32: { into: (count: number) => new Int32Array(count), low: -(2 ** 31), high: 2 ** 31 - 1 },
  UINT32: { into: (count: number) => new Uint32Array(count), low: 0, high: 2 ** 32 - 1 },
} as const;

/** The elements in one list; `data` is that list already, or lists in lists that have exactly the shape. */
function flatten(
  name: string,
  shape: readonly number[],
  data: readonly unknown[],
  count: number,
): readonly unknown[] {
  if (!Array.isArray(data[0])) {
    if (data.length === count) return data;
    throw unfit(
      `Input "${name}": \`data\` has ${data.length} elements; its shape [${shape.join(', ')}] holds ${count}.`,
    );
  }
  const flat = new Array<unknown>(count);
  let at = 0;
  const walk = (list: unknown, depth: number): void => {
    const size = shape[depth];
    if (!Array.isArray(list) || size === undefined || list.length !== size)
      throw unfit(
        `Input "${name}": near ${placeOf(at, shape)}, \`data\` does not have the shape [${shape.join(', ')}].`,
      );
    if (depth < shape.length - 1) {
      for (const part of list) walk(part, depth + 1);
      return;
    }
    for (let index = 0; index < size; index++) flat[at++] = list[index];
  };
  walk(data, 0);
  return flat;
}

/** `read` answers undefined for what it does not take. */
function filled<T extends { [index: number]: V }, V>(
  { name, shape }: JsonTensor,
  flat: readonly unknown[],
  into: T,
  read: (value: unknown) => V | undefined,
  what: string,
): T {
  for (let index = 0; index < flat.length; index++) {
    const value = read(flat[index]);
    if (value === undefined) throw unfit(`Input "${name}", ${placeOf(index, shape)}: this is not ${what}.`);
    into[index] = value;
  }
  return into;
}

const asText = (value: unknown): string | undefined =>
  typeof value === 'string' && value.isWellFormed() ? value : undefined;
const asBool = (value: unknown): number | undefined =>
  typeof value === 'boolean' ? Number(value) : undefined;
const asDouble = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
function asSingle(value: unknown): number | undefined {
  const single = typeof value === 'number' ? Math.fround(value) : Number.NaN;
  return Number.isFinite(single) ? single : undefined;
}
const within =
  (low: number, high: number) =>
  (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high ? value : undefined;

function wide<T extends BigInt64Array | BigUint64Array>(
  tensor: JsonTensor,
  flat: readonly unknown[],
  into: T,
  low: bigint,
  high: bigint,
): T {
  const rounded = flat.some(
    (value) => typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER,
  );
  // JSON's numbers were rounded to 53 bits when they were read: the text has them whole.
  const exact = rounded ? (tensor.exactData() as readonly unknown[]) : null;
  const elements = exact ? flatten(tensor.name, tensor.shape, exact, flat.length) : flat;
  const read = (value: unknown): bigint | undefined => {
    if (typeof value === 'bigint') return value >= low && value <= high ? value : undefined;
    if (!Number.isSafeInteger(value)) return undefined;
    const whole = BigInt(value as number);
    return whole >= low ? whole : undefined;
  };
  return filled(tensor, elements, into, read, `a whole number of ${tensor.datatype}`);
}

/** Whole numbers beyond this length are out of every type's range, and slow to read. */
const LONGEST_WHOLE = 20;

/**
 * JSON with the whole numbers that 53 bits cannot hold as BigInt. Throws like `JSON.parse`, and `RangeError` where
 * lists are nested too deeply.
 */
export function parseExact(text: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const { source = '' } = context ?? {};
    return /^-?\d+$/.test(source) && source.length <= LONGEST_WHOLE ? BigInt(source) : value;
  };
  return JSON.parse(text, reviver);
}
