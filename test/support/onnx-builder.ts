/*
 * Writes ONNX protobufs byte by byte: also those that no library would write. Field numbers as in onnx/onnx.proto.
 */

export type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function varint(value: number | bigint): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function tag(field: number, wire: number): Bytes {
  return varint(field * 8 + wire);
}

export function int(field: number, value: number | bigint): Bytes {
  return concat(tag(field, 0), varint(value));
}

export function bytes(field: number, content: Uint8Array): Bytes {
  return concat(tag(field, 2), varint(content.length), content);
}

export function text(field: number, value: string): Bytes {
  return bytes(field, new TextEncoder().encode(value));
}

export function float32s(values: readonly number[]): Bytes {
  const list = new DataView(new ArrayBuffer(values.length * 4));
  for (const [index, value] of values.entries()) list.setFloat32(index * 4, value, true);
  return new Uint8Array(list.buffer);
}

export function entry(field: number, key: string, value: string): Bytes {
  return bytes(field, concat(text(1, key), text(2, value)));
}

export interface TensorSpec {
  readonly name?: string;
  readonly dims?: readonly (number | bigint)[];
  /** TensorProto.DataType; 1 = float, 7 = int64. */
  readonly type?: number;
  readonly raw?: Uint8Array;
  readonly floats?: readonly number[];
  readonly external?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** data_location; 1 = EXTERNAL. By default 1 where `external` is given. */
  readonly location?: number;
}

export function tensor(spec: TensorSpec): Bytes {
  const external =
    spec.external === undefined
      ? []
      : Array.isArray(spec.external)
        ? (spec.external as [string, string][])
        : Object.entries(spec.external);
  const location = spec.location ?? (spec.external === undefined ? undefined : 1);
  return concat(
    ...(spec.dims ?? []).map((size) => int(1, size)),
    int(2, spec.type ?? 1),
    ...(spec.floats === undefined ? [] : [bytes(4, float32s(spec.floats))]),
    ...(spec.name === undefined ? [] : [text(8, spec.name)]),
    ...(spec.raw === undefined ? [] : [bytes(9, spec.raw)]),
    ...external.map(([key, value]) => entry(13, key, value)),
    ...(location === undefined ? [] : [int(14, location)]),
  );
}

export function sparse(values: Uint8Array, indices: Uint8Array, dims: readonly (number | bigint)[]): Bytes {
  return concat(bytes(1, values), bytes(2, indices), ...dims.map((size) => int(3, size)));
}

export type Dimension = number | string | null;

function shapeOf(dims: readonly Dimension[]): Bytes {
  return concat(
    ...dims.map((size) =>
      bytes(1, size === null ? new Uint8Array(0) : typeof size === 'number' ? int(1, size) : text(2, size)),
    ),
  );
}

export function tensorType(element: number, dims: readonly Dimension[] | null): Bytes {
  return bytes(1, concat(int(1, element), ...(dims === null ? [] : [bytes(2, shapeOf(dims))])));
}
export function sequenceType(element: Uint8Array): Bytes {
  return bytes(4, bytes(1, element));
}
export function mapType(key: number, value: Uint8Array): Bytes {
  return bytes(5, concat(int(1, key), bytes(2, value)));
}
export function optionalType(element: Uint8Array): Bytes {
  return bytes(9, bytes(1, element));
}
export function sparseType(element: number, dims: readonly Dimension[]): Bytes {
  return bytes(8, concat(int(1, element), bytes(2, shapeOf(dims))));
}
export function value(name: string, type: Uint8Array | null): Bytes {
  return concat(text(1, name), ...(type === null ? [] : [bytes(2, type)]));
}

export interface AttributeSpec {
  readonly name: string;
  readonly text?: string;
  readonly int?: number;
  readonly float?: number;
  readonly floats?: readonly number[];
  /** Lists as proto3 writes them (packed) or as ONNX's own proto2 does (a tag before each element). */
  readonly packed?: boolean;
  readonly ints?: readonly number[];
  readonly strings?: readonly string[];
  readonly tensor?: Uint8Array;
  readonly tensors?: readonly Uint8Array[];
  readonly sparse?: Uint8Array;
  readonly graph?: Uint8Array;
  readonly graphs?: readonly Uint8Array[];
}

