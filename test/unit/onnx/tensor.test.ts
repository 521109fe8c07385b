import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { numbersOf, readTensor } from '../../../shared/domain/onnx/tensor.ts';
import { readTestValue, type TestValue } from '../../../shared/domain/onnx/test-value.ts';
import * as build from '../../support/onnx-builder.ts';

interface Recorded {
  readonly form: string;
  readonly type: string;
  readonly dims: number[];
  readonly hex: string;
  readonly values: string[];
}

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/onnx-tensors/${name}`, import.meta.url), 'utf8'));
const tensors = fixture('tensors.json') as Recorded[];
const values = fixture('values.json') as Record<string, string>;

describe('a tensor as ONNX itself writes it', () => {
  test.each(tensors)('$type, $form', ({ type, dims, hex, values }) => {
    // A Node buffer at an odd place of its memory: no view may need alignment, none may write through.
    const shared = Buffer.concat([Buffer.from([0]), Buffer.from(hex, 'hex')]).subarray(1);
    const tensor = readTensor(shared);
    expect({ type: tensor.elementType, dims: tensor.dims }).toEqual({ type, dims });
    if (type === 'string') expect(tensor.values).toEqual(values);
    else if (type === 'int64' || type === 'uint64') expect(Array.from(tensor.values, String)).toEqual(values);
    else expect([...(numbersOf(tensor) ?? [])]).toEqual(values.map(Number));
  });

  test('all element types of ONNX are among them', () => {
    expect(new Set(tensors.map(({ type }) => type)).size).toBe(28);
  });
});

/** Tensors as their numbers, so that a whole value fits on a line. */
function plain(value: TestValue): unknown {
  switch (value.kind) {
    case 'tensor':
      return [...(numbersOf(value.tensor) ?? [])];
    case 'sequence':
      return { name: value.name, items: value.items.map(plain) };
    case 'optional':
      return { name: value.name, value: value.value === null ? null : plain(value.value) };
    case 'map':
      return { name: value.name, keyType: value.keyType, keys: value.keys, values: value.values.map(plain) };
    case 'sparse':
      return null;
  }
}

describe('values around tensors', () => {
  test.each([
    ['sequence', 'sequence', { name: 's', items: [[1, 2], [3]] }],
    [
      'nested',
      'sequence',
      {
        name: 'n',
        items: [
          { name: '', items: [[1, 2]] },
          { name: '', items: [[3], [1, 2]] },
        ],
      },
    ],
    ['optional', 'optional', { name: 'o', value: [1, 2] }],
    ['empty', 'optional', { name: 'e', value: null }],
    ['optionalSequence', 'optional', { name: 'os', value: { name: '', items: [[1, 2], [3]] } }],
    ['textMap', 'map', { name: 'm', keyType: 'string', keys: ['x', 'y'], values: [[1, 2], [3]] }],
    ['numberMap', 'map', { name: 'i', keyType: 'int64', keys: [-5n, 7n], values: [[1, 2], [3]] }],
  ] as const)('%s', (name, kind, expected) => {
    expect(plain(readTestValue(Buffer.from(values[name] ?? '', 'hex'), kind))).toMatchObject(expected);
  });

  test('a sparse tensor is its values and their places', () => {
    const held = build.concat(build.int(1, 2), build.int(2, 1), build.bytes(9, build.float32s([5, 6])));
    const places = build.concat(build.int(1, 2), build.int(2, 7), build.int(7, 0), build.int(7, 9));
    const value = readTestValue(
      build.concat(build.bytes(1, held), build.bytes(2, places), build.int(3, 10)),
      'sparse',
    );
    expect(value).toMatchObject({
      kind: 'sparse',
      dims: [10],
      indices: { values: BigInt64Array.of(0n, 9n) },
    });
  });
});

describe('a tensor that lies is refused', () => {
  const float = build.int(2, 1);
  let deep: Uint8Array = build.bytes(3, build.concat(float, build.bytes(9, build.float32s([]))));
  for (let depth = 0; depth < 40; depth++) deep = build.bytes(5, deep);
  test.each<[string, Uint8Array, 'tensor' | 'sequence' | 'unknown']>([
    [
      'more values than bytes',
      build.concat(build.int(1, 2 ** 40), float, build.bytes(9, build.float32s([1]))),
      'tensor',
    ],
    [
      'fewer values than bytes',
      build.concat(build.int(1, 1), float, build.bytes(9, build.float32s([1, 2]))),
      'tensor',
    ],
    ['a negative dimension', build.concat(build.int(1, -1), float), 'tensor'],
    [
      'dimensions beyond numbers',
      build.concat(build.int(1, 2 ** 50), build.int(1, 2 ** 50), float),
      'tensor',
    ],
    [
      'three hundred dimensions',
      build.concat(...Array.from({ length: 300 }, () => build.int(1, 1)), float),
      'tensor',
    ],
    ['no element type', build.concat(build.int(1, 1), build.bytes(9, new Uint8Array(4))), 'tensor'],
    [
      'an unknown element type',
      build.concat(build.int(1, 1), build.int(2, 99), build.bytes(9, new Uint8Array(4))),
      'tensor',
    ],
    [
      'text as raw bytes',
      build.concat(build.int(1, 1), build.int(2, 8), build.bytes(9, new Uint8Array(4))),
      'tensor',
    ],
    ['values in another file', build.concat(float, build.int(14, 1)), 'tensor'],
    ['a path to another file', build.concat(float, build.entry(13, 'location', '/etc/passwd')), 'tensor'],
    ['a segment of a tensor', build.concat(float, build.bytes(3, new Uint8Array(0))), 'tensor'],
    ['a half number', build.concat(build.int(1, 1), float, build.bytes(4, new Uint8Array(3))), 'tensor'],
    ['a length past the end', build.concat(float, build.tag(9, 2), build.varint(1000)), 'tensor'],
    ['sequences in sequences without end', deep, 'sequence'],
    ['a kind the model does not state', float, 'unknown'],
  ])('%s', (_, bytes, kind) => {
    expect(() => readTestValue(bytes, kind)).toThrow(expect.objectContaining({ code: 'dataset.invalid' }));
  });

  test('any bytes give a value or a refusal', () => {
    const kinds = fc.constantFrom('tensor', 'sequence', 'optional', 'map', 'sparse' as const);
    const seeds = tensors.map(({ hex }) => Buffer.from(hex, 'hex'));
    const damaged = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(), fc.nat(255), fc.nat(200))
      .map(([seed, at, byte, cut]) => {
        const copy = Uint8Array.from(seed);
        copy[at % copy.length] = byte;
        return copy.subarray(0, Math.max(1, copy.length - (cut > 100 ? 0 : cut)));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), kinds, (bytes, kind) => {
        try {
          readTestValue(bytes, kind as TestValue['kind']);
        } catch (error) {
          expect(error).toBeInstanceOf(SallyportError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
