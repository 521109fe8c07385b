/** Between the protocol's words for tensors and the runtime's. */
import {
  type Datatype,
  datatypeOf,
  type ProtocolTensor,
  runtimeTypeOf,
} from '../../../shared/domain/open-inference/datatypes.ts';
import type { NamedTensor, TensorType } from '../../../shared/node/onnx/named-tensor.ts';
import type { AnsweredTensor } from '../../../shared/node/open-inference/response.ts';

export function datatypeOfType(type: TensorType): Datatype {
  const datatype = datatypeOf(type);
  // Every type that can be fed has a name in the protocol; a test holds the two lists together.
  if (datatype === null) throw new Error(`no datatype for ${type}`);
  return datatype;
}

export function namedTensorOf({ name, datatype, shape, data }: ProtocolTensor): NamedTensor {
  return { name, type: runtimeTypeOf(datatype) as TensorType, dims: shape, data };
}

export function answeredTensor({ name, type, dims, data }: NamedTensor, binary: boolean): AnsweredTensor {
  return { name, datatype: datatypeOfType(type), shape: dims, data, binary };
}

/** As JSON has it: whole numbers of 64 bits as text, so that no digit is lost. */
export function loggedTensor({ data, ...head }: ProtocolTensor): object {
  return {
    ...head,
    data: Array.from(data as ArrayLike<unknown>, (value) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  };
}
