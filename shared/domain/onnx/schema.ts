import type { Field, MessageType } from './message-type.ts';
import type {
  RawAttribute,
  RawDimension,
  RawElement,
  RawEntry,
  RawFunction,
  RawGraph,
  RawMap,
  RawModel,
  RawNode,
  RawOpset,
  RawShape,
  RawSparse,
  RawTensor,
  RawTensorType,
  RawTraining,
  RawType,
  RawValue,
} from './raw-model.ts';

/* The field numbers of onnx/onnx.proto, message by message. */

const IGNORE = { kind: 'ignore' } as const;
/** Longest part of a string attribute that is kept for the scan rules. */
const ATTRIBUTE_TEXT_BYTES = 4096;

/** Keys of M whose values are V (or null until set). */
type Key<M, V> = { [K in keyof M]-?: [V] extends [M[K]] ? K : never }[keyof M] & string;
/** The one place where a field is written by its name; `Key` has checked the name and the type. */
type Writable = Record<string, unknown>;

function setter(key: string): (message: object, value: unknown) => void {
  return (message, value) => {
    (message as Writable)[key] = value;
  };
}

function int<M extends object>(key: Key<M, number>): Field<M> {
  return { kind: 'int', set: setter(key) };
}
function name<M extends object>(key: Key<M, string>): Field<M> {
  return {
    kind: 'text',
    limit: 'nameBytes',
    set: setter(key),
  };
}
function text<M extends object>(key: Key<M, string>): Field<M> {
  return {
    kind: 'text',
    limit: 'textBytes',
    set: setter(key),
  };
}
function ints<M extends object>(key: Key<M, number[]>): Field<M> {
  return { kind: 'ints', list: (message) => listAt<number>(message, key) };
}
function names<M extends object>(key: Key<M, string[]>): Field<M> {
  return { kind: 'texts', list: (message) => listAt<string>(message, key) };
}
function count<M extends object>(
  element: 'fixed32' | 'fixed64' | 'varint' | 'bytes',
  key: Key<M, number> | null,
): Field<M> {
  return {
    kind: 'count',
    element,
    add: (message, n) => {
      if (key !== null) (message as Writable)[key] = ((message as Writable)[key] as number) + n;
    },
  };
}
/** A repeated message. */
function many<M extends object, C extends object>(type: () => MessageType<C>, key: Key<M, C[]>): Field<M> {
  return {
    kind: 'message',
    type: type as () => MessageType<object>,
    existing: () => null,
    add: (message, child) => void listAt<object>(message, key).push(child),
  };
}
/** A singular message. */
function one<M extends object, C extends object>(type: () => MessageType<C>, key: Key<M, C>): Field<M> {
  return {
    kind: 'message',
    type: type as () => MessageType<object>,
    existing: (message) => (message as Writable)[key] as object | null,
    add: setter(key),
  };
}
function listAt<T>(message: object, key: string): T[] {
  const list = ((message as Writable)[key] as T[] | null) ?? [];
  (message as Writable)[key] = list;
  return list;
}

const ENTRY: MessageType<RawEntry> = {
  name: 'StringStringEntryProto',
  counted: 'metadataEntries',
  create: () => ({ key: '', value: '' }),
  fields: {
    1: name('key'),
    2: text('value'),
  },
};

/** External data is told by key and value too, but there are as many of them as tensors. */
const EXTERNAL: MessageType<RawEntry> = {
  ...ENTRY,
  counted: null,
  fields: {
    1: name('key'),
    2: name('value'),
  },
};

const OPSET: MessageType<RawOpset> = {
  name: 'OperatorSetIdProto',
  counted: null,
  create: () => ({ domain: '', version: 0 }),
  fields: {
    1: name('domain'),
    2: int('version'),
  },
};

