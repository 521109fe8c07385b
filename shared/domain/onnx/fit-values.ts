/**
 * Fits a model to a runtime whose binding takes and gives tensors of common types only. Around the graph, and never in
 * it, nodes are added that make a sequence or an optional of tensors, take one apart, and turn a rare element type into
 * a common one without loss. The result is run and never kept.
 */
import { elementTypeNumber } from './element-types.ts';
import {
  editGraph,
  GRAPH,
  graphFields,
  intAttribute,
  nameOf,
  nodeField,
  onnxOpset,
  tensorValue,
} from './graph-parts.ts';
import type { OnnxTensor } from './tensor.ts';
import type { TestValue } from './test-value.ts';
import { bytesField, fieldsOf, intField, joined, textField } from './wire-edit.ts';

/** Element types that the binding does not have, and one that holds all their values. */
const CARRIERS: Readonly<Record<string, string>> = {
  bfloat16: 'float',
  float8e4m3fn: 'float',
  float8e4m3fnuz: 'float',
  float8e5m2: 'float',
  float8e5m2fnuz: 'float',
  int4: 'int8',
  uint4: 'uint8',
  int2: 'int8',
  uint2: 'uint8',
  float8e8m0: 'float',
  float4e2m1: 'float',
};

/** One tensor to feed, and the element type it is fed as. */
export interface FedTensor {
  readonly name: string;
  readonly tensor: OnnxTensor;
  readonly as: string;
}

/** One tensor to look at; `as` is the type it comes in, `expected.elementType` the model's own. */
export interface ReadTensor {
  readonly name: string;
  /** For people: the output, and the place within it. */
  readonly label: string;
  readonly expected: OnnxTensor;
  readonly as: string;
}

export interface FittedModel {
  readonly bytes: Uint8Array;
  readonly feeds: readonly FedTensor[];
  readonly reads: readonly ReadTensor[];
}

export interface NamedValue {
  /** Of the model's input or output. */
  readonly name: string;
  readonly value: TestValue;
}

/** Why a value cannot be passed on. */
export class Unfit extends Error {}

/** Throws `Unfit` for maps, sparse tensors, complex numbers, and where the model's operator set is too old. */
export function fitValues(
  model: Uint8Array,
  inputs: readonly NamedValue[],
  outputs: readonly NamedValue[],
): FittedModel {
  const fit = new Fit(model);
  for (const { name, value } of inputs) fit.feed(name, value);
  for (const { name, value } of outputs) fit.read(name, name, value);
  return fit.finish();
}

class Fit {
  readonly #model: Uint8Array;
  readonly #feeds: FedTensor[] = [];
  readonly #reads: ReadTensor[] = [];
  /** Graph inputs and outputs that others stand for, with those that do. */
  readonly #replaced = new Set<string>();
  readonly #first: Uint8Array[] = [];
  readonly #last: Uint8Array[] = [];
  readonly #types: ReadonlyMap<string, Uint8Array>;
  #taken: ReadonlySet<string>;

  constructor(model: Uint8Array) {
    this.#model = model;
    const types = new Map<string, Uint8Array>();
    const taken = new Set<string>();
    for (const { number, content } of graphFields(model)) {
      if (number !== GRAPH.input && number !== GRAPH.output) continue;
      const name = nameOf(content);
      taken.add(name);
      for (const field of fieldsOf(content)) if (field.number === 2) types.set(name, field.content);
    }
    this.#types = types;
    this.#taken = taken;
  }

