/** Tensors by name, and a model's interface in them: what travels between a process that runs models and its parent. */
import { SallyportError } from '../../domain/errors.ts';
import type { TensorData } from '../../domain/open-inference/datatypes.ts';
import type { PlainTensor, RuntimeTensor, TensorDescription, ValueDescription } from './runtime.ts';

/** The runtime's word of each element type that can be fed and answered, and the array that holds its values. */
export const TENSOR_ARRAYS = {
  bool: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  /** The bits of 16-bit floats. */
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export type NumberType = keyof typeof TENSOR_ARRAYS;
export type TensorType = NumberType | 'string';
export type NumberArray = Exclude<TensorData, readonly string[]>;

/** `data` in row-major order, as many values as the product of `dims`, in the array that `TENSOR_ARRAYS` names. */
export interface NamedTensor {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** An input or output of a model. A dimension it leaves open is null, or the name it gives it. */
export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly (number | string | null)[];
}

export interface ModelInterface {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Outputs that are no tensors, which nobody can ask for. */
  readonly leftOut: readonly string[];
  /**
   * The first dimension of every input and output: `open` = any number of rows, a number = so many and no others, null =
   * it is not the same for all of them, so that the model does not know rows.
   */
  readonly batch: 'open' | number | null;
}

export function isTensorType(type: string): type is TensorType {
  return type === 'string' || Object.hasOwn(TENSOR_ARRAYS, type);
}

/** Throws `model.unsupported` for a model that cannot be fed with tensors, or that answers none. */
export function interfaceOf(
  inputs: readonly ValueDescription[],
  outputs: readonly ValueDescription[],
): ModelInterface {
  const fed = inputs.map(({ name, tensor }) => {
    if (tensor === null || !isTensorType(tensor.type))
      throw new SallyportError(
        'model.unsupported',
        `The model's input "${name}" is ${tensor === null ? 'no tensor' : tensor.type}, which cannot be fed.`,
        { hint: 'Export the model with inputs that are tensors of numbers, booleans or text.' },
      );
    return infoOf(tensor, tensor.type);
  });
  const answered: TensorInfo[] = [];
  const leftOut: string[] = [];
  for (const { name, tensor } of outputs) {
    if (tensor !== null && isTensorType(tensor.type)) answered.push(infoOf(tensor, tensor.type));
    else leftOut.push(name);
  }
  if (answered.length === 0)
    throw new SallyportError('model.unsupported', 'The model answers no tensor.', {
      hint: 'Export it with outputs that are tensors; dictionaries and sequences cannot be read.',
    });
  return { inputs: fed, outputs: answered, leftOut, batch: batchOf(fed, answered) };
}

function infoOf({ name, shape }: TensorDescription, type: TensorType): TensorInfo {
  return { name, type, shape: shape.map((size) => (size === '' || Number(size) < 0 ? null : size)) };
}

function batchOf(inputs: readonly TensorInfo[], outputs: readonly TensorInfo[]): ModelInterface['batch'] {
  const sizes = new Set<number | string | null>();
  if (inputs.some(({ shape }) => shape.length === 0)) return null;
  // An output of which the model gives no shape at all says nothing about rows.
  for (const { shape } of [...inputs, ...outputs]) if (shape.length > 0) sizes.add(shape[0] ?? null);
  const given = [...sizes].filter((size) => size !== null);
  // One that the model leaves without a name may be any of the others.
  if (given.length > 1) return null;
  const [only] = given;
  if (typeof only !== 'number') return 'open';
  return sizes.size === 1 && only > 0 ? only : null;
}

/** Values of a tensor of these dimensions. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** What the runtime answered, under our names: 16-bit floats as bits, whatever array they came in. */
export function namedTensor(name: string, { type, dims, data }: PlainTensor): NamedTensor {
  if (!isTensorType(type))
    throw new SallyportError(
      'model.unsupported',
      `The model answered ${type} in "${name}", which cannot be read.`,
    );
  const values =
    type === 'float16' && !(data instanceof Uint16Array)
      ? bitsOf(data as Float16Array<ArrayBuffer>)
      : (data as TensorData);
  return { name, type, dims, data: values };
}

function bitsOf({ buffer, byteOffset, length }: Float16Array<ArrayBuffer>): Uint16Array {
  return new Uint16Array(buffer, byteOffset, length);
}

/** The same for those who read answers as numbers: 16-bit floats as such. */
export function readableTensor({ type, dims, data }: NamedTensor): RuntimeTensor {
  const size = data.length;
  if (type !== 'float16') return { type, dims, size, data };
  const { buffer, byteOffset, length } = data as Uint16Array<ArrayBuffer>;
  return { type, dims, size, data: new Float16Array(buffer, byteOffset, length) };
}