const TENSOR: MessageType<RawTensor> = {
  name: 'TensorProto',
  counted: 'tensors',
  create: () => ({
    name: '',
    dims: null,
    dataType: 0,
    rawBytes: null,
    floats: 0,
    int32s: 0,
    int64s: 0,
    uint64s: 0,
    doubles: 0,
    strings: 0,
    external: null,
    elsewhere: false,
  }),
  fields: {
    1: ints('dims'),
    2: int('dataType'),
    3: IGNORE,
    4: count('fixed32', 'floats'),
    5: count('varint', 'int32s'),
    6: count('bytes', 'strings'),
    7: count('varint', 'int64s'),
    8: name('name'),
    // Singular bytes: the last occurrence counts.
    9: {
      kind: 'payload',
      add: (m, n) => {
        m.rawBytes = n;
      },
    },
    10: count('fixed64', 'doubles'),
    11: count('varint', 'uint64s'),
    12: IGNORE,
    13: many(() => EXTERNAL, 'external'),
    14: {
      kind: 'int',
      set: (m, v) => {
        m.elsewhere ||= v !== 0;
      },
    },
    16: IGNORE,
  },
};

const SPARSE: MessageType<RawSparse> = {
  name: 'SparseTensorProto',
  counted: 'tensors',
  create: () => ({ values: null, indices: null, dims: null }),
  fields: {
    1: one(() => TENSOR, 'values'),
    2: one(() => TENSOR, 'indices'),
    3: ints('dims'),
  },
};

const DIMENSION: MessageType<RawDimension> = {
  name: 'TensorShapeProto.Dimension',
  counted: null,
  create: () => ({ value: null }),
  fields: {
    1: int('value'),
    2: {
      kind: 'text',
      limit: 'nameBytes',
      set: (m, v) => {
        m.value = v === '' ? null : v;
      },
    },
    3: IGNORE,
  },
};

const SHAPE: MessageType<RawShape> = {
  name: 'TensorShapeProto',
  counted: null,
  create: () => ({ dims: [] }),
  fields: {
    1: many(() => DIMENSION, 'dims'),
  },
};

const TENSOR_TYPE: MessageType<RawTensorType> = {
  name: 'TypeProto.Tensor',
  counted: null,
  create: () => ({ elementType: 0, shape: null }),
  fields: {
    1: int('elementType'),
    2: one(() => SHAPE, 'shape'),
  },
};

const ELEMENT: MessageType<RawElement> = {
  name: 'TypeProto.Sequence',
  counted: null,
  create: () => ({ type: null }),
  fields: {
    1: one(() => TYPE, 'type'),
  },
};

const MAP: MessageType<RawMap> = {
  name: 'TypeProto.Map',
  counted: null,
  create: () => ({ keyType: 0, value: null }),
  fields: {
    1: int('keyType'),
    2: one(() => TYPE, 'value'),
  },
};

const TYPE: MessageType<RawType> = {
  name: 'TypeProto',
  counted: null,
  create: () => ({ tensor: null, sparse: null, sequence: null, optional: null, map: null }),
  fields: {
    1: one(() => TENSOR_TYPE, 'tensor'),
    4: one(() => ELEMENT, 'sequence'),
    5: one(() => MAP, 'map'),
    6: IGNORE,
    7: IGNORE,
    8: one(() => TENSOR_TYPE, 'sparse'),
    9: one(() => ELEMENT, 'optional'),
  },
};

const VALUE: MessageType<RawValue> = {
  name: 'ValueInfoProto',
  counted: null,
  create: () => ({ name: '', type: null }),
  fields: {
    1: name('name'),
    2: one(() => TYPE, 'type'),
    3: IGNORE,
    4: IGNORE,
  },
};