export function attribute(spec: AttributeSpec): Bytes {
  const floats = spec.floats ?? [];
  const ints = spec.ints ?? [];
  return concat(
    text(1, spec.name),
    ...(spec.float === undefined ? [] : [tag(2, 5), float32s([spec.float])]),
    ...(spec.int === undefined ? [] : [int(3, spec.int)]),
    ...(spec.text === undefined ? [] : [text(4, spec.text)]),
    ...(spec.tensor === undefined ? [] : [bytes(5, spec.tensor)]),
    ...(spec.graph === undefined ? [] : [bytes(6, spec.graph)]),
    ...(spec.packed === true
      ? [bytes(7, float32s(floats))]
      : floats.map((one) => concat(tag(7, 5), float32s([one])))),
    ...(spec.packed === true ? [bytes(8, concat(...ints.map(varint)))] : ints.map((one) => int(8, one))),
    ...(spec.strings ?? []).map((one) => text(9, one)),
    ...(spec.tensors ?? []).map((one) => bytes(10, one)),
    ...(spec.graphs ?? []).map((one) => bytes(11, one)),
    int(20, attributeType(spec)),
    ...(spec.sparse === undefined ? [] : [bytes(22, spec.sparse)]),
  );
}

/** AttributeProto.AttributeType, which runtimes insist on. */
function attributeType(spec: AttributeSpec): number {
  if (spec.float !== undefined) return 1;
  if (spec.int !== undefined) return 2;
  if (spec.text !== undefined) return 3;
  if (spec.tensor !== undefined) return 4;
  if (spec.graph !== undefined) return 5;
  if (spec.tensors !== undefined) return 9;
  if (spec.graphs !== undefined) return 10;
  if (spec.sparse !== undefined) return 11;
  if (spec.strings !== undefined) return 8;
  return spec.ints === undefined ? 6 : 7;
}

export interface NodeSpec {
  readonly type: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: readonly AttributeSpec[];
}

export function node(spec: NodeSpec): Bytes {
  return concat(
    ...(spec.inputs ?? []).map((name) => text(1, name)),
    ...(spec.outputs ?? []).map((name) => text(2, name)),
    ...(spec.name === undefined ? [] : [text(3, spec.name)]),
    text(4, spec.type),
    ...(spec.attributes ?? []).map((one) => bytes(5, attribute(one))),
    ...(spec.domain === undefined ? [] : [text(7, spec.domain)]),
  );
}

export interface GraphSpec {
  readonly name?: string;
  readonly nodes?: readonly NodeSpec[];
  readonly initializers?: readonly TensorSpec[];
  readonly sparseInitializers?: readonly Uint8Array[];
  readonly inputs?: readonly Uint8Array[];
  readonly outputs?: readonly Uint8Array[];
  readonly doc?: string;
}

export function graph(spec: GraphSpec): Bytes {
  return concat(
    ...(spec.nodes ?? []).map((one) => bytes(1, node(one))),
    text(2, spec.name ?? 'g'),
    ...(spec.initializers ?? []).map((one) => bytes(5, tensor(one))),
    ...(spec.doc === undefined ? [] : [text(10, spec.doc)]),
    ...(spec.inputs ?? []).map((one) => bytes(11, one)),
    ...(spec.outputs ?? []).map((one) => bytes(12, one)),
    ...(spec.sparseInitializers ?? []).map((one) => bytes(15, one)),
  );
}

export interface FunctionSpec {
  readonly name: string;
  readonly domain?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly nodes?: readonly NodeSpec[];
  readonly attributes?: readonly AttributeSpec[];
}

