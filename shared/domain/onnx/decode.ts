import type { OnnxLimits } from './limits.ts';
import { decodeUtf8 } from './utf8.ts';
import { WIRE, type WireCursor, WireFault } from './wire.ts';

/** Which limit a message counts against, besides that on all messages. */
export type CountedKind = 'nodes' | 'tensors' | 'graphs' | 'functions' | 'metadataEntries';

/**
 * What to do with one field of a message of type M. The setters are methods, so that types of different messages
 * fit on one stack.
 */
export type Field<M extends object> =
  /** One integer; the last one on the wire counts, as in protobuf. */
  | { readonly kind: 'int'; set(message: M, value: number): void }
  /** Repeated integers that are kept (dimensions), packed or not. */
  | { readonly kind: 'ints'; list(message: M): number[] }
  | { readonly kind: 'text'; readonly limit: 'nameBytes' | 'textBytes'; set(message: M, value: string): void }
  | { readonly kind: 'texts'; list(message: M): string[] }
  /** The first `limit` bytes as text, and the whole length; the rest is skipped. */
  | { readonly kind: 'prefix'; readonly limit: number; set(message: M, value: string, length: number): void }
  /** Repeated numbers or byte strings that are counted, not kept. Packed varints are counted as at most one per byte. */
  | { readonly kind: 'count'; readonly element: 'fixed32' | 'fixed64' | 'varint' | 'bytes'; add(message: M, count: number): void }
  /** Bytes that are never read: only their length is. */
  | { readonly kind: 'payload'; add(message: M, length: number): void }
  /** A known field that nothing here needs. */
  | { readonly kind: 'ignore' }
  /** A nested message. `existing` is what protobuf would merge a second occurrence of a singular field into. */
  | { readonly kind: 'message'; readonly type: () => MessageType<object>; existing(message: M): object | null; add(message: M, child: object): void };

export interface MessageType<M extends object> {
  readonly name: string;
  readonly counted: CountedKind | null;
  create(): M;
  readonly fields: Readonly<Record<number, Field<M>>>;
}

/** A field number the schema does not know, or a known one in another wire type. */
export interface UnknownField {
  readonly message: string;
  readonly field: number;
  readonly count: number;
  readonly bytes: number;
}

/** A singular message that came twice: parsers may disagree about which one counts. */
export interface RepeatedField {
  readonly message: string;
  readonly field: number;
  readonly count: number;
}

export interface Decoded {
  readonly unknownFields: readonly UnknownField[];
  readonly repeatedFields: readonly RepeatedField[];
}

interface Frame {
  readonly type: MessageType<object>;
  readonly message: object;
  readonly end: number;
}

/** Different unknown fields that are told apart; the rest is counted together under field 0. */
const TOLD_APART = 100;
const MAX_GROUP_DEPTH = 100;

class Budget {
  readonly #limits: OnnxLimits;
  readonly #used = new Map<keyof OnnxLimits, number>();
  #fields = 0;

  constructor(limits: OnnxLimits) {
    this.#limits = limits;
  }

