import { elementTypeName } from './element-types.ts';
import type { RawTensorType, RawType, RawValue } from './raw-model.ts';
import type { OnnxValue } from './summary.ts';

/** What an input or output is, for people and for the mapping. */
export function onnxValueOf(value: RawValue): OnnxValue {
  const kind = kindOf(value.type);
  const tensor = innermost(value.type);
  const own = value.type?.tensor ?? value.type?.sparse ?? null;
  return {
    name: value.name,
    kind,
    elementType: tensor === null ? 'unknown' : elementTypeName(tensor.elementType),
    shape: own?.shape === null || own === null ? null : own.shape.dims.map((dimension) => dimension.value),
  };
}

function kindOf(type: RawType | null): OnnxValue['kind'] {
  if (type === null) return 'unknown';
  if (type.tensor !== null) return 'tensor';
  if (type.sequence !== null) return 'sequence';
  if (type.map !== null) return 'map';
  if (type.optional !== null) return 'optional';
  return type.sparse === null ? 'unknown' : 'sparse';
}

/** The tensor type inside sequences, maps and optionals. The decoder bounded how deep they nest. */
function innermost(type: RawType | null): RawTensorType | null {
  for (let at = type; at !== null; ) {
    const tensor = at.tensor ?? at.sparse;
    if (tensor !== null) return tensor;
    at = at.sequence?.type ?? at.optional?.type ?? at.map?.value ?? null;
  }
  return null;
}
