/** Whether a two-class ensemble of trees has weights for both classes: then ONNX Runtime's label cannot be trusted. */
import type { ByteSource } from './summary.ts';
import { decodeUtf8 } from './utf8.ts';
import { WIRE, WireCursor, WireFault } from './wire.ts';

/** ModelProto.graph, GraphProto.node, NodeProto.attribute; then AttributeProto's name and ints. */
const PATH = [7, 1, 5] as const;
const NAME = 1;
const INTS = 8;
const CLASS_IDS = 'class_ids';

/**
 * True where an attribute `class_ids` of the main graph names 0 as well as 1. For two classes the runtime takes what
 * was added up for class 1 and calls every row 1 whose sum is above zero; with probabilities of both classes in the
 * leaves that is nearly every row, while the probabilities it answers beside are right. For a model that the reader
 * has accepted; ids are read until both were seen, everything else is skipped.
 */
export function weighsBothClasses(source: ByteSource): boolean {
  const cursor = new WireCursor(source);
  const inside = (end: number, level: number): boolean => {
    while (cursor.position < end) {
      const tag = cursor.uint32('field tag');
      if ((tag & 7) !== WIRE.bytes) {
        skipField(cursor, tag & 7, end);
        continue;
      }
      const contentEnd = cursor.uint32('length') + cursor.position;
      if (tag >>> 3 === PATH[level]) {
        if (level < PATH.length - 1 ? inside(contentEnd, level + 1) : namesBoth(cursor, contentEnd))
          return true;
      }
      if (cursor.position < contentEnd) cursor.skip(contentEnd - cursor.position);
    }
    return false;
  };
  try {
    return inside(source.size, 0);
  } catch (error) {
    // The reader counts packed lists without reading them: one that holds no numbers names no classes.
    if (!(error instanceof WireFault)) throw error;
    return false;
  }
}

/** Of one attribute, whose name comes first as protobuf writes it. */
function namesBoth(cursor: WireCursor, end: number): boolean {
  let named = false;
  let zero = false;
  let one = false;
  while (cursor.position < end) {
    const tag = cursor.uint32('field tag');
    const field = tag >>> 3;
    const wire = tag & 7;
    if (field === INTS && named && wire === WIRE.varint) {
      const id = cursor.int64();
      zero ||= id === 0;
      one ||= id === 1;
    } else if (wire === WIRE.bytes) {
      const contentEnd = cursor.uint32('length') + cursor.position;
      if (field === NAME) {
        if (contentEnd - cursor.position !== CLASS_IDS.length) return false;
        named = decodeUtf8(cursor.take(CLASS_IDS.length)) === CLASS_IDS;
      }
      if (!named) return false;
      if (field === INTS) {
        while (cursor.position < contentEnd && !(zero && one)) {
          const id = cursor.int64();
          zero ||= id === 0;
          one ||= id === 1;
        }
      }
      if (cursor.position < contentEnd) cursor.skip(contentEnd - cursor.position);
    } else skipField(cursor, wire, end);
    if (zero && one) return true;
  }
  return false;
}

function skipField(cursor: WireCursor, wire: number, end: number): void {
  if (wire === WIRE.varint) cursor.skipVarint();
  else if (wire === WIRE.fixed64) cursor.skip(8);
  else if (wire === WIRE.fixed32) cursor.skip(4);
  // Groups, which ONNX never uses: nothing after one is looked for.
  else if (wire !== WIRE.bytes) cursor.skip(end - cursor.position);
}
