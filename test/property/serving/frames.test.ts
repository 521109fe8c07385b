/** Messages to and from an inference process, cut into pieces anywhere, and bytes that are none. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ANSWER_LIMITS,
  encodeFrame,
  FrameReader,
  QUESTION_LIMITS,
} from '../../../serving/inference/frames.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { type NamedTensor, type NumberType, TENSOR_ARRAYS } from '../../../shared/node/onnx/named-tensor.ts';

const NUMBER_TYPES = Object.keys(TENSOR_ARRAYS) as NumberType[];

const numbers = fc
  .record({
    type: fc.constantFrom(...NUMBER_TYPES),
    bytes: fc.uint8Array({ maxLength: 100 }),
    name: fc.string(),
  })
  .map(({ type, bytes, name }): NamedTensor => {
    const values = TENSOR_ARRAYS[type];
    const count = Math.floor(bytes.length / values.BYTES_PER_ELEMENT);
    // Bits as they are, among them those of NaN, in a view that begins anywhere a view may.
    const buffer = new ArrayBuffer(bytes.length + 8);
    new Uint8Array(buffer).set(bytes, 8);
    return { name, type, dims: [count, 1], data: new values(buffer, 8, count) };
  });
const texts = fc
  .record({
    name: fc.string({ unit: 'binary' }),
    data: fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }),
  })
  .map(({ name, data }): NamedTensor => ({ name, type: 'string', dims: [data.length], data }));
const tensors = fc.array(fc.oneof(numbers, texts), { maxLength: 4 });

const messages = fc.array(
  fc.oneof(
    tensors.map((inputs) => ({ type: 'run', id: 7, key: 'model', inputs, wanted: ['label', 'übrig'] })),
    tensors.map((value) => ({ id: 7, kind: 'done', value, next: null })),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => ({ type: 'load-chunk', id: 2, key: 'model', bytes })),
    fc.constantFrom(
      { id: 9, kind: 'begun' },
      { id: 9, kind: 'done', value: null, next: 10 },
      { id: 9, kind: 'done', value: ['cpu'], next: 10 },
      { id: 9, kind: 'failed', error: { code: 'model.unsupported', message: '…', hint: null, facts: {} } },
    ),
  ),
  { maxLength: 6 },
);

/** Cuts at these places, by the thousandth of the whole. */
const cuts = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 8 });

function pieces(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => Math.floor((place * bytes.length) / 1000)), bytes.length];
  at.sort((one, other) => one - other);
  return at.slice(1).map((end, place) => Buffer.from(bytes.subarray(at[place], end)));
}

const encode = (message: object): Buffer => encodeFrame(message, ANSWER_LIMITS);

/** With arrays as bits, so that NaN equals itself. */
const bitsOf = (read: readonly unknown[]): unknown =>
  JSON.parse(
    JSON.stringify(read, (_, value: unknown) =>
      ArrayBuffer.isView(value)
        ? {
            kind: Buffer.isBuffer(value) ? 'Uint8Array' : value.constructor.name,
            bits: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex'),
          }
        : value,
    ),
  );

test('what was sent is what arrives, bit by bit and in order, however the bytes are cut', () => {
  fc.assert(
    fc.property(messages, cuts, (sent, places) => {
      const reader = new FrameReader(ANSWER_LIMITS);
      const bytes = Buffer.concat(sent.map(encode));
      const read = pieces(bytes, places).flatMap((piece) => reader.read(piece));
      expect(bitsOf(read)).toEqual(bitsOf(sent));
    }),
    { numRuns: 500 },
  );
});

test('a byte at a time', () => {
  const sent = [
    { id: 1, kind: 'done', value: [{ name: 'x', type: 'float64', dims: [1], data: Float64Array.of(0.1) }] },
    { id: 2, kind: 'begun' },
  ];
  const reader = new FrameReader(ANSWER_LIMITS);
  const read = [...Buffer.concat(sent.map(encode))].flatMap((byte) => reader.read(Buffer.of(byte)));
  expect(bitsOf(read)).toEqual(bitsOf(sent));
});

