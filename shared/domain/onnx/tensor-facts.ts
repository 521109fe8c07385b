import { elementBits, elementTypeName } from './element-types.ts';
import type { RawSparse, RawTensor } from './raw-model.ts';
import type { TensorFact } from './reading.ts';

function elementsOf(dims: readonly number[]): number {
  let product = 1;
  for (const size of dims) {
    if (size < 0) return -1;
    // Clamped, so that Infinity times 0 cannot become NaN.
    product = Math.min(product * size, 1e300);
  }
  return product;
}

/** What the scan judges of one tensor. `denseElements` is given for the values of a sparse one. */
export function tensorFact(
  tensor: RawTensor,
  scope: number,
  node: number | null,
  slot: string,
  denseElements: number | null,
): TensorFact {
  const dims = tensor.dims ?? [];
  const isElsewhere = tensor.elsewhere || tensor.external !== null;
  return {
    scope,
    node,
    slot,
    name: tensor.name,
    dataType: tensor.dataType,
    dims,
    elements: elementsOf(dims),
    denseElements,
    capacity: isElsewhere ? null : capacityOf(tensor),
    isExact: tensor.rawBytes !== null,
    external: isElsewhere ? (tensor.external ?? []) : null,
  };
}

/** The most elements the stored bytes can hold. raw_data wins over the typed lists, as in the runtime. */
function capacityOf(tensor: RawTensor): number {
  const bits = elementBits(tensor.dataType);
  if (tensor.rawBytes !== null) return bits === 0 ? 0 : Math.floor((tensor.rawBytes * 8) / bits);
  const type = elementTypeName(tensor.dataType);
  switch (type) {
    case 'float':
      return tensor.floats;
    case 'complex64':
      return Math.floor(tensor.floats / 2);
    case 'double':
      return tensor.doubles;
    case 'complex128':
      return Math.floor(tensor.doubles / 2);
    case 'int64':
      return tensor.int64s;
    case 'uint32':
    case 'uint64':
      return tensor.uint64s;
    case 'string':
      return tensor.strings;
    // Types under a byte are packed several to each int32_data element.
    default:
      return bits > 0 && bits < 8 ? tensor.int32s * (8 / bits) : tensor.int32s;
  }
}

/** The values and indices of a sparse tensor, each a tensor with its own ways to lie. */
export function sparseFacts(
  sparse: RawSparse,
  scope: number,
  node: number | null,
  slot: string,
): TensorFact[] {
  const facts: TensorFact[] = [];
  const dense = elementsOf(sparse.dims ?? []);
  if (sparse.values !== null) facts.push(tensorFact(sparse.values, scope, node, `${slot} values`, dense));
  if (sparse.indices !== null) facts.push(tensorFact(sparse.indices, scope, node, `${slot} indices`, null));
  return facts;
}
