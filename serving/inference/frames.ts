/**
 * Messages between the agent and its inference processes, as bytes: JSON for what they say, and the values of tensors as
 * they lie in memory. Only `JSON.parse` makes objects of them, so that a process whose model broke out of the runtime can
 * send the agent nothing but data.
 *
 * A frame is two little-endian uint32, the bytes of its head and of its arrays; the head, JSON in UTF-8; then the arrays
 * one after the other. Each part is filled up to a multiple of 8 bytes, so that the widest values are read where they lie.
 */
import { SallyportError } from '../../shared/domain/errors.ts';
import {
  isTensorType,
  type NamedTensor,
  type NumberArray,
  type NumberType,
  sizeOf,
  TENSOR_ARRAYS,
} from '../../shared/node/onnx/named-tensor.ts';

/** Larger frames, and larger heads, are refused where they are made and where they are read. */
export interface FrameLimits {
  readonly headBytes: number;
  readonly bytes: number;
}
/** What the agent may ask. */
export const QUESTION_LIMITS: FrameLimits = { headBytes: 2 ** 30, bytes: 2 ** 30 };
/** What an inference process may answer: a head becomes objects, each of which takes more room than its text. */
export const ANSWER_LIMITS: FrameLimits = { headBytes: 2 ** 24, bytes: 2 ** 30 };
const PREFIX_BYTES = 8;

/** The member of a message whose arrays come after the head. */
type Follows = 'inputs' | 'bytes' | 'value';

/** A tensor in a head: texts are part of it, numbers come after it. */
type TensorHead = Omit<NamedTensor, 'data'> & { readonly texts?: readonly string[] };

/**
 * `message` is JSON but for the `inputs` of a run, the `bytes` of a model, and a `value` that is a list of tensors. Throws
 * `model.unsupported` for one that is larger than its limits.
 */
export function encodeFrame(message: object, limits: FrameLimits): Buffer {
  const { inputs, bytes, value } = message as {
    readonly inputs?: readonly NamedTensor[];
    readonly bytes?: Uint8Array;
    readonly value?: unknown;
  };
  if (inputs) return tensorFrame(message, 'inputs', inputs, limits);
  if (bytes) return frameOf({ ...message, bytes: bytes.byteLength, follows: 'bytes' }, [bytes], limits);
  if (isTensors(value)) return tensorFrame(message, 'value', value, limits);
  return frameOf(message, [], limits);
}

function isTensors(value: unknown): value is readonly NamedTensor[] {
  return Array.isArray(value) && typeof value[0] === 'object' && value[0] !== null && 'dims' in value[0];
}

function tensorFrame(
  message: object,
  follows: Follows,
  tensors: readonly NamedTensor[],
  limits: FrameLimits,
): Buffer {
  const arrays: NumberArray[] = [];
  const heads = tensors.map(({ name, type, dims, data }): TensorHead => {
    if (type === 'string') return { name, type, dims, texts: data as readonly string[] };
    arrays.push(data as NumberArray);
    return { name, type, dims };
  });
  return frameOf({ ...message, [follows]: heads, follows }, arrays, limits);
}

function frameOf(head: object, arrays: readonly NumberArray[], limits: FrameLimits): Buffer {
  const text = textOf(head, limits);
  const headBytes = Buffer.byteLength(text);
  const start = PREFIX_BYTES + padded(headBytes);
  const size = arrays.reduce((sum, { byteLength }) => sum + padded(byteLength), start);
  if (headBytes > limits.headBytes || size > limits.bytes) throw tooLarge(limits);
  // Not of the shared blocks: one lives as long as the last of some tens of frames cut from it, which is long enough to be
  // taken for old, and then it waits for a full collection.
  const frame = Buffer.allocUnsafeSlow(size);
  frame.writeUInt32LE(headBytes, 0);
  frame.writeUInt32LE(size - start, 4);
  frame.write(text, PREFIX_BYTES, headBytes, 'utf8');
  // What was in memory before is nobody's business.
  frame.fill(0, PREFIX_BYTES + headBytes, start);
  let at = start;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    frame.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    const end = at + padded(byteLength);
    frame.fill(0, at + byteLength, end);
    at = end;
  }
  return frame;
}

function textOf(head: object, limits: FrameLimits): string {
  try {
    return JSON.stringify(head);
  } catch (error) {
    // Longer than a string may be.
    if (error instanceof RangeError) throw tooLarge(limits);
    throw error;
  }
}

/** Bytes as they come, to messages as they were sent. */
export class FrameReader {
  readonly #limits: FrameLimits;
  /** What has come of a frame, and how much of it is there: of a prefix first, then of the whole. */
  #frame: Buffer | null = null;
  #filled = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /**
   * The messages that `chunk` completes; it belongs to them from now on. Throws for bytes that are no frame: nothing that
   * comes after them can be read.
   */
  read(chunk: Buffer): unknown[] {
    const messages: unknown[] = [];
    let at = 0;
    while (at < chunk.length) {
      const left = chunk.length - at;
      const size =
        this.#frame || left < PREFIX_BYTES ? Number.POSITIVE_INFINITY : sizeOfFrame(chunk, at, this.#limits);
      if (left < size) {
        at += this.#fill(chunk, at);
        const whole = this.#takeWhole();
        if (whole) messages.push(decodeFrame(whole, 0));
      } else {
        messages.push(decodeFrame(chunk, at));
        at += size;
      }
    }
    return messages;
  }

