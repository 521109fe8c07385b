/** Rows of tensors: joined, cut and filled up along their first dimension. */
import { type NamedTensor, type NumberArray, TENSOR_ARRAYS } from '../../shared/node/onnx/named-tensor.ts';

/** One tensor with the rows of all, in order. They agree in name, type and every dimension after the first. */
export function joinRows(tensors: readonly NamedTensor[]): NamedTensor {
  const [first] = tensors;
  if (!first) throw new Error('There is nothing to join.');
  if (tensors.length === 1) return first;
  const { name, type } = first;
  const rows = tensors.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
  const dims = [rows, ...first.dims.slice(1)];
  if (type === 'string')
    return { name, type, dims, data: tensors.flatMap(({ data }) => data as readonly string[]) };
  const length = tensors.reduce((sum, { data }) => sum + data.length, 0);
  const data = new TENSOR_ARRAYS[type](length);
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data as never, at);
    at += tensor.data.length;
  }
  return { name, type, dims, data };
}

/** The rows from `start` on; a view where the data allows one. */
export function cutRows({ name, type, dims, data }: NamedTensor, start: number, count: number): NamedTensor {
  const rows = dims[0] ?? 1;
  if (start === 0 && count === rows) return { name, type, dims, data };
  const perRow = data.length / rows;
  const [from, to] = [start * perRow, (start + count) * perRow];
  const part = type === 'string' ? data.slice(from, to) : (data as NumberArray).subarray(from, to);
  const cut = dims.slice();
  cut[0] = count;
  return { name, type, dims: cut, data: part };
}

/** Filled up with zeros, or empty texts, to `count` rows. */
export function fillRows(tensor: NamedTensor, count: number): NamedTensor {
  const { name, type, dims, data } = tensor;
  const [rows = 1, ...rest] = dims;
  if (rows === count) return tensor;
  const missing = ((count - rows) * data.length) / rows;
  const nothing = type === 'string' ? new Array<string>(missing).fill('') : new TENSOR_ARRAYS[type](missing);
  return joinRows([tensor, { name, type, dims: [count - rows, ...rest], data: nothing }]);
}

/** The same rows in so many parts, in order, each of about as many. */
export function shareRows(inputs: readonly NamedTensor[], parts: number): NamedTensor[][] {
  const rows = inputs[0]?.dims[0] ?? 0;
  const from = (part: number): number => Math.floor((part * rows) / parts);
  return Array.from({ length: parts }, (_, part) =>
    inputs.map((input) => cutRows(input, from(part), from(part + 1) - from(part))),
  );
}