  /** The hot one: once per field on the wire. */
  spendFields(amount: number): void {
    this.#fields += amount;
    if (this.#fields > this.#limits.fields) throw new WireFault('limit', `more than ${this.#limits.fields} ${LIMIT_WORDS.fields}`);
  }

  spend(what: Exclude<keyof OnnxLimits, 'fields'>, amount: number): void {
    const used = (this.#used.get(what) ?? 0) + amount;
    this.#used.set(what, used);
    if (used > this.#limits[what]) throw new WireFault('limit', `more than ${this.#limits[what]} ${LIMIT_WORDS[what]}`);
  }
}

const LIMIT_WORDS: Readonly<Record<keyof OnnxLimits, string>> = {
  fileBytes: 'bytes', depth: 'levels of nesting', fields: 'fields', messages: 'messages', nodes: 'nodes', tensors: 'tensors',
  graphs: 'graphs', functions: 'functions', metadataEntries: 'metadata entries', nameBytes: 'bytes in one name',
  textBytes: 'bytes in one text', totalTextBytes: 'bytes of text', strings: 'strings', dimensions: 'dimensions in one shape', numbers: 'dimensions',
};

/**
 * Decodes one message that fills the whole cursor into `root`, with an explicit stack: nesting costs no call depth.
 * `onRootField` is told of each field of the outermost message. Throws `WireFault`.
 */
export function decodeInto<M extends object>(
  cursor: WireCursor, type: MessageType<M>, root: M, limits: OnnxLimits, onRootField: (field: number, wire: number) => void = () => {},
): Decoded {
  const budget = new Budget(limits);
  const unknown = new Map<string, { message: string; field: number; count: number; bytes: number }>();
  const repeated = new Map<string, { message: string; field: number; count: number }>();
  const stack: Frame[] = [{ type: type as MessageType<object>, message: root, end: cursor.size }];

  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    if (cursor.position >= frame.end) {
      if (cursor.position > frame.end) throw new WireFault('malformed', `a field runs past the end of its ${frame.type.name} at byte ${frame.end}`);
      stack.pop();
      continue;
    }
    const start = cursor.position;
    const tag = cursor.uint32('field tag');
    const number = tag >>> 3;
    const wire = tag & 7;
    if (number === 0) throw new WireFault('malformed', `field number 0 at byte ${start}`);
    budget.spendFields(1);
    if (stack.length === 1) onRootField(number, wire);
    const field = frame.type.fields[number];

    if (field?.kind === 'message' && wire === WIRE.bytes) {
      const length = lengthWithin(cursor, frame, stack.length === 1);
      const childType = field.type();
      let child = field.existing(frame.message);
      if (child === null) {
        budget.spend('messages', 1);
        if (childType.counted !== null) budget.spend(childType.counted, 1);
        child = childType.create();
        field.add(frame.message, child);
      } else {
        const key = `${frame.type.name}.${number}`;
        const entry = repeated.get(key);
        if (entry === undefined) repeated.set(key, { message: frame.type.name, field: number, count: 2 });
        else entry.count += 1;
      }
      if (stack.length >= limits.depth) throw new WireFault('limit', `more than ${limits.depth} ${LIMIT_WORDS.depth}`);
      stack.push({ type: childType, message: child, end: cursor.position + length });
      continue;
    }
    const understood = field !== undefined && readField(cursor, frame, field, tag, wire, stack.length === 1, budget, limits);
    if (!understood) {
      skipField(cursor, frame, number, wire, stack.length === 1, budget);
      const key = unknown.size < TOLD_APART ? `${frame.type.name}.${number}` : 'other';
      let entry = unknown.get(key) ?? unknown.get(`${frame.type.name}.${number}`);
      if (entry === undefined) {
        entry = key === 'other' ? { message: 'other', field: 0, count: 0, bytes: 0 } : { message: frame.type.name, field: number, count: 0, bytes: 0 };
        unknown.set(key, entry);
      }
      entry.count += 1;
      entry.bytes += cursor.position - start;
    }
  }
  return { unknownFields: [...unknown.values()], repeatedFields: [...repeated.values()] };
}

/** The length of a length-delimited field, which must fit its message: the file is cut short, or the length lies. */
function lengthWithin(cursor: WireCursor, frame: Frame, isRoot: boolean): number {
  const length = cursor.uint32('length');
  if (cursor.position + length <= frame.end) return length;
  if (isRoot) throw new WireFault('truncated', `${cursor.position + length - frame.end} bytes are missing after byte ${frame.end}`);
  throw new WireFault('malformed', `a length at byte ${cursor.position} runs past the end of its ${frame.type.name}`);
}

/** Reads a scalar field; false when the wire type is not the field's, which protobuf treats as an unknown field. */
function readField(
  cursor: WireCursor, frame: Frame, field: Field<object>, tag: number, wire: number, isRoot: boolean, budget: Budget, limits: OnnxLimits,
): boolean {
  const message = frame.message;
  switch (field.kind) {
    case 'int':
      if (wire !== WIRE.varint) return false;
      field.set(message, cursor.int64());
      return true;
    case 'ints': {
      const list = field.list(message);
      const end = wire === WIRE.bytes ? lengthWithin(cursor, frame, isRoot) + cursor.position : cursor.position + 1;
      if (wire !== WIRE.bytes && wire !== WIRE.varint) return false;
      while (cursor.position < end) {
        list.push(cursor.int64());
        budget.spend('numbers', 1);
        if (list.length > limits.dimensions) throw new WireFault('limit', `more than ${limits.dimensions} ${LIMIT_WORDS.dimensions}`);
        if (wire === WIRE.varint) return true;
      }
      if (cursor.position > end) throw new WireFault('malformed', `a number runs past the end of its list at byte ${end}`);
      return true;
    }
    case 'text':
    case 'texts': {
      if (wire !== WIRE.bytes) return false;
      const limit = field.kind === 'text' ? field.limit : 'nameBytes';
      const length = lengthWithin(cursor, frame, isRoot);
      if (length > limits[limit]) throw new WireFault('limit', `more than ${limits[limit]} ${LIMIT_WORDS[limit]}`);
      budget.spend('strings', 1);
      budget.spend('totalTextBytes', length);
      const text = decodeUtf8(cursor.take(length));
      if (field.kind === 'text') field.set(message, text);
      else field.list(message).push(text);
      return true;
    }
    case 'prefix': {
      if (wire !== WIRE.bytes) return false;
      const length = lengthWithin(cursor, frame, isRoot);
      const kept = Math.min(length, field.limit);
      budget.spend('strings', 1);
      budget.spend('totalTextBytes', kept);
      field.set(message, decodeUtf8(cursor.take(kept)), length);
      cursor.skip(length - kept);
      return true;
    }
    case 'count':
      return countField(cursor, frame, field, tag, wire, isRoot, budget);
    case 'payload': {
      if (wire !== WIRE.bytes) return false;
      const length = lengthWithin(cursor, frame, isRoot);
      cursor.skip(length);
      field.add(message, length);
      return true;
    }
    case 'ignore':
      skipField(cursor, frame, tag >>> 3, wire, isRoot, budget);
      return true;
    case 'message':
      return false;
  }
}

/**
 * Counts elements of a repeated scalar. Exporters write tree attributes unpacked, a tag before each of millions of
 * floats, so that a run of the same one-byte tag is walked here without going back to the dispatcher.
 */
function countField(
  cursor: WireCursor, frame: Frame, field: Extract<Field<object>, { kind: 'count' }>, tag: number, wire: number, isRoot: boolean, budget: Budget,
): boolean {
  if (field.element !== 'bytes' && wire === WIRE.bytes) {
    const length = lengthWithin(cursor, frame, isRoot);
    const width = field.element === 'fixed32' ? 4 : field.element === 'fixed64' ? 8 : 1;
    if (length % width !== 0) throw new WireFault('malformed', `a list of ${length} bytes at byte ${cursor.position} does not hold whole numbers`);
    cursor.skip(length);
    field.add(frame.message, length / width);
    return true;
  }
  if (wire !== WIRE[field.element]) return false;
  let count = 0;
  for (;;) {
    if (wire === WIRE.varint) cursor.skipVarint();
    else cursor.skip(wire === WIRE.fixed32 ? 4 : wire === WIRE.fixed64 ? 8 : lengthWithin(cursor, frame, isRoot));
    count += 1;
    if (cursor.position >= frame.end || cursor.peek() !== tag) break;
    cursor.byte();
    budget.spendFields(1);
  }
  field.add(frame.message, count);
  return true;
}

/** Skips a field nobody asked for. Groups, which ONNX never uses, are walked with an explicit stack too. */
function skipField(cursor: WireCursor, frame: Frame, number: number, wire: number, isRoot: boolean, budget: Budget): void {
  const groups: number[] = [];
  for (let current = number, type = wire; ; ) {
    if (type === WIRE.varint) cursor.skipVarint();
    else if (type === WIRE.fixed64) cursor.skip(8);
    else if (type === WIRE.fixed32) cursor.skip(4);
    else if (type === WIRE.bytes) cursor.skip(lengthWithin(cursor, frame, isRoot));
    else if (type === WIRE.groupStart) {
      if (groups.length >= MAX_GROUP_DEPTH) throw new WireFault('limit', `more than ${MAX_GROUP_DEPTH} nested groups`);
      groups.push(current);
    } else if (type !== WIRE.groupEnd || groups.pop() !== current) {
      throw new WireFault('malformed', `wire type ${type} of field ${current} before byte ${cursor.position} has no meaning there`);
    }
    if (groups.length === 0) return;
    if (cursor.position >= frame.end) throw new WireFault(isRoot ? 'truncated' : 'malformed', `a group is not closed at byte ${frame.end}`);
    const tag = cursor.uint32('field tag');
    budget.spendFields(1);
    current = tag >>> 3;
    type = tag & 7;
  }
}
