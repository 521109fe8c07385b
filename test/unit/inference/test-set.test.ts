/** One set of test data, in this process: every type of value, and how they are compared. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runTestSet } from '../../../electron/adapters/inference/test-set.ts';
import { DEFAULT_TOLERANCE, type Tolerance } from '../../../shared/domain/evidence/test-data.ts';
import { TYPE } from '../../support/engine-models.ts';
import { mapType, optionalType, sequenceType, tensorType } from '../../support/onnx-builder.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import {
  floats,
  floatTensor,
  identity,
  optionalOf,
  rawTensor,
  sequenceOf,
  type TestCase,
  textTensor,
  writeCase,
} from '../../support/test-data.ts';

function only(one: TestCase, tolerance: Tolerance = DEFAULT_TOLERANCE) {
  const folder = join(writeCase(temporaryDirectory(), one), 'test_data_set_0');
  return runTestSet({ kind: 'test-set', key: 'model', folder, tolerance }, { bytes: () => one.model });
}

describe('values of every type', () => {
  // Eight bytes: eight, four, two or one element, and sixteen of half a byte.
  const RAW = [1, 0, 0, 0, 0, 0, 0, 0];
  test.each([
    ['uint8', TYPE.uint8, 8],
    ['int8', TYPE.int8, 8],
    ['uint16', TYPE.uint16, 4],
    ['int16', TYPE.int16, 4],
    ['int32', TYPE.int32, 2],
    ['uint32', TYPE.uint32, 2],
    ['int64', TYPE.int64, 1],
    ['uint64', TYPE.uint64, 1],
    ['bool', TYPE.bool, 8],
    ['float16', TYPE.float16, 4],
    ['float', TYPE.float, 2],
    ['double', TYPE.double, 1],
    ['bfloat16', 16, 4],
    ['float8e4m3fn', 17, 8],
    ['float8e4m3fnuz', 18, 8],
    ['float8e5m2', 19, 8],
    ['float8e5m2fnuz', 20, 8],
    ['uint4', 21, 16],
    ['int4', 22, 16],
  ])('%s go in and come out', async (name, type, size) => {
    const same = rawTensor(type, [size], RAW);
    const set = await only({ model: identity(tensorType(type, [size])), inputs: [same], outputs: [same] });
    expect(set).toMatchObject({
      status: 'passed',
      reason: '',
      outputs: [{ name: 'y', elementType: name, dims: [size], elements: size, different: 0, first: null }],
    });
    // Not one element may be passed over.
    const other = rawTensor(type, [size], RAW.with(0, 0));
    const changed = await only({
      model: identity(tensorType(type, [size])),
      inputs: [same],
      outputs: [other],
    });
    // The smallest float of each width is nothing to a tolerance of 1e-7, as it should be.
    const tiny = ['float', 'double', 'float16', 'bfloat16'].includes(name);
    expect([changed.status, changed.outputs[0]?.different]).toEqual(tiny ? ['passed', 0] : ['failed', 1]);
  });

  test('text goes in and comes out, and has to be the same', async () => {
    const texts = textTensor([2], ['häm', 'spam']);
    const type = tensorType(TYPE.string, [2]);
    expect(await only({ model: identity(type), inputs: [texts], outputs: [texts] })).toMatchObject({
      status: 'passed',
      outputs: [{ elementType: 'string', maxAbsolute: null }],
    });
    const other = textTensor([2], ['häm', 'Spam']);
    expect(await only({ model: identity(type), inputs: [texts], outputs: [other] })).toMatchObject({
      status: 'failed',
      outputs: [{ different: 1, first: { index: [1], expected: 'Spam', actual: 'spam' } }],
    });
  });

  const list = sequenceOf([floatTensor([1, 2]), floatTensor([3])]);
  const lists = sequenceType(tensorType(1, null));
  test('a sequence goes in and comes out, item by item', async () => {
    expect(await only({ model: identity(lists), inputs: [list], outputs: [list] })).toMatchObject({
      status: 'passed',
      outputs: [{ name: 'y (length)' }, { name: 'y[0]', dims: [2] }, { name: 'y[1]', dims: [1] }],
    });
    const other = sequenceOf([floatTensor([1, 2]), floatTensor([4])]);
    expect(await only({ model: identity(lists), inputs: [list], outputs: [other] })).toMatchObject({
      status: 'failed',
      reason: '"y[1]": 1 of 1 values differ',
    });
    const empty = sequenceOf([]);
    expect(await only({ model: identity(lists), inputs: [empty], outputs: [empty] })).toMatchObject({
      status: 'passed',
    });
  });

  test('an optional goes in and comes out, full and empty', async () => {
    const type = optionalType(tensorType(1, [2]));
    const full = optionalOf(floatTensor([1, 2]));
    const empty = optionalOf(null);
    const statusOf = async (inputs: Uint8Array, outputs: Uint8Array): Promise<string> =>
      (await only({ model: identity(type), inputs: [inputs], outputs: [outputs] })).status;
    expect(await statusOf(full, full)).toBe('passed');
    expect(await statusOf(empty, empty)).toBe('passed');
    expect(await statusOf(full, empty)).toBe('failed');
    expect(await statusOf(empty, full)).not.toBe('passed');
  });

  test('what the binding neither takes nor gives is no pass, and says so', async () => {
    const complex = rawTensor(14, [1], new Uint8Array(8));
    expect(
      await only({ model: identity(tensorType(14, [1])), inputs: [complex], outputs: [complex] }),
    ).toMatchObject({ status: 'not-supported', reason: expect.stringContaining('complex64') });
    const map = identity(mapType(TYPE.int64, tensorType(1, null)));
    expect(
      await only({ model: map, inputs: [new Uint8Array(0)], outputs: [new Uint8Array(0)] }),
    ).toMatchObject({ status: 'not-supported', reason: expect.stringContaining('map') });
  });
});

describe('comparing', () => {
  const model = identity(floats(2));
  const inputs = [floatTensor([1, 1000])];

  test('differences are told with their size and their first place', async () => {
    const set = await only({ model, inputs, outputs: [floatTensor([1, 1002])] });
    expect(set.outputs).toMatchObject([
      {
        different: 1,
        maxAbsolute: 2,
        maxRelative: 2 / 1002,
        first: { index: [1], expected: '1002', actual: '1000' },
      },
    ]);
  });

  test('the tolerance decides', async () => {
    const close = { model, inputs, outputs: [floatTensor([1, 1001])] };
    expect((await only(close)).status).toBe('passed');
    expect((await only(close, { relative: 0, absolute: 0.5 })).status).toBe('failed');
    expect((await only(close, { relative: 0, absolute: 1 })).status).toBe('passed');
  });

  test('another shape and another type differ, whatever the values are', async () => {
    const flat = rawTensor(1, [2, 1], new Uint8Array(Float32Array.of(1, 1000).buffer));
    expect(await only({ model, inputs, outputs: [flat] })).toMatchObject({
      status: 'failed',
      reason: '"y": its shape is [2], and [2, 1] was expected',
    });
    const double = rawTensor(11, [2], new Uint8Array(Float64Array.of(1, 1000).buffer));
    expect(await only({ model, inputs, outputs: [double] })).toMatchObject({
      status: 'failed',
      reason: '"y": it is float, and double was expected',
    });
  });
});

test('a model that the runtime refuses is an error of the set', async () => {
  const same = floatTensor([1]);
  const text = Buffer.from(identity(floats(1)))
    .toString('latin1')
    .replace('Identity', 'Idontity');
  const set = await only({ model: Buffer.from(text, 'latin1'), inputs: [same], outputs: [same] });
  expect(set).toMatchObject({ status: 'error', outputs: [] });
});
