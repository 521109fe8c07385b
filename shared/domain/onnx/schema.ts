import type { Field, MessageType } from './decode.ts';

/*
 * The messages of ONNX's own schema (onnx/onnx.proto, IR versions 1 to 14), as far as a decision is made from them.
 * Field numbers are that file's. Lists that most messages do not have are null until the first element comes:
 * a hostile file is made of millions of small messages.
 */

export interface RawModel {
  irVersion: number | null;
  producerName: string;
  producerVersion: string;
  modelVersion: number;
  docString: string;
  graph: RawGraph | null;
  opsets: RawOpset[];
  metadata: RawEntry[];
  training: RawTraining[];
  functions: RawFunction[];
}
export interface RawGraph {
  name: string;
  docString: string;
  nodes: RawNode[];
  initializers: RawTensor[];
  sparseInitializers: RawSparse[];
  inputs: RawValue[];
  outputs: RawValue[];
  metadata: RawEntry[] | null;
}
export interface RawNode {
  name: string;
  type: string;
  domain: string;
  overload: string;
  inputs: string[] | null;
  outputs: string[] | null;
  attributes: RawAttribute[] | null;
}
export interface RawAttribute {
  name: string;
  /** The first bytes of a string attribute, and its whole length. */
  text: string;
  textBytes: number;
  floats: number;
  tensor: RawTensor | null;
  graph: RawGraph | null;
  sparse: RawSparse | null;
  tensors: RawTensor[] | null;
  graphs: RawGraph[] | null;
  sparses: RawSparse[] | null;
}
export interface RawTensor {
  name: string;
  dims: number[] | null;
  dataType: number;
  /** Bytes of raw_data, or null without that field. */
  rawBytes: number | null;
  floats: number;
  /** At most that many elements where packed: one per byte. */
  int32s: number;
  int64s: number;
  uint64s: number;
  doubles: number;
  strings: number;
  external: RawEntry[] | null;
  /** True as soon as any occurrence of data_location is not DEFAULT. */
  elsewhere: boolean;
}
export interface RawSparse {
  values: RawTensor | null;
  indices: RawTensor | null;
  dims: number[] | null;
}
export interface RawValue {
  name: string;
  type: RawType | null;
}
export interface RawType {
  tensor: RawTensorType | null;
  sparse: RawTensorType | null;
  sequence: RawElement | null;
  optional: RawElement | null;
  map: RawMap | null;
}
export interface RawTensorType {
  elementType: number;
  shape: RawShape | null;
}
export interface RawElement {
  type: RawType | null;
}
export interface RawMap {
  keyType: number;
  value: RawType | null;
}
export interface RawShape {
  dims: RawDimension[];
}
export interface RawDimension {
  value: number | string | null;
}
export interface RawOpset {
  domain: string;
  version: number;
}
export interface RawEntry {
  key: string;
  value: string;
}
export interface RawTraining {
  initialization: RawGraph | null;
  algorithm: RawGraph | null;
}
export interface RawFunction {
  name: string;
  domain: string;
  overload: string;
  docString: string;
  inputs: string[];
  outputs: string[];
  attributes: RawAttribute[];
  nodes: RawNode[];
  opsets: RawOpset[];
  metadata: RawEntry[];
}

const IGNORE = { kind: 'ignore' } as const;
/** Longest part of a string attribute that is kept for the scan rules. */
const ATTRIBUTE_TEXT_BYTES = 4096;

function int<M extends object>(set: (message: M, value: number) => void): Field<M> {
  return { kind: 'int', set };
}
function name<M extends object>(set: (message: M, value: string) => void): Field<M> {
  return { kind: 'text', limit: 'nameBytes', set };
}
function text<M extends object>(set: (message: M, value: string) => void): Field<M> {
  return { kind: 'text', limit: 'textBytes', set };
}
function names<M extends object>(list: (message: M) => string[]): Field<M> {
  return { kind: 'texts', list };
}
function count<M extends object>(element: 'fixed32' | 'fixed64' | 'varint' | 'bytes', add: (message: M, count: number) => void): Field<M> {
  return { kind: 'count', element, add };
}
/** A repeated message. */
function many<M extends object, C extends object>(type: () => MessageType<C>, list: (message: M) => C[]): Field<M> {
  return { kind: 'message', type: type as () => MessageType<object>, existing: () => null, add: (message, child) => void list(message).push(child as C) };
}
/** A singular message. */
function one<M extends object, C extends object>(type: () => MessageType<C>, get: (message: M) => C | null, set: (message: M, child: C) => void): Field<M> {
  return { kind: 'message', type: type as () => MessageType<object>, existing: get, add: (message, child) => set(message, child as C) };
}

const ENTRY: MessageType<RawEntry> = {
  name: 'StringStringEntryProto',
  counted: 'metadataEntries',
  create: () => ({ key: '', value: '' }),
  fields: { 1: name((m, v) => { m.key = v; }), 2: text((m, v) => { m.value = v; }) },
};