const ATTRIBUTE: MessageType<RawAttribute> = {
  name: 'AttributeProto',
  counted: null,
  create: () => ({
    name: '',
    text: '',
    textBytes: 0,
    floats: 0,
    tensor: null,
    graph: null,
    sparse: null,
    tensors: null,
    graphs: null,
    sparses: null,
  }),
  fields: {
    1: name('name'),
    2: IGNORE,
    3: IGNORE,
    4: {
      kind: 'prefix',
      limit: ATTRIBUTE_TEXT_BYTES,
      set: (m, v, n) => {
        m.text = v;
        m.textBytes = n;
      },
    },
    5: one(() => TENSOR, 'tensor'),
    6: one(() => GRAPH, 'graph'),
    7: count('fixed32', 'floats'),
    8: count('varint', null),
    9: count('bytes', null),
    10: many(() => TENSOR, 'tensors'),
    11: many(() => GRAPH, 'graphs'),
    13: IGNORE,
    14: IGNORE,
    15: IGNORE,
    20: IGNORE,
    21: IGNORE,
    22: one(() => SPARSE, 'sparse'),
    23: many(() => SPARSE, 'sparses'),
  },
};

const NODE: MessageType<RawNode> = {
  name: 'NodeProto',
  counted: 'nodes',
  create: () => ({
    name: '',
    type: '',
    domain: '',
    overload: '',
    inputs: null,
    outputs: null,
    attributes: null,
  }),
  fields: {
    1: names('inputs'),
    2: names('outputs'),
    3: name('name'),
    4: name('type'),
    5: many(() => ATTRIBUTE, 'attributes'),
    6: IGNORE,
    7: name('domain'),
    8: name('overload'),
    9: IGNORE,
    10: IGNORE,
  },
};

const GRAPH: MessageType<RawGraph> = {
  name: 'GraphProto',
  counted: 'graphs',
  create: () => ({
    name: '',
    docString: '',
    nodes: [],
    initializers: [],
    sparseInitializers: [],
    inputs: [],
    outputs: [],
    metadata: null,
  }),
  fields: {
    1: many(() => NODE, 'nodes'),
    2: name('name'),
    5: many(() => TENSOR, 'initializers'),
    10: text('docString'),
    11: many(() => VALUE, 'inputs'),
    12: many(() => VALUE, 'outputs'),
    13: IGNORE,
    14: IGNORE,
    15: many(() => SPARSE, 'sparseInitializers'),
    16: many(() => ENTRY, 'metadata'),
  },
};

const TRAINING: MessageType<RawTraining> = {
  name: 'TrainingInfoProto',
  counted: 'functions',
  create: () => ({ initialization: null, algorithm: null }),
  fields: {
    1: one(() => GRAPH, 'initialization'),
    2: one(() => GRAPH, 'algorithm'),
    3: IGNORE,
    4: IGNORE,
  },
};

const FUNCTION: MessageType<RawFunction> = {
  name: 'FunctionProto',
  counted: 'functions',
  create: () => ({
    name: '',
    domain: '',
    overload: '',
    docString: '',
    inputs: [],
    outputs: [],
    attributes: [],
    nodes: [],
    opsets: [],
    metadata: [],
  }),
  fields: {
    1: name('name'),
    2: IGNORE,
    3: IGNORE,
    4: names('inputs'),
    5: names('outputs'),
    6: IGNORE,
    7: many(() => NODE, 'nodes'),
    8: text('docString'),
    9: many(() => OPSET, 'opsets'),
    10: name('domain'),
    11: many(() => ATTRIBUTE, 'attributes'),
    12: IGNORE,
    13: name('overload'),
    14: many(() => ENTRY, 'metadata'),
  },
};

export const MODEL: MessageType<RawModel> = {
  name: 'ModelProto',
  counted: null,
  create: () => ({
    irVersion: null,
    producerName: '',
    producerVersion: '',
    modelVersion: 0,
    docString: '',
    graph: null,
    opsets: [],
    metadata: [],
    training: [],
    functions: [],
  }),
  fields: {
    1: int('irVersion'),
    2: name('producerName'),
    3: name('producerVersion'),
    4: IGNORE,
    5: int('modelVersion'),
    6: text('docString'),
    7: one(() => GRAPH, 'graph'),
    8: many(() => OPSET, 'opsets'),
    14: many(() => ENTRY, 'metadata'),
    20: many(() => TRAINING, 'training'),
    25: many(() => FUNCTION, 'functions'),
    26: IGNORE,
    30: IGNORE,
  },
};
