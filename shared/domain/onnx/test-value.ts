/** What a file of ONNX test data may hold besides a tensor (onnx-data.proto): sequences, maps, optionals, sparse tensors. */
import { elementTypeName } from './element-types.ts';
import type { OnnxValue } from './summary.ts';
import { eachField, explaining, type OnnxTensor, tensorOf, varints } from './tensor.ts';
import { decodeUtf8 } from './utf8.ts';
import { WireFault } from './wire.ts';

export type TestValue =
  | { readonly kind: 'tensor'; readonly name: string; readonly tensor: OnnxTensor }
  | {
      readonly kind: 'sparse';
      readonly name: string;
      readonly values: OnnxTensor;
      readonly indices: OnnxTensor;
      readonly dims: readonly number[];
    }
  | { readonly kind: 'sequence'; readonly name: string; readonly items: readonly TestValue[] }
  /** `value` null: the optional is empty. */
  | { readonly kind: 'optional'; readonly name: string; readonly value: TestValue | null }
  | {
      readonly kind: 'map';
      readonly name: string;
      /** Element type of the keys: `int64`, `string`, … */
      readonly keyType: string;
      readonly keys: readonly (bigint | string)[];
      readonly values: readonly TestValue[];
    };

const MAX_DEPTH = 16;

/** Reads the message of a value whose kind the model's own input or output states. Throws `dataset.invalid`. */
export function readTestValue(bytes: Uint8Array, kind: OnnxValue['kind']): TestValue {
  return explaining(bytes, () => {
    const read = KINDS[kind];
    if (read === undefined) throw new WireFault('malformed', 'the model does not say what it takes there');
    return read(bytes, 0);
  });
}

type Read = (message: Uint8Array, depth: number) => TestValue;

const KINDS: Readonly<Partial<Record<OnnxValue['kind'], Read>>> = {
  tensor: tensorValue,
  sparse: sparseValue,
  sequence: sequenceValue,
  optional: optionalValue,
  map: mapValue,
};

/** Fields 3 to 7 of SequenceProto and OptionalProto, in their order. */
const MEMBERS: readonly Read[] = [tensorValue, sparseValue, sequenceValue, mapValue, optionalValue];

function tensorValue(message: Uint8Array): TestValue {
  const tensor = tensorOf(message);
  return { kind: 'tensor', name: tensor.name, tensor };
}

function sparseValue(message: Uint8Array): TestValue {
  let values: OnnxTensor | null = null;
  let indices: OnnxTensor | null = null;
  const dims: number[] = [];
  eachField(message, (field, cursor) => {
    if (field.number === 1 && field.bytes !== null) values = tensorOf(field.bytes);
    else if (field.number === 2 && field.bytes !== null) indices = tensorOf(field.bytes);
    else if (field.number === 3) return varints(field, cursor, (from) => void dims.push(from.int64()));
    else return false;
    return true;
  });
  // Assigned in the callback, which the compiler does not follow.
  const [held, places] = [values as OnnxTensor | null, indices as OnnxTensor | null];
  if (held === null || places === null)
    throw new WireFault('malformed', 'a sparse tensor lacks values or indices');
  return { kind: 'sparse', name: held.name, values: held, indices: places, dims };
}

/** The name of a SequenceProto or OptionalProto and its members of whatever kind, in file order. */
function members(message: Uint8Array, depth: number): { readonly name: string; readonly items: TestValue[] } {
  if (depth >= MAX_DEPTH) throw new WireFault('limit', `it nests more than ${MAX_DEPTH} values`);
  let name = '';
  const items: TestValue[] = [];
  eachField(message, (field) => {
    if (field.bytes === null) return false;
    if (field.number === 1) name = decodeUtf8(field.bytes);
    const read = MEMBERS[field.number - 3];
    if (read !== undefined) items.push(read(field.bytes, depth + 1));
    return true;
  });
  return { name, items };
}

function sequenceValue(message: Uint8Array, depth: number): TestValue {
  return { kind: 'sequence', ...members(message, depth) };
}

function optionalValue(message: Uint8Array, depth: number): TestValue {
  const { name, items } = members(message, depth);
  // A singular field: the last occurrence counts.
  return { kind: 'optional', name, value: items.at(-1) ?? null };
}

function mapValue(message: Uint8Array, depth: number): TestValue {
  if (depth >= MAX_DEPTH) throw new WireFault('limit', `it nests more than ${MAX_DEPTH} values`);
  let name = '';
  let keyType = 0;
  const keys: (bigint | string)[] = [];
  let values: readonly TestValue[] = [];
  eachField(message, (field, cursor) => {
    switch (field.number) {
      case 2:
        return varints(field, cursor, (from) => {
          keyType = from.int64();
        });
      case 3:
        return varints(field, cursor, (from) => void keys.push(BigInt.asIntN(64, from.uint64())));
      default:
    }
    if (field.bytes === null) return false;
    if (field.number === 1) name = decodeUtf8(field.bytes);
    if (field.number === 4) keys.push(decodeUtf8(field.bytes));
    if (field.number === 5) values = members(field.bytes, depth + 1).items;
    return true;
  });
  if (keys.length !== values.length)
    throw new WireFault('malformed', `a map has ${keys.length} keys and ${values.length} values`);
  return { kind: 'map', name, keyType: elementTypeName(keyType), keys, values };
}