test('bytes that are no frames are refused with an error of ours, and never believed about their size', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      try {
        for (const message of new FrameReader(ANSWER_LIMITS).read(Buffer.from(bytes)))
          expect(message).toBeTypeOf('object');
      } catch (error) {
        expect(error).toBeInstanceOf(SallyportError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a frame with a bit turned is read as another message, waited for, or refused: nothing else', () => {
  const frame = encode({
    id: 3,
    kind: 'done',
    value: [
      { name: 'score', type: 'float32', dims: [2, 1], data: Float32Array.of(1, 2) },
      { name: 'word', type: 'string', dims: [1], data: ['a'] },
    ],
  });
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const damaged = Buffer.from(frame);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    try {
      new FrameReader(ANSWER_LIMITS).read(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(SallyportError);
    }
  }
});

/** A frame with this head and these bytes after it. */
function frame(head: unknown, arrays: Uint8Array = new Uint8Array()): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(arrays.length, 4);
  return Buffer.concat([prefix, text, Buffer.alloc((8 - (text.length % 8)) % 8), arrays]);
}

const done = (tensor: unknown): object => ({ id: 1, kind: 'done', value: [tensor], follows: 'value' });

test.each([
  ['a head that is no JSON', Buffer.concat([Buffer.of(1, 0, 0, 0, 0, 0, 0, 0), Buffer.alloc(8, '{')])],
  ['a head that is no object', frame(7)],
  ['no head', Buffer.alloc(8)],
  ['more than a frame may have', Buffer.alloc(8, 0xff)],
  ['arrays of half a place', frame({}, new Uint8Array(4))],
  ['arrays that nobody asks for', frame({ id: 1 }, new Uint8Array(8))],
  ['tensors that are no list', frame({ value: {}, follows: 'value' })],
  ['a tensor that is nothing', frame(done(null))],
  ['a type that is none', frame(done({ name: 'x', type: 'constructor', dims: [1] }), new Uint8Array(8))],
  ['a dimension below zero', frame(done({ name: 'x', type: 'int8', dims: [-1] }))],
  ['a dimension of a half', frame(done({ name: 'x', type: 'int8', dims: [0.5] }))],
  [
    'dimensions beyond all numbers',
    frame(done({ name: 'x', type: 'int8', dims: Array(40).fill(2 ** 53 - 1) })),
  ],
  [
    'dimensions larger than the arrays',
    frame(done({ name: 'x', type: 'float64', dims: [2] }), new Uint8Array(8)),
  ],
  [
    'dimensions smaller than the arrays',
    frame(done({ name: 'x', type: 'int8', dims: [1] }), new Uint8Array(16)),
  ],
  ['fewer texts than values', frame(done({ name: 'x', type: 'string', dims: [2], texts: ['a'] }))],
  ['texts that are none', frame(done({ name: 'x', type: 'string', dims: [1], texts: [{}] }))],
  ['tensors that are not said to follow', frame({ value: [{ name: 'x', type: 'int8', dims: [1] }] })],
  ['a list of things without dimensions', frame({ value: [{ name: 'x' }] })],
  ['a list with nothing in it but null', frame({ value: [null] })],
  ['a head larger than any may be', Buffer.of(0, 0, 0, 2, 0, 0, 0, 0)],
  ['fewer bytes than were said', frame({ bytes: 20, follows: 'bytes' }, new Uint8Array(8))],
])('%s is refused', (_what, bytes) => {
  expect(() => new FrameReader(ANSWER_LIMITS).read(bytes)).toThrow(SallyportError);
});

test('what was in memory before is in no frame', () => {
  for (let round = 0; round < 50; round++) {
    // Blocks that the next frames are likely to be cut from.
    for (let each = 0; each < 50; each++) Buffer.allocUnsafe(200).fill(0xaa);
    const data = Uint8Array.of(1);
    const made = encode({ id: round, kind: 'done', value: [{ name: 'x', type: 'uint8', dims: [1], data }] });
    expect(made.includes(0xaa)).toBe(false);
  }
});

test('texts that an answer cannot hold are refused where they are made, and so is what no string can hold', () => {
  const texts = (count: number, length: number): object => ({
    id: 1,
    kind: 'done',
    value: [{ name: 'x', type: 'string', dims: [count], data: Array(count).fill('a'.repeat(length)) }],
  });
  expect(() => encode(texts(20, 2 ** 20))).toThrow(SallyportError);
  expect(encodeFrame(texts(20, 2 ** 20), QUESTION_LIMITS).length).toBeGreaterThan(20 * 2 ** 20);
  expect(() => encodeFrame(texts(700, 2 ** 20), QUESTION_LIMITS)).toThrow(SallyportError);
});
