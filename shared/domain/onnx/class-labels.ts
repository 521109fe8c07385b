/** The classes a classifier's own operators name. */
import type { ByteSource } from './summary.ts';
import { decodeUtf8 } from './utf8.ts';
import { bytesSource, WIRE, WireCursor, WireFault } from './wire.ts';
import { fieldsOf } from './wire-edit.ts';

/** A model's classes in the order of its score columns; integers as they are written. */
export interface ClassLabels {
  readonly kind: 'text' | 'integer';
  readonly labels: readonly string[];
}

/** More classes, or longer names, are not listed. */
const MAX_CLASSES = 1000;
const MAX_NAME_BYTES = 400;
const NAMED = /^classlabels_(?:strings|int64s|ints)$/;

/** The class names in one attribute, or null where it is another one, or too long to be a list of classes. */
export function classLabelsOf(attribute: Uint8Array): ClassLabels | null {
  let name = '';
  for (const { number, content } of fieldsOf(attribute)) {
    if (number !== 1) continue;
    name = decodeUtf8(content);
    break;
  }
  if (!NAMED.test(name)) return null;
  const labels: string[] = [];
  let kind: ClassLabels['kind'] = 'integer';
  for (const { number, wire, content, value } of fieldsOf(attribute)) {
    if (number === 9 && wire === WIRE.bytes) {
      if (content.length > MAX_NAME_BYTES) return null;
      kind = 'text';
      labels.push(decodeUtf8(content));
    } else if (number === 8 && wire === WIRE.varint) labels.push(String(value));
    else if (number === 8 && wire === WIRE.bytes) {
      const cursor = new WireCursor(bytesSource(content));
      while (cursor.position < content.length && labels.length <= MAX_CLASSES)
        labels.push(String(cursor.int64()));
    }
    if (labels.length > MAX_CLASSES) return null;
  }
  return labels.length === 0 ? null : { kind, labels };
}

/** Longest attribute looked at: a tree's own lists are longer and are passed over unread. */
const MAX_ATTRIBUTE_BYTES = MAX_CLASSES * (MAX_NAME_BYTES + 8);

/**
 * The classes named in the main graph of a model that the reader has accepted: the last list, for a ZipMap stands
 * behind the classifier it names; null where none is. Weights are skipped, not read.
 */
export function readClassLabels(source: ByteSource): ClassLabels | null {
  const cursor = new WireCursor(source);
  let found: ClassLabels | null = null;
  // End of the message each level of the walk is in: model, graph, node.
  const inside = (end: number, level: number): void => {
    while (cursor.position < end) {
      const tag = cursor.uint32('field tag');
      const wire = tag & 7;
      if (wire === WIRE.varint) cursor.skipVarint();
      else if (wire === WIRE.fixed64) cursor.skip(8);
      else if (wire === WIRE.fixed32) cursor.skip(4);
      // Groups, which ONNX never uses: nothing after one is looked for.
      else if (wire !== WIRE.bytes) cursor.skip(end - cursor.position);
      else {
        const length = cursor.uint32('length');
        const contentEnd = cursor.position + length;
        const wanted = PATH[level];
        if (tag >>> 3 === wanted && level < PATH.length - 1) inside(contentEnd, level + 1);
        else if (tag >>> 3 === wanted && length <= MAX_ATTRIBUTE_BYTES)
          found = classLabelsOf(cursor.take(length)) ?? found;
        if (cursor.position < contentEnd) cursor.skip(contentEnd - cursor.position);
      }
    }
  };
  try {
    inside(source.size, 0);
  } catch (error) {
    // The reader counts packed lists without reading them: one that holds no numbers names no classes.
    if (!(error instanceof WireFault)) throw error;
    return null;
  }
  return found;
}

/** ModelProto.graph, GraphProto.node, NodeProto.attribute. */
const PATH = [7, 1, 5] as const;
