import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** ONNX element types (TensorProto.DataType) that the samples use. */
export const ELEMENT_TYPES = { float: 1, int64: 7 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

export type AttributeValue =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] };

export interface OnnxNode {
  readonly op: string;
  /** '' is ONNX's own operator set; `ai.onnx.ml` the classical one. */
  readonly domain?: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface OnnxPort {
  readonly name: string;
  readonly type: ElementType;
  /** A number is a fixed size, a string a symbol such as `N`. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxModelParts {
  readonly graphName: string;
  readonly doc: string;
  readonly producer: string;
  readonly producerVersion: string;
  readonly modelVersion?: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers?: readonly OnnxTensor[];
  /** Written in the given order as `metadata_props`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** IR version 8 belongs to ai.onnx 17 (ONNX 1.12), see the table in ONNX's Versioning.md. */
const IR_VERSION = 8;

const schema = protobuf.parse(readFileSync(new URL('./onnx.proto', import.meta.url), 'utf8'), {
  keepCase: true,
}).root;
const modelType = schema.lookupType('onnx.ModelProto');

/** AttributeProto: name, the type that says which field is in use, and that field. */
function attribute(name: string, value: AttributeValue): Record<string, unknown> {
  if ('int' in value) return { name, type: 2, i: value.int };
  if ('float' in value) return { name, type: 1, f: value.float };
  if ('string' in value) return { name, type: 3, s: Buffer.from(value.string, 'utf8') };
  if ('floats' in value) return { name, type: 6, floats: value.floats };
  if ('ints' in value) return { name, type: 7, ints: value.ints };
  return { name, type: 8, strings: value.strings.map((text) => Buffer.from(text, 'utf8')) };
}

function port(value: OnnxPort): Record<string, unknown> {
  const dim = value.shape.map((size) =>
    typeof size === 'number' ? { dim_value: size } : { dim_param: size },
  );
  return {
    name: value.name,
    type: { tensor_type: { elem_type: ELEMENT_TYPES[value.type], shape: { dim } } },
  };
}

function tensor(value: OnnxTensor): Record<string, unknown> {
  const elements = value.dims.reduce((product, size) => product * size, 1);
  if (elements !== value.data.length) {
    throw new RangeError(`Tensor ${value.name}: ${value.data.length} values for a shape of ${elements}.`);
  }
  const { buffer, byteOffset, byteLength } = value.data;
  return {
    name: value.name,
    dims: value.dims,
    data_type: value.data instanceof Float32Array ? ELEMENT_TYPES.float : ELEMENT_TYPES.int64,
    // raw_data is little-endian by the specification, as are all machines that run Node.
    raw_data: Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength),
  };
}

/**
 * Serialises a model with ONNX's own schema. Field order is fixed, so equal parts give equal bytes.
 * Throws RangeError where a tensor's shape and data differ.
 */
export function buildOnnxModel(parts: OnnxModelParts): Uint8Array {
  const message = {
    ir_version: IR_VERSION,
    producer_name: parts.producer,
    producer_version: parts.producerVersion,
    model_version: parts.modelVersion ?? 1,
    doc_string: parts.doc,
    opset_import: parts.opsets.map(({ domain, version }) => ({ domain, version })),
    graph: {
      name: parts.graphName,
      node: parts.nodes.map((node) => ({
        input: node.inputs,
        output: node.outputs,
        name: node.name,
        op_type: node.op,
        ...(node.domain === undefined ? {} : { domain: node.domain }),
        attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => attribute(name, value)),
      })),
      initializer: (parts.initializers ?? []).map(tensor),
      input: parts.inputs.map(port),
      output: parts.outputs.map(port),
    },
    metadata_props: Object.entries(parts.metadata ?? {}).map(([key, value]) => ({ key, value })),
  };
  return modelType.encode(message).finish();
}
