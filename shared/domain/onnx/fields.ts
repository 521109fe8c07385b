import { type Budget, LIMIT_WORDS } from './budget.ts';
import type { OnnxLimits } from './limits.ts';
import type { Field, MessageType } from './message-type.ts';
import { decodeUtf8 } from './utf8.ts';
import { WIRE, type WireCursor, WireFault } from './wire.ts';

/** A message that is being read. */
export interface Frame {
  readonly type: MessageType<object>;
  readonly message: object;
  /** Byte after its last one. */
  readonly end: number;
  /** True for the whole file: what runs past its end is cut off, not damaged. */
  readonly isRoot: boolean;
}

const MAX_GROUP_DEPTH = 100;

/** The length of a length-delimited field, which must fit its message: the file is cut short, or the length lies. */
export function lengthWithin(cursor: WireCursor, frame: Frame): number {
  const length = cursor.uint32('length');
  if (cursor.position + length <= frame.end) return length;
  if (frame.isRoot)
    throw new WireFault(
      'truncated',
      `${cursor.position + length - frame.end} bytes are missing after byte ${frame.end}`,
    );
  throw new WireFault(
    'malformed',
    `a length at byte ${cursor.position} runs past the end of its ${frame.type.name}`,
  );
}

/** Reads a scalar field; false when the wire type is not the field's, which protobuf treats as an unknown field. */
export function readField(
  cursor: WireCursor,
  frame: Frame,
  field: Field<object>,
  tag: number,
  wire: number,
  budget: Budget,
  limits: OnnxLimits,
): boolean {
  const message = frame.message;
  switch (field.kind) {
    case 'int':
      if (wire !== WIRE.varint) return false;
      field.set(message, cursor.int64());
      return true;
    case 'ints': {
      const list = field.list(message);
      const end = wire === WIRE.bytes ? lengthWithin(cursor, frame) + cursor.position : cursor.position + 1;
      if (wire !== WIRE.bytes && wire !== WIRE.varint) return false;
      while (cursor.position < end) {
        list.push(cursor.int64());
        budget.spend('numbers', 1);
        if (list.length > limits.dimensions)
          throw new WireFault('limit', `more than ${limits.dimensions} ${LIMIT_WORDS.dimensions}`);
        if (wire === WIRE.varint) return true;
      }
      if (cursor.position > end)
        throw new WireFault('malformed', `a number runs past the end of its list at byte ${end}`);
      return true;
    }
    case 'text':
    case 'texts': {
      if (wire !== WIRE.bytes) return false;
      const limit = field.kind === 'text' ? field.limit : 'nameBytes';
      const length = lengthWithin(cursor, frame);
      if (length > limits[limit])
        throw new WireFault('limit', `more than ${limits[limit]} ${LIMIT_WORDS[limit]}`);
      budget.spend('strings', 1);
      budget.spend('totalTextBytes', length);
      const text = decodeUtf8(cursor.take(length));
      if (field.kind === 'text') field.set(message, text);
      else field.list(message).push(text);
      return true;
    }
    case 'prefix': {
      if (wire !== WIRE.bytes) return false;
      const length = lengthWithin(cursor, frame);
      const kept = Math.min(length, field.limit);
      budget.spend('strings', 1);
      budget.spend('totalTextBytes', kept);
      field.set(message, decodeUtf8(cursor.take(kept)), length);
      cursor.skip(length - kept);
      return true;
    }
    case 'count':
      return countField(cursor, frame, field, tag, wire, budget);
    case 'payload': {
      if (wire !== WIRE.bytes) return false;
      const length = lengthWithin(cursor, frame);
      cursor.skip(length);
      field.add(message, length);
      return true;
    }
    case 'ignore':
      skipField(cursor, frame, tag >>> 3, wire, budget);
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
  cursor: WireCursor,
  frame: Frame,
  field: Extract<Field<object>, { kind: 'count' }>,
  tag: number,
  wire: number,
  budget: Budget,
): boolean {
  if (field.element !== 'bytes' && wire === WIRE.bytes) {
    const length = lengthWithin(cursor, frame);
    const width = field.element === 'fixed32' ? 4 : field.element === 'fixed64' ? 8 : 1;
    if (length % width !== 0)
      throw new WireFault(
        'malformed',
        `a list of ${length} bytes at byte ${cursor.position} does not hold whole numbers`,
      );
    cursor.skip(length);
    field.add(frame.message, length / width);
    return true;
  }
  if (wire !== WIRE[field.element]) return false;
  let count = 0;
  for (;;) {
    if (wire === WIRE.varint) cursor.skipVarint();
    else cursor.skip(wire === WIRE.fixed32 ? 4 : wire === WIRE.fixed64 ? 8 : lengthWithin(cursor, frame));
    count += 1;
    if (cursor.position >= frame.end || cursor.peek() !== tag) break;
    cursor.byte();
    budget.spendFields(1);
  }
  field.add(frame.message, count);
  return true;
}

/** Skips a field nobody asked for. Groups, which ONNX never uses, are walked with an explicit stack too. */
export function skipField(
  cursor: WireCursor,
  frame: Frame,
  number: number,
  wire: number,
  budget: Budget,
): void {
  // The plain case first: it is met millions of times in a file made to be slow.
  if (wire === WIRE.varint) {
    cursor.skipVarint();
    return;
  }
  const groups: number[] = [];
  for (let current = number, type = wire; ; ) {
    if (type === WIRE.varint) cursor.skipVarint();
    else if (type === WIRE.fixed64) cursor.skip(8);
    else if (type === WIRE.fixed32) cursor.skip(4);
    else if (type === WIRE.bytes) cursor.skip(lengthWithin(cursor, frame));
    else if (type === WIRE.groupStart) {
      if (groups.length >= MAX_GROUP_DEPTH)
        throw new WireFault('limit', `more than ${MAX_GROUP_DEPTH} nested groups`);
      groups.push(current);
    } else if (type !== WIRE.groupEnd || groups.pop() !== current) {
      throw new WireFault(
        'malformed',
        `wire type ${type} of field ${current} before byte ${cursor.position} has no meaning there`,
      );
    }
    if (groups.length === 0) return;
    if (cursor.position >= frame.end)
      throw new WireFault(
        frame.isRoot ? 'truncated' : 'malformed',
        `a group is not closed at byte ${frame.end}`,
      );
    const tag = cursor.uint32('field tag');
    budget.spendFields(1);
    current = tag >>> 3;
    type = tag & 7;
  }
}
