import { Budget, LIMIT_WORDS } from './budget.ts';
import { FieldTally, type RepeatedField, type UnknownField } from './field-tally.ts';
import { type Frame, lengthWithin, readField, skipField } from './fields.ts';
import type { OnnxLimits } from './limits.ts';
import type { MessageType } from './message-type.ts';
import { WIRE, type WireCursor, WireFault } from './wire.ts';

export interface Decoded {
  readonly unknownFields: readonly UnknownField[];
  readonly repeatedFields: readonly RepeatedField[];
}

/**
 * Decodes one message that fills the whole cursor into `root`, with an explicit stack: nesting costs no call depth.
 * Throws `WireFault`.
 */
export function decodeInto<M extends object>(
  cursor: WireCursor,
  type: MessageType<M>,
  root: M,
  limits: OnnxLimits,
): Decoded {
  const budget = new Budget(limits);
  const unknown = new FieldTally();
  const repeated = new FieldTally();
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
        repeated.add(frame.type, number, 0);
      }
      if (stack.length >= limits.depth)
        throw new WireFault('limit', `more than ${limits.depth} ${LIMIT_WORDS.depth}`);
      stack.push({ type: childType, message: child, end: cursor.position + length, isRoot: false });
      continue;
    }
    const understood = field !== undefined && readField(cursor, frame, field, tag, wire, budget, limits);
    if (!understood) {
      skipField(cursor, frame, number, wire, budget);
      unknown.add(frame.type, number, cursor.position - start);
    }
  }
  return {
    unknownFields: unknown.fields(),
    // The first occurrence was none too many and was not counted.
    repeatedFields: repeated
      .fields()
      .map(({ message, field, count }) => ({ message, field, count: count + 1 })),
  };
}
