import { Budget, LIMIT_WORDS } from './budget.ts';
import { type Frame, lengthWithin, readField, skipField } from './fields.ts';
import type { OnnxLimits } from './limits.ts';
import type { MessageType } from './message-type.ts';
import { WIRE, type WireCursor, WireFault } from './wire.ts';

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

/** Different unknown fields that are told apart; the rest is counted together under field 0. */
const TOLD_APART = 100;

/**
 * Decodes one message that fills the whole cursor into `root`, with an explicit stack: nesting costs no call depth.
 * `onRootField` is told of each field of the outermost message. Throws `WireFault`.
 */
export function decodeInto<M extends object>(
  cursor: WireCursor,
  type: MessageType<M>,
  root: M,
  limits: OnnxLimits,
  onRootField: (field: number, wire: number) => void = () => {},
): Decoded {
  const budget = new Budget(limits);
  const unknown = new Map<string, { message: string; field: number; count: number; bytes: number }>();
  const repeated = new Map<string, { message: string; field: number; count: number }>();
  const stack: Frame[] = [
    { type: type as MessageType<object>, message: root, end: cursor.size, isRoot: true },
  ];

  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    if (cursor.position >= frame.end) {
      if (cursor.position > frame.end)
        throw new WireFault(
          'malformed',
          `a field runs past the end of its ${frame.type.name} at byte ${frame.end}`,
        );
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
      const length = lengthWithin(cursor, frame);
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
      if (stack.length >= limits.depth)
        throw new WireFault('limit', `more than ${limits.depth} ${LIMIT_WORDS.depth}`);
      stack.push({ type: childType, message: child, end: cursor.position + length, isRoot: false });
      continue;
    }
    const understood = field !== undefined && readField(cursor, frame, field, tag, wire, budget, limits);
    if (!understood) {
      skipField(cursor, frame, number, wire, budget);
      const key = unknown.size < TOLD_APART ? `${frame.type.name}.${number}` : 'other';
      let entry = unknown.get(key) ?? unknown.get(`${frame.type.name}.${number}`);
      if (entry === undefined) {
        entry =
          key === 'other'
            ? { message: 'other', field: 0, count: 0, bytes: 0 }
            : { message: frame.type.name, field: number, count: 0, bytes: 0 };
        unknown.set(key, entry);
      }
      entry.count += 1;
      entry.bytes += cursor.position - start;
    }
  }
  return { unknownFields: [...unknown.values()], repeatedFields: [...repeated.values()] };
}