  finish(): FittedModel {
    const feeds = this.#feeds;
    const reads = this.#reads;
    if (this.#replaced.size === 0) return { bytes: this.#model, feeds, reads };
    const bytes = editGraph(
      this.#model,
      ({ number, content, bytes: field }) =>
        (number === GRAPH.input || number === GRAPH.output) && this.#replaced.has(nameOf(content))
          ? null
          : field,
      { first: this.#first, last: this.#last },
    );
    return { bytes, feeds, reads };
  }

  /** Makes `name` of tensors that can be fed. */
  feed(name: string, value: TestValue): void {
    if (value.kind === 'tensor') {
      const { tensor } = value;
      const as = carrierOf(tensor.elementType);
      if (as === tensor.elementType && !this.#isAdded(name)) {
        this.#feeds.push({ name, tensor, as });
        return;
      }
      const fed = as === tensor.elementType ? name : this.#fresh(`${name}/fed`);
      this.#feeds.push({ name: fed, tensor, as });
      this.#first.push(tensorValue(GRAPH.input, fed, elementTypeNumber(as), null));
      if (fed === name) return;
      this.#replaced.add(name);
      this.#first.push(castNode(fed, name, tensor.elementType));
      return;
    }
    this.#replaced.add(name);
    this.#first.push(...this.#made(name, value));
  }

  #made(name: string, value: TestValue): Uint8Array[] {
    if (value.kind === 'sequence') {
      this.#need(11, 'sequences');
      const items = value.items.map((item, index) => this.#part(`${name}/${index}`, item));
      return items.length === 0
        ? [nodeField('SequenceEmpty', [], [name], this.#emptyType(name))]
        : [nodeField('SequenceConstruct', items, [name])];
    }
    if (value.kind === 'optional') {
      this.#need(15, 'optionals');
      if (value.value !== null)
        return [nodeField('Optional', [this.#part(`${name}/value`, value.value)], [name])];
      const inner = innerType(this.#types.get(name), 9);
      if (inner === null) throw new Unfit(`the type of "${name}" is not given`);
      // An attribute of a type: AttributeProto.tp, and its kind TYPE_PROTO.
      const type = joined([textField(1, 'type'), bytesField(14, inner), intField(20, 13)]);
      return [nodeField('Optional', [], [name], [type])];
    }
    throw new Unfit(`"${name}" is a ${value.kind}`);
  }

  #part(wanted: string, value: TestValue): string {
    const name = this.#fresh(wanted);
    this.#added.add(name);
    this.feed(name, value);
    return name;
  }

  readonly #added = new Set<string>();
  #isAdded(name: string): boolean {
    return this.#added.has(name);
  }

  /** Takes `name` apart into tensors that can be looked at. */
  read(name: string, label: string, value: TestValue): void {
    if (value.kind === 'tensor') {
      const { tensor } = value;
      const as = carrierOf(tensor.elementType);
      const isCast = as !== tensor.elementType;
      if (!isCast && !this.#isAdded(name)) {
        this.#reads.push({ name, label, expected: tensor, as });
        return;
      }
      const seen = isCast ? this.#fresh(`${name}/read`) : name;
      if (isCast) {
        this.#replaced.add(name);
        this.#last.push(castNode(name, seen, as));
      }
      this.#see(seen, label, tensor, as);
      return;
    }
    this.#replaced.add(name);
    if (value.kind === 'sequence') {
      this.#need(11, 'sequences');
      this.#fact(
        name,
        `${label} (length)`,
        'SequenceLength',
        'int64',
        BigInt64Array.of(BigInt(value.items.length)),
      );
      for (const [index, item] of value.items.entries()) {
        const at = this.#fresh(`${name}/at${index}`);
        const part = this.#fresh(`${name}/${index}`);
        this.#added.add(part);
        this.#last.push(bytesField(GRAPH.initializer, scalar(at, index)));
        this.#last.push(nodeField('SequenceAt', [name, at], [part]));
        this.read(part, `${label}[${index}]`, item);
      }
      return;
    }
    if (value.kind === 'optional') {
      this.#need(15, 'optionals');
      const has = value.value === null ? 0 : 1;
      this.#fact(name, `${label} (present)`, 'OptionalHasElement', 'bool', Uint8Array.of(has));
      if (value.value === null) return;
      const part = this.#fresh(`${name}/value`);
      this.#added.add(part);
      this.#last.push(nodeField('OptionalGetElement', [name], [part]));
      this.read(part, label, value.value);
      return;
    }
    throw new Unfit(`"${label}" is a ${value.kind}`);
  }

  /** Something told of a value: its length, whether it is there. */
  #fact(
    name: string,
    label: string,
    operator: string,
    elementType: string,
    values: BigInt64Array | Uint8Array,
  ): void {
    const told = this.#fresh(`${name}/${operator}`);
    this.#last.push(nodeField(operator, [name], [told]));
    this.#see(told, label, { name: told, elementType, dims: [], values }, elementType);
  }

  #see(name: string, label: string, expected: OnnxTensor, as: string): void {
    this.#reads.push({ name, label, expected, as });
    this.#last.push(tensorValue(GRAPH.output, name, elementTypeNumber(as), null));
  }

  #need(opset: number, what: string): void {
    if (onnxOpset(this.#model) < opset)
      throw new Unfit(`${what} of operator set ${onnxOpset(this.#model)} cannot be passed on`);
  }

  /** Type of a sequence without items, from the model's own input. */
  #emptyType(name: string): Uint8Array[] {
    const element = innerType(this.#types.get(name), 4);
    if (element === null) return [];
    for (const { number, content } of fieldsOf(element)) {
      if (number !== 1) continue;
      for (const field of fieldsOf(content))
        if (field.number === 1) return [intAttribute('dtype', field.value)];
    }
    return [];
  }

  #fresh(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name += "'";
    this.#taken = new Set([...this.#taken, name]);
    return name;
  }
}

function carrierOf(elementType: string): string {
  const carrier = CARRIERS[elementType] ?? elementType;
  if (!COMMON.has(carrier)) throw new Unfit(`values of type ${elementType} cannot be passed on`);
  return carrier;
}

/** Element types that the binding takes and gives. */
const COMMON: ReadonlySet<string> = new Set([
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
]);

function castNode(from: string, to: string, elementType: string): Uint8Array {
  return nodeField('Cast', [from], [to], [intAttribute('to', elementTypeNumber(elementType))]);
}

/** A TensorProto of one int64, without dimensions. */
function scalar(name: string, value: number): Uint8Array {
  return joined([intField(2, elementTypeNumber('int64')), intField(7, value), textField(8, name)]);
}

/** `elem_type` of a TypeProto's sequence (field 4) or optional (field 9). */
function innerType(type: Uint8Array | undefined, kind: number): Uint8Array | null {
  if (type === undefined) return null;
  for (const { number, content } of fieldsOf(type)) {
    if (number !== kind) continue;
    for (const field of fieldsOf(content)) if (field.number === 1) return field.content;
  }
  return null;
}
