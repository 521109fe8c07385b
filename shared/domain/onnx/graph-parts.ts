/** The parts of a model file's main graph that are read and written when a model is fitted to its runtime. */
import { decodeUtf8 } from './utf8.ts';
import {
  bytesField,
  type FieldBytes,
  fieldsOf,
  intField,
  joined,
  lengthPrefix,
  textField,
} from './wire-edit.ts';

/* Field numbers of onnx/onnx.proto. */
const MODEL_GRAPH = 7;
const MODEL_OPSET = 8;
export const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 } as const;

export interface NodeParts {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly type: string;
  readonly domain: string;
  /** Contents of its attributes. */
  readonly attributes: readonly Uint8Array[];
}

export function nodeParts(node: Uint8Array): NodeParts {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Uint8Array[] = [];
  let type = '';
  let domain = '';
  for (const { number, content } of fieldsOf(node)) {
    if (number === 1) inputs.push(decodeUtf8(content));
    else if (number === 2) outputs.push(decodeUtf8(content));
    else if (number === 4) type = decodeUtf8(content);
    else if (number === 5) attributes.push(content);
    else if (number === 7) domain = decodeUtf8(content);
  }
  return { inputs, outputs, type, domain, attributes };
}

/** The first text of a message's field 1: the name of a value, of an attribute. */
export function nameOf(message: Uint8Array): string {
  for (const { number, content } of fieldsOf(message)) if (number === 1) return decodeUtf8(content);
  return '';
}

/** Fields of the main graph, in order. A graph in several pieces is one, as protobuf merges them. */
export function* graphFields(model: Uint8Array): Generator<FieldBytes> {
  for (const field of fieldsOf(model)) if (field.number === MODEL_GRAPH) yield* fieldsOf(field.content);
}

/**
 * The model with its main graph's fields put through `change`: null drops one, bytes replace it. `first` and `last`
 * are added before and after them. ONNX's own operators are imported where they were not. Everything else stays, byte
 * for byte.
 */
export function editGraph(
  model: Uint8Array,
  change: (field: FieldBytes) => Uint8Array | null,
  added: { readonly first?: readonly Uint8Array[]; readonly last?: readonly Uint8Array[] } = {},
): Uint8Array {
  const rest: Uint8Array[] = [];
  const graph: Uint8Array[] = [...(added.first ?? [])];
  let importsOnnx = false;
  for (const field of fieldsOf(model)) {
    if (field.number === MODEL_GRAPH) {
      for (const part of fieldsOf(field.content)) {
        const changed = change(part);
        if (changed !== null) graph.push(changed);
      }
      continue;
    }
    rest.push(field.bytes);
    if (field.number === MODEL_OPSET) importsOnnx ||= isOnnxDomain(field.content);
  }
  graph.push(...(added.last ?? []));
  if (!importsOnnx) rest.push(bytesField(MODEL_OPSET, intField(2, FALLBACK_OPSET)));
  const length = graph.reduce((sum, part) => sum + part.length, 0);
  return joined([...rest, lengthPrefix(MODEL_GRAPH, length), ...graph]);
}

/** Old enough for every runtime, new enough for what is added here. */
const FALLBACK_OPSET = 15;

function isOnnxDomain(opset: Uint8Array): boolean {
  let domain = '';
  for (const { number, content } of fieldsOf(opset)) if (number === 1) domain = decodeUtf8(content);
  return domain === '' || domain === 'ai.onnx';
}

/** Version of ONNX's own operators, or 0. */
export function onnxOpset(model: Uint8Array): number {
  for (const { number, content } of fieldsOf(model)) {
    if (number !== MODEL_OPSET || !isOnnxDomain(content)) continue;
    for (const part of fieldsOf(content)) if (part.number === 2) return part.value;
  }
  return 0;
}

/** A node of ONNX's own operators as a field of the graph. */
export function nodeField(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Uint8Array[] = [],
): Uint8Array {
  return bytesField(
    GRAPH.node,
    joined([
      ...inputs.map((name) => textField(1, name)),
      ...outputs.map((name) => textField(2, name)),
      textField(4, type),
      ...attributes.map((attribute) => bytesField(5, attribute)),
    ]),
  );
}

/** An integer attribute. */
export function intAttribute(name: string, value: number): Uint8Array {
  return joined([textField(1, name), intField(3, value), intField(20, 2)]);
}

/** A graph input or output that is a tensor; null = a size that stays open, a null shape = nothing said. */
export function tensorValue(
  field: number,
  name: string,
  elementType: number,
  shape: readonly (number | null)[] | null,
): Uint8Array {
  const dims = shape?.map((size) => bytesField(1, size === null ? new Uint8Array(0) : intField(1, size)));
  const tensor = joined([
    intField(1, elementType),
    ...(dims === undefined ? [] : [bytesField(2, joined(dims))]),
  ]);
  return bytesField(field, joined([textField(1, name), bytesField(2, bytesField(1, tensor))]));
}