/** External data is told by key and value too, but there are as many of them as tensors. */
const EXTERNAL: MessageType<RawEntry> = {
  ...ENTRY,
  counted: null,
  fields: { 1: name((m, v) => { m.key = v; }), 2: name((m, v) => { m.value = v; }) },
};

const OPSET: MessageType<RawOpset> = {
  name: 'OperatorSetIdProto',
  counted: 'metadataEntries',
  create: () => ({ domain: '', version: 0 }),
  fields: { 1: name((m, v) => { m.domain = v; }), 2: int((m, v) => { m.version = v; }) },
};

const TENSOR: MessageType<RawTensor> = {
  name: 'TensorProto',
  counted: 'tensors',
  create: () => ({
    name: '', dims: null, dataType: 0, rawBytes: null, floats: 0, int32s: 0, int64s: 0, uint64s: 0, doubles: 0, strings: 0, external: null, elsewhere: false,
  }),
  fields: {
    1: { kind: 'ints', list: (m) => (m.dims ??= []) },
    2: int((m, v) => { m.dataType = v; }),
    3: IGNORE,
    4: count('fixed32', (m, n) => { m.floats += n; }),
    5: count('varint', (m, n) => { m.int32s += n; }),
    6: count('bytes', (m, n) => { m.strings += n; }),
    7: count('varint', (m, n) => { m.int64s += n; }),
    8: name((m, v) => { m.name = v; }),
    // Singular bytes: the last occurrence counts.
    9: { kind: 'payload', add: (m, n) => { m.rawBytes = n; } },
    10: count('fixed64', (m, n) => { m.doubles += n; }),
    11: count('varint', (m, n) => { m.uint64s += n; }),
    12: IGNORE,
    13: many(() => EXTERNAL, (m) => (m.external ??= [])),
    14: int((m, v) => { m.elsewhere ||= v !== 0; }),
    16: IGNORE,
  },
};

const SPARSE: MessageType<RawSparse> = {
  name: 'SparseTensorProto',
  counted: 'tensors',
  create: () => ({ values: null, indices: null, dims: null }),
  fields: {
    1: one(() => TENSOR, (m) => m.values, (m, c) => { m.values = c; }),
    2: one(() => TENSOR, (m) => m.indices, (m, c) => { m.indices = c; }),
    3: { kind: 'ints', list: (m) => (m.dims ??= []) },
  },
};

const DIMENSION: MessageType<RawDimension> = {
  name: 'TensorShapeProto.Dimension',
  counted: null,
  create: () => ({ value: null }),
  fields: { 1: int((m, v) => { m.value = v; }), 2: name((m, v) => { m.value = v === '' ? null : v; }), 3: IGNORE },
};

const SHAPE: MessageType<RawShape> = {
  name: 'TensorShapeProto',
  counted: null,
  create: () => ({ dims: [] }),
  fields: { 1: many(() => DIMENSION, (m) => m.dims) },
};

const TENSOR_TYPE: MessageType<RawTensorType> = {
  name: 'TypeProto.Tensor',
  counted: null,
  create: () => ({ elementType: 0, shape: null }),
  fields: { 1: int((m, v) => { m.elementType = v; }), 2: one(() => SHAPE, (m) => m.shape, (m, c) => { m.shape = c; }) },
};

const ELEMENT: MessageType<RawElement> = {
  name: 'TypeProto.Sequence',
  counted: null,
  create: () => ({ type: null }),
  fields: { 1: one(() => TYPE, (m) => m.type, (m, c) => { m.type = c; }) },
};

const MAP: MessageType<RawMap> = {
  name: 'TypeProto.Map',
  counted: null,
  create: () => ({ keyType: 0, value: null }),
  fields: { 1: int((m, v) => { m.keyType = v; }), 2: one(() => TYPE, (m) => m.value, (m, c) => { m.value = c; }) },
};

const TYPE: MessageType<RawType> = {
  name: 'TypeProto',
  counted: null,
  create: () => ({ tensor: null, sparse: null, sequence: null, optional: null, map: null }),
  fields: {
    1: one(() => TENSOR_TYPE, (m) => m.tensor, (m, c) => { m.tensor = c; }),
    4: one(() => ELEMENT, (m) => m.sequence, (m, c) => { m.sequence = c; }),
    5: one(() => MAP, (m) => m.map, (m, c) => { m.map = c; }),
    6: IGNORE,
    7: IGNORE,
    8: one(() => TENSOR_TYPE, (m) => m.sparse, (m, c) => { m.sparse = c; }),
    9: one(() => ELEMENT, (m) => m.optional, (m, c) => { m.optional = c; }),
  },
};

const VALUE: MessageType<RawValue> = {
  name: 'ValueInfoProto',
  counted: null,
  create: () => ({ name: '', type: null }),
  fields: { 1: name((m, v) => { m.name = v; }), 2: one(() => TYPE, (m) => m.type, (m, c) => { m.type = c; }), 3: IGNORE, 4: IGNORE },
};

