/** Between ONNX's own words for tensors and the runtime's. */
import type { ActualTensor } from '../../domain/evidence/compare-values.ts';
import type { FedTensor } from '../../domain/onnx/fit-values.ts';
import { numbersOf } from '../../domain/onnx/tensor.ts';
import type { PlainTensor, RuntimeTensor } from './runtime.ts';

/** ONNX's name of each type that the runtime spells differently. */
const RUNTIME_WORDS: Readonly<Record<string, string>> = { float: 'float32', double: 'float64' };
const ONNX_WORDS: Readonly<Record<string, string>> = { float32: 'float', float64: 'double' };

/** What is fed: the values as they are, or as the wider type that carries them. */
export function plainTensor({ tensor, as }: FedTensor): PlainTensor {
  const type = RUNTIME_WORDS[as] ?? as;
  if (as !== tensor.elementType && as === 'float') {
    return { type, dims: tensor.dims, data: Float32Array.from(numbersOf(tensor) ?? []) };
  }
  return { type, dims: tensor.dims, data: tensor.values };
}

/** What came, as numbers or texts, under the element type that the model itself gives. */
export function actualTensor({ type, dims, data }: RuntimeTensor, elementType: string | null): ActualTensor {
  const values =
    data instanceof BigInt64Array || data instanceof BigUint64Array
      ? Float64Array.from(data as ArrayLike<unknown>, Number)
      : (data as ArrayLike<number> | readonly string[]);
  return { elementType: elementType ?? ONNX_WORDS[type] ?? type, dims, values };
}
