/** What a call brings, read and held against the model's own interface. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInputs, type InputRules, TooManyRows } from '../../../serving/inference/check-inputs.ts';
import { rowReader } from '../../../serving/inference/read-rows.ts';
import { cutRows, fillRows, joinRows } from '../../../serving/inference/tensor-rows.ts';
import type { ModelInterface, NamedTensor, TensorInfo } from '../../../shared/node/onnx/named-tensor.ts';

const RULES: InputRules = { rows: 10, allowNonFinite: false };

const modelOf = (inputs: readonly TensorInfo[], batch: ModelInterface['batch'] = 'open'): ModelInterface => ({
  inputs,
  outputs: [],
  leftOut: [],
  batch,
});
const PAIR = modelOf([
  { name: 'flow', type: 'float32', shape: ['N', 2] },
  { name: 'proto', type: 'string', shape: ['N', 1] },
]);
const flow = (...values: number[]): NamedTensor => ({
  name: 'flow',
  type: 'float32',
  dims: [values.length / 2, 2],
  data: Float32Array.from(values),
});
const proto = (...data: string[]): NamedTensor => ({
  name: 'proto',
  type: 'string',
  dims: [data.length, 1],
  data,
});

describe('inputs held against the model', () => {
  test('what fits is counted in rows', () => {
    expect(checkInputs(PAIR, [proto('tcp', 'udp'), flow(1, 2, 3, 4)], RULES)).toBe(2);
  });

  test.each<[string, readonly NamedTensor[], RegExp, object]>([
    ['one is missing', [flow(1, 2)], /"proto" is missing/, { input: 'proto' }],
    [
      'one is there twice',
      [flow(1, 2), flow(1, 2), proto('a')],
      /"flow" is there more than once/,
      { input: 'flow' },
    ],
    [
      'one is unknown',
      [flow(1, 2), proto('a'), { ...proto('a'), name: 'x' }],
      /no input "x"/,
      { input: 'x' },
    ],
    [
      'one is of another type',
      [{ ...flow(1, 2), type: 'float64', data: Float64Array.of(1, 2) }, proto('a')],
      /"flow" takes float32, not float64/,
      { input: 'flow' },
    ],
    [
      'one is of another shape',
      [{ ...flow(1, 2), dims: [2, 1] }, proto('a', 'b')],
      /"flow" takes the shape \[N, 2\], not \[2, 1\]/,
      { input: 'flow' },
    ],
    [
      'one has too few dimensions',
      [{ ...flow(1, 2), dims: [2] }, proto('a')],
      /not \[2\]/,
      { input: 'flow' },
    ],
    ['they differ in rows', [flow(1, 2), proto('a', 'b')], /"proto"/, { input: 'proto' }],
    ['there are no rows', [flow(), proto()], /"flow" is empty/, { input: 'flow' }],
    [
      'values do not fill the shape',
      [{ ...flow(1, 2), dims: [2, 2] }, proto('a', 'b')],
      /has 2 values; its shape \[2, 2\] says 4/,
      { input: 'flow' },
    ],
    [
      'a value is NaN',
      [flow(1, 2, 3, Number.NaN), proto('a', 'b')],
      /Row 2, value 2 of "flow" is not a finite number/,
      { input: 'flow', row: 2, value: 2 },
    ],
    [
      'a value is infinite',
      [flow(Number.NEGATIVE_INFINITY, 2), proto('a')],
      /Row 1, value 1 of "flow"/,
      { input: 'flow', row: 1, value: 1 },
    ],
  ])('given %s, then it is refused by name', (_, inputs, message, facts) => {
    const check = () => checkInputs(PAIR, inputs, RULES);
    expect(check).toThrow(message);
    try {
      check();
    } catch (error) {
      expect(error).toMatchObject({ code: 'input.invalid', facts });
    }
  });

  test('more rows than the limit are too many', () => {
    const rows = Array.from({ length: 11 }, (_, row) => row);
    expect(() => checkInputs(PAIR, [flow(...rows, ...rows), proto(...rows.map(String))], RULES)).toThrow(
      TooManyRows,
    );
  });

  test('where it is allowed, NaN and infinity pass', () => {
    expect(checkInputs(PAIR, [flow(Number.NaN, 1 / 0), proto('a')], { ...RULES, allowNonFinite: true })).toBe(
      1,
    );
  });

  test.each<[string, NamedTensor]>([
    ['16-bit', { name: 'x', type: 'float16', dims: [1, 2], data: Uint16Array.of(0x3e00, 0x7c01) }],
    ['64-bit', { name: 'x', type: 'float64', dims: [1, 2], data: Float64Array.of(0, Number.NaN) }],
  ])('NaN is seen in %s floats', (_, tensor) => {
    const model = modelOf([{ name: 'x', type: tensor.type, shape: ['N', 2] }]);
    expect(() => checkInputs(model, [tensor], RULES)).toThrow(/Row 1, value 2 of "x"/);
  });

  test('a boolean is 0 or 1 and no other byte', () => {
    const model = modelOf([{ name: 'x', type: 'bool', shape: ['N', 1] }]);
    const tensor: NamedTensor = { name: 'x', type: 'bool', dims: [2, 1], data: Uint8Array.of(1, 2) };
    expect(() => checkInputs(model, [tensor], RULES)).toThrow(
      /Row 2, value 1 of "x" is neither true nor false/,
    );
  });

  test('a model without rows is told the value by its place', () => {
    const model = modelOf([{ name: 'x', type: 'float32', shape: [2, 'W'] }], null);
    const x: NamedTensor = {
      name: 'x',
      type: 'float32',
      dims: [2, 2],
      data: Float32Array.of(1, 2, Number.NaN, 4),
    };
    expect(() => checkInputs(model, [x], RULES)).toThrow(/Value 3 of "x"/);
    expect(checkInputs(model, [{ ...x, data: new Float32Array(4) }], RULES)).toBe(1);
  });

  test('dimensions of one name are of one size', () => {
    const model = modelOf([
      { name: 'a', type: 'float32', shape: ['N', 'W'] },
      { name: 'b', type: 'float32', shape: ['N', 'W'] },
    ]);
    const of = (name: string, width: number): NamedTensor => ({
      name,
      type: 'float32',
      dims: [1, width],
      data: new Float32Array(width),
    });
    expect(checkInputs(model, [of('a', 3), of('b', 3)], RULES)).toBe(1);
    expect(() => checkInputs(model, [of('a', 3), of('b', 2)], RULES)).toThrow(/"b" takes the shape \[N, W\]/);
  });
});

describe('rows of JSON', () => {
  const reader = rowReader(
    modelOf([
      { name: 'bytes', type: 'int64', shape: ['N', 1] },
      { name: 'proto', type: 'string', shape: ['N', 1] },
      { name: 'flags', type: 'bool', shape: ['N', 2] },
      { name: 'rates', type: 'float64', shape: ['N', 1] },
    ]),
  );

  test('are shared out among the inputs in the model’s order, none of them rounded', () => {
    expect(reader.featureCount).toBe(5);
    expect(
      reader.read(
        [
          [2 ** 53 - 1, 'tcp', true, 0, 0.1],
          [0, '', 1, false, null],
        ],
        10,
      ),
    ).toEqual([
      { name: 'bytes', type: 'int64', dims: [2, 1], data: BigInt64Array.of(2n ** 53n - 1n, 0n) },
      { name: 'proto', type: 'string', dims: [2, 1], data: ['tcp', ''] },
      { name: 'flags', type: 'bool', dims: [2, 2], data: Uint8Array.of(1, 0, 1, 0) },
      { name: 'rates', type: 'float64', dims: [2, 1], data: Float64Array.of(0.1, Number.NaN) },
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'a fraction where a whole number is taken',
      [1.5, 'tcp', 0, 0, 0],
      /Row 1, value 1 of `features`.*"bytes"/,
    ],
    ['a number that JSON has rounded', [2 ** 53, 'tcp', 0, 0, 0], /value 1/],
    ['a number for a text', [1, 6, 0, 0, 0], /value 2 of `features` is not a text \(input "proto"\)/],
    ['a text for a number', [1, 'tcp', 0, 0, '1'], /value 5 of `features` is not a number/],
    ['a 2 for a boolean', [1, 'tcp', 2, 0, 0], /value 3 of `features` is neither true nor false/],
    ['a row too short', [1, 'tcp'], /takes 5 values a row, not 2/],
    ['a row of its own width', [[1, 'tcp', 0, 0, 0], [1]], /Row 2 of `features` has 1 values/],
    ['a row that is none', [[1, 'tcp', 0, 0, 0], 7], /Row 2 of `features` is not a list/],
    ['no row', [], /list of rows/],
    ['an empty row', [[]], /Row 1 of `features` is empty/],
  ])('refuses %s', (_, features, message) => {
    expect(() => reader.read(features, 10)).toThrow(message);
  });

  test('one input of open width takes rows of any', () => {
    const open = rowReader(modelOf([{ name: 'x', type: 'float32', shape: [null, null] }]));
    expect(open.featureCount).toBeNull();
    expect(open.read([1, 2, 3], 10)[0]).toMatchObject({ dims: [1, 3] });
    expect(open.read([[1], [2]], 10)[0]).toMatchObject({ dims: [2, 1] });
    expect(() =>
      open.read(
        Array.from({ length: 11 }, () => [1]),
        10,
      ),
    ).toThrow(TooManyRows);
  });

  test('what 32 bits cannot hold is infinite, and so refused', () => {
    const model = modelOf([{ name: 'x', type: 'float32', shape: ['N', 2] }]);
    const inputs = rowReader(model).read(
      [
        [0, 0],
        [0, 1e39],
      ],
      10,
    );
    expect(() => checkInputs(model, inputs, RULES)).toThrow(/Row 2, value 2 of "x"/);
  });
});

test('rows that were joined come apart as they were, whatever their type', () => {
  const kinds = [
    (count: number): NamedTensor => ({
      name: 't',
      type: 'int64',
      dims: [count, 2],
      data: BigInt64Array.from({ length: count * 2 }, (_, index) => BigInt(index)),
    }),
    (count: number): NamedTensor => ({
      name: 't',
      type: 'string',
      dims: [count],
      data: Array.from({ length: count }, (_, index) => `v${index}`),
    }),
  ];
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...kinds),
      (counts, make) => {
        const parts = counts.map(make);
        const joined = joinRows(parts);
        expect(joined.dims[0]).toBe(counts.reduce((sum, count) => sum + count, 0));
        let start = 0;
        for (const [index, count] of counts.entries()) {
          expect(cutRows(joined, start, count)).toEqual(parts[index]);
          start += count;
        }
        const filled = fillRows(joined, start + 3);
        expect(filled.dims[0]).toBe(start + 3);
        expect(cutRows(filled, 0, start)).toEqual(joined);
      },
    ),
  );
});