const ATTRIBUTE: MessageType<RawAttribute> = {
  name: 'AttributeProto',
  counted: null,
  create: () => ({ name: '', text: '', textBytes: 0, floats: 0, tensor: null, graph: null, sparse: null, tensors: null, graphs: null, sparses: null }),
  fields: {
    1: name((m, v) => { m.name = v; }),
    2: IGNORE,
    3: IGNORE,
    4: { kind: 'prefix', limit: ATTRIBUTE_TEXT_BYTES, set: (m, v, n) => { m.text = v; m.textBytes = n; } },
    5: one(() => TENSOR, (m) => m.tensor, (m, c) => { m.tensor = c; }),
    6: one(() => GRAPH, (m) => m.graph, (m, c) => { m.graph = c; }),
    7: count('fixed32', (m, n) => { m.floats += n; }),
    8: count('varint', () => {}),
    9: count('bytes', () => {}),
    10: many(() => TENSOR, (m) => (m.tensors ??= [])),
    11: many(() => GRAPH, (m) => (m.graphs ??= [])),
    13: IGNORE,
    14: IGNORE,
    15: IGNORE,
    20: IGNORE,
    21: IGNORE,
    22: one(() => SPARSE, (m) => m.sparse, (m, c) => { m.sparse = c; }),
    23: many(() => SPARSE, (m) => (m.sparses ??= [])),
  },
};

const NODE: MessageType<RawNode> = {
  name: 'NodeProto',
  counted: 'nodes',
  create: () => ({ name: '', type: '', domain: '', overload: '', inputs: null, outputs: null, attributes: null }),
  fields: {
    1: names((m) => (m.inputs ??= [])),
    2: names((m) => (m.outputs ??= [])),
    3: name((m, v) => { m.name = v; }),
    4: name((m, v) => { m.type = v; }),
    5: many(() => ATTRIBUTE, (m) => (m.attributes ??= [])),
    6: IGNORE,
    7: name((m, v) => { m.domain = v; }),
    8: name((m, v) => { m.overload = v; }),
    9: IGNORE,
    10: IGNORE,
  },
};

const GRAPH: MessageType<RawGraph> = {
  name: 'GraphProto',
  counted: 'graphs',
  create: () => ({ name: '', docString: '', nodes: [], initializers: [], sparseInitializers: [], inputs: [], outputs: [], metadata: null }),
  fields: {
    1: many(() => NODE, (m) => m.nodes),
    2: name((m, v) => { m.name = v; }),
    5: many(() => TENSOR, (m) => m.initializers),
    10: text((m, v) => { m.docString = v; }),
    11: many(() => VALUE, (m) => m.inputs),
    12: many(() => VALUE, (m) => m.outputs),
    13: IGNORE,
    14: IGNORE,
    15: many(() => SPARSE, (m) => m.sparseInitializers),
    16: many(() => ENTRY, (m) => (m.metadata ??= [])),
  },
};

const TRAINING: MessageType<RawTraining> = {
  name: 'TrainingInfoProto',
  counted: 'functions',
  create: () => ({ initialization: null, algorithm: null }),
  fields: {
    1: one(() => GRAPH, (m) => m.initialization, (m, c) => { m.initialization = c; }),
    2: one(() => GRAPH, (m) => m.algorithm, (m, c) => { m.algorithm = c; }),
    3: IGNORE,
    4: IGNORE,
  },
};

const FUNCTION: MessageType<RawFunction> = {
  name: 'FunctionProto',
  counted: 'functions',
  create: () => ({ name: '', domain: '', overload: '', docString: '', inputs: [], outputs: [], attributes: [], nodes: [], opsets: [], metadata: [] }),
  fields: {
    1: name((m, v) => { m.name = v; }),
    2: IGNORE,
    3: IGNORE,
    4: names((m) => m.inputs),
    5: names((m) => m.outputs),
    6: IGNORE,
    7: many(() => NODE, (m) => m.nodes),
    8: text((m, v) => { m.docString = v; }),
    9: many(() => OPSET, (m) => m.opsets),
    10: name((m, v) => { m.domain = v; }),
    11: many(() => ATTRIBUTE, (m) => m.attributes),
    12: IGNORE,
    13: name((m, v) => { m.overload = v; }),
    14: many(() => ENTRY, (m) => m.metadata),
  },
};

export const MODEL: MessageType<RawModel> = {
  name: 'ModelProto',
  counted: null,
  create: () => ({
    irVersion: null, producerName: '', producerVersion: '', modelVersion: 0, docString: '', graph: null, opsets: [], metadata: [], training: [], functions: [],
  }),
  fields: {
    1: int((m, v) => { m.irVersion = v; }),
    2: name((m, v) => { m.producerName = v; }),
    3: name((m, v) => { m.producerVersion = v; }),
    4: IGNORE,
    5: int((m, v) => { m.modelVersion = v; }),
    6: text((m, v) => { m.docString = v; }),
    7: one(() => GRAPH, (m) => m.graph, (m, c) => { m.graph = c; }),
    8: many(() => OPSET, (m) => m.opsets),
    14: many(() => ENTRY, (m) => m.metadata),
    20: many(() => TRAINING, (m) => m.training),
    25: many(() => FUNCTION, (m) => m.functions),
    26: IGNORE,
    30: IGNORE,
  },
};