export function functionProto(spec: FunctionSpec): Bytes {
  return concat(
    text(1, spec.name),
    ...(spec.inputs ?? []).map((name) => text(4, name)),
    ...(spec.outputs ?? []).map((name) => text(5, name)),
    ...(spec.nodes ?? []).map((one) => bytes(7, node(one))),
    bytes(9, concat(text(1, ''), int(2, 15))),
    text(10, spec.domain ?? 'local'),
    ...(spec.attributes ?? []).map((one) => bytes(11, attribute(one))),
  );
}

export interface ModelSpec {
  readonly irVersion?: number;
  readonly producer?: string;
  readonly doc?: string;
  readonly opsets?: readonly (readonly [domain: string, version: number])[];
  readonly graph?: GraphSpec;
  readonly functions?: readonly FunctionSpec[];
  readonly metadata?: readonly (readonly [key: string, value: string])[];
  readonly training?: Uint8Array;
}

export function model(spec: ModelSpec): Bytes {
  return concat(
    int(1, spec.irVersion ?? 8),
    text(2, spec.producer ?? 'builder'),
    ...(spec.doc === undefined ? [] : [text(6, spec.doc)]),
    bytes(7, graph(spec.graph ?? {})),
    ...(spec.opsets ?? [['', 15]]).map(([domain, version]) =>
      bytes(8, concat(text(1, domain), int(2, version))),
    ),
    ...(spec.metadata ?? []).map(([key, content]) => entry(14, key, content)),
    ...(spec.training === undefined ? [] : [bytes(20, spec.training)]),
    ...(spec.functions ?? []).map((one) => bytes(25, functionProto(one))),
  );
}

/** A small logistic regression: Gemm, Sigmoid and a label by comparison; runs in a real runtime. */
export function logisticRegression(features = 3): ModelSpec {
  return {
    opsets: [['', 15]],
    metadata: [['features', Array.from({ length: features }, (_, index) => `f${index}`).join(',')]],
    graph: {
      nodes: [
        { type: 'Gemm', name: 'linear', inputs: ['features', 'w', 'b'], outputs: ['logits'] },
        { type: 'Sigmoid', inputs: ['logits'], outputs: ['probabilities'] },
        {
          type: 'ArgMax',
          inputs: ['probabilities'],
          outputs: ['label'],
          attributes: [
            { name: 'axis', int: 1 },
            { name: 'keepdims', int: 0 },
          ],
        },
      ],
      initializers: [
        {
          name: 'w',
          dims: [features, 2],
          raw: float32s(Array.from({ length: features * 2 }, (_, index) => index / 10)),
        },
        { name: 'b', dims: [2], floats: [0.1, -0.1] },
      ],
      inputs: [value('features', tensorType(1, ['N', features]))],
      outputs: [value('label', tensorType(7, ['N'])), value('probabilities', tensorType(1, ['N', 2]))],
    },
  };
}

/** A forest as scikit-learn's exporter writes it: no initializers, and (not packed) a tag before each list element. */
export function forest(trees = 3, packed = false): ModelSpec {
  const leaves = Array.from({ length: trees * 3 }, (_, index) => index);
  const list = (of: (index: number) => number): number[] => leaves.map(of);
  return {
    opsets: [
      ['', 15],
      ['ai.onnx.ml', 3],
    ],
    producer: 'skl2onnx',
    graph: {
      nodes: [
        {
          type: 'TreeEnsembleClassifier',
          domain: 'ai.onnx.ml',
          inputs: ['X'],
          outputs: ['label', 'probabilities'],
          attributes: [
            { name: 'classlabels_int64s', ints: [0, 1], packed },
            { name: 'nodes_featureids', ints: list((index) => index % 2), packed },
            { name: 'nodes_values', floats: list((index) => index / 7), packed },
            { name: 'class_weights', floats: list((index) => 1 / (index + 1)), packed },
            { name: 'post_transform', text: 'NONE' },
          ],
        },
      ],
      inputs: [value('X', tensorType(1, [null, 2]))],
      outputs: [value('label', tensorType(7, [null])), value('probabilities', tensorType(1, [null, 2]))],
    },
  };
}