  #fill(chunk: Buffer, from: number): number {
    this.#frame ??= Buffer.allocUnsafeSlow(PREFIX_BYTES);
    const taken = chunk.copy(this.#frame, this.#filled, from);
    this.#filled += taken;
    return taken;
  }

  /** Null while something is missing: after the prefix, all the rest. */
  #takeWhole(): Buffer | null {
    const frame = this.#frame;
    if (!frame || this.#filled < frame.length) return null;
    const size = sizeOfFrame(frame, 0, this.#limits);
    if (size > frame.length) {
      this.#frame = Buffer.allocUnsafeSlow(size);
      frame.copy(this.#frame);
      return null;
    }
    this.#frame = null;
    this.#filled = 0;
    return frame;
  }
}

function sizeOfFrame(bytes: Buffer, at: number, limits: FrameLimits): number {
  const headBytes = bytes.readUInt32LE(at);
  const arrayBytes = bytes.readUInt32LE(at + 4);
  const size = PREFIX_BYTES + padded(headBytes) + arrayBytes;
  if (headBytes === 0 || arrayBytes % 8 !== 0) throw malformed();
  if (headBytes > limits.headBytes || size > limits.bytes) throw tooLarge(limits);
  return size;
}

function decodeFrame(bytes: Buffer, at: number): unknown {
  const headBytes = bytes.readUInt32LE(at);
  const start = at + PREFIX_BYTES;
  const { follows, ...message } = headIn(bytes.toString('utf8', start, start + headBytes));
  const from = start + padded(headBytes);
  const arrays = bytes.subarray(from, from + bytes.readUInt32LE(at + 4));
  if (follows === 'bytes') return { ...message, bytes: bytesIn(arrays, message.bytes) };
  if (follows === 'inputs' || follows === 'value')
    return { ...message, [follows]: tensorsIn(arrays, message[follows]) };
  // Lists of anything but texts are tensors, which come as such.
  const { value } = message;
  if (arrays.length > 0 || (Array.isArray(value) && !isTexts(value))) throw malformed();
  return message;
}

type Head = Readonly<Record<string, unknown>> & { readonly follows?: unknown };

function headIn(text: string): Head {
  let head: unknown;
  try {
    head = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (typeof head !== 'object' || head === null) throw malformed();
  return head as Head;
}

function bytesIn(arrays: Buffer, size: unknown): Uint8Array {
  if (!isSize(size) || padded(size) !== arrays.length) throw malformed();
  return new Uint8Array(arrays.buffer as ArrayBuffer, arrays.byteOffset, size);
}

function tensorsIn(arrays: Buffer, heads: unknown): NamedTensor[] {
  if (!Array.isArray(heads)) throw malformed();
  let at = 0;
  const tensors = heads.map((head: Partial<TensorHead> | null): NamedTensor => {
    const { name, type, dims, texts } = head ?? {};
    if (typeof name !== 'string' || typeof type !== 'string' || !isTensorType(type)) throw malformed();
    if (!Array.isArray(dims) || !dims.every(isSize)) throw malformed();
    const count = sizeOf(dims);
    if (type === 'string') {
      if (!isTexts(texts) || texts.length !== count) throw malformed();
      return { name, type, dims, data: texts };
    }
    const data = valuesIn(arrays, at, type, count);
    at += padded(data.byteLength);
    return { name, type, dims, data };
  });
  if (at !== arrays.length) throw malformed();
  return tensors;
}

/** Where they lie, if a view may begin there. */
function valuesIn(arrays: Buffer, at: number, type: NumberType, count: number): NumberArray {
  const values = TENSOR_ARRAYS[type];
  const bytes = count * values.BYTES_PER_ELEMENT;
  if (!(at + bytes <= arrays.length)) throw malformed();
  const from = arrays.byteOffset + at;
  const buffer = arrays.buffer as ArrayBuffer;
  if (from % values.BYTES_PER_ELEMENT === 0) return new values(buffer, from, count);
  return new values(buffer.slice(from, from + bytes));
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function malformed(): SallyportError {
  return new SallyportError('unexpected', 'A message between the agent and an inference process is damaged.');
}

function tooLarge({ headBytes, bytes }: FrameLimits): SallyportError {
  const mib = (size: number): number => size / 2 ** 20;
  return new SallyportError(
    'input.invalid',
    `The tensors of one call take more than ${mib(bytes)} MiB, or their texts more than ${mib(headBytes)} MiB.`,
    { hint: 'Send fewer rows in a call.' },
  );
}
