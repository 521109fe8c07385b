import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { readInferRequest } from '../../../shared/node/open-inference/request.ts';
import { type ClientRequest, requestBody } from '../../support/open-inference.ts';

/** What Triton's stock client (tritonclient 2.73) wrote, byte for byte. */
const RECORDED = {
  binary: {
    headerLength: '235',
    body: '{"id":"r-1","inputs":[{"name":"features","shape":[2,3],"datatype":"FP32","parameters":{"binary_data_size":24}}],"outputs":[{"name":"label","parameters":{"binary_data":true}},{"name":"probabilities","parameters":{"binary_data":false}}]}\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x00?\x00\x00\x80\xbf\x00\x00\x00\x00',
  },
  mixed: {
    headerLength: '381',
    body: '{"inputs":[{"name":"text","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":10}},{"name":"count","shape":[2],"datatype":"INT64","data":[4611686018427387905,-1]},{"name":"half","shape":[1],"datatype":"FP16","parameters":{"binary_data_size":2}},{"name":"flag","shape":[2],"datatype":"BOOL","parameters":{"binary_data_size":2}}],"parameters":{"binary_data_output":true}}\x02\x00\x00\x00\xc3\xa9\x00\x00\x00\x00\x00>\x01\x00',
  },
};

interface Refused {
  readonly code: string;
  readonly message: string;
}

function refusalOf(body: Uint8Array, headerLength?: string): Refused {
  try {
    readInferRequest(body, headerLength);
  } catch (error) {
    if (error instanceof SallyportError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was read');
}

const json = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const input = (change: object): object => ({
  name: 'x',
  shape: [2],
  datatype: 'FP32',
  data: [1, 2],
  ...change,
});
const refusedInput = (change: object): Refused => refusalOf(json({ inputs: [input(change)] }));

function binary(request: ClientRequest, change: (body: Buffer) => Buffer = (body) => body): Refused {
  const { body, headers } = requestBody(request);
  return refusalOf(change(body), headers['inference-header-content-length']);
}
const FEATURES = { name: 'x', datatype: 'FP32', shape: [1, 3], values: [1, 2, 3] };

describe('an infer request', () => {
  it('is read from what a stock client sends in binary', () => {
    const { headerLength, body } = RECORDED.binary;
    expect(readInferRequest(Buffer.from(body, 'latin1'), headerLength)).toEqual({
      id: 'r-1',
      inputs: [
        { name: 'features', datatype: 'FP32', shape: [2, 3], data: new Float32Array([1, 2, 3, 0.5, -1, 0]) },
      ],
      outputs: [
        { name: 'label', binary: true },
        { name: 'probabilities', binary: false },
      ],
      binaryByDefault: false,
    });
  });

  it('mixes binary and JSON inputs in any order, text, halves and 64 bits among them', () => {
    const { headerLength, body } = RECORDED.mixed;
    const request = readInferRequest(Buffer.from(body, 'latin1'), headerLength);
    expect(request.inputs.map(({ name, data }) => [name, data])).toEqual([
      ['text', ['é', '']],
      ['count', new BigInt64Array([4611686018427387905n, -1n])],
      ['half', new Uint16Array([0x3e00])],
      ['flag', new Uint8Array([1, 0])],
    ]);
    expect(request).toMatchObject({ id: undefined, outputs: null, binaryByDefault: true });
  });

  it('takes nested and flat data alike, and ignores what it does not know', () => {
    for (const data of [
      [1, 2, 3, 4, 5, 6],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ]) {
      const body = json({
        inputs: [input({ shape: [2, 3], data, parameters: { mine: 1 } })],
        unknown: {},
        parameters: { priority: 3 },
      });
      expect(readInferRequest(body, undefined).inputs[0]?.data).toEqual(new Float32Array([1, 2, 3, 4, 5, 6]));
    }
  });

  it('reads whole numbers of 64 bits to the last digit', () => {
    const body = json(
      '{"inputs":[{"name":"a","shape":[3],"datatype":"INT64","data":[9007199254740993,-9223372036854775808,7]},{"name":"b","shape":[1,2],"datatype":"UINT64","data":[[18446744073709551615,0]]}]}',
    );
    const { inputs } = readInferRequest(body, undefined);
    expect(inputs.map(({ data }) => data)).toEqual([
      new BigInt64Array([9007199254740993n, -9223372036854775808n, 7n]),
      new BigUint64Array([18446744073709551615n, 0n]),
    ]);
  });

  it.each([
    ['FP32', '[1, 1e39]', 'row 2: this is not a finite 32-bit number'],
    ['FP64', '[1, 1e999]', 'row 2: this is not a finite number'],
    ['FP32', '[null, 1]', 'row 1: this is not a finite 32-bit number'],
    ['FP32', '["1", 1]', 'row 1'],
    ['INT8', '[1, 128]', 'row 2: this is not a whole number of INT8'],
    ['UINT8', '[-1, 1]', 'row 1'],
    ['INT32', '[1.5, 1]', 'row 1'],
    ['INT64', '[1, 9223372036854775808]', 'row 2: this is not a whole number of INT64'],
    ['INT64', '[1, 9007199254740993.5]', 'row 2'],
    ['INT64', '[1, 1e30]', 'row 2'],
    ['UINT64', '[1, 18446744073709551616]', 'row 2'],
    ['UINT64', '[-1, 1]', 'row 1'],
    ['UINT64', '[-9007199254740993, 1]', 'row 1'],
    ['UINT64', `[${'9'.repeat(21)}, 1]`, 'row 1'],
    ['BOOL', '[1, true]', 'row 1: this is not true or false'],
    ['BYTES', '["a", 5]', 'row 2: this is not text'],
    ['BYTES', '["a", "\\ud800"]', 'row 2: this is not text'],
  ])('refuses %s of %s, and says where', (datatype, data, where) => {
    const refused = refusalOf(
      json(`{"inputs":[{"name":"x","shape":[2],"datatype":"${datatype}","data":${data}}]}`),
    );
    expect(refused.code).toBe('input.invalid');
    expect(refused.message).toContain(`Input "x", ${where}`);
  });

  it('names the row and the value where rows have several', () => {
    expect(refusedInput({ shape: [2, 2], data: [1, 2, 3, null] }).message).toMatch(
      /^Input "x", row 2, value 2: /,
    );
  });

  it.each([
    ['no inputs', { inputs: [] }, 'inputs'],
    ['a list', [], 'The request'],
    ['an input without a name', { inputs: [{ shape: [1], datatype: 'FP32', data: [1] }] }, 'inputs.0.name'],
    ['a datatype there is not', { inputs: [input({ datatype: 'FP8' })] }, 'Input "x": datatype'],
    ['a negative size', { inputs: [input({ shape: [-1] })] }, 'Input "x": shape.0'],
    ['a fraction of a size', { inputs: [input({ shape: [1.5] })] }, 'Input "x": shape.0'],
    ['a shape of too many dimensions', { inputs: [input({ shape: Array(17).fill(1) })] }, 'Input "x": shape'],
    ['the same input twice', { inputs: [input({}), input({})] }, 'Input "x" is there more than once'],
    [
      'an input without data',
      { inputs: [{ name: 'x', shape: [1], datatype: 'FP32' }] },
      'Input "x" has neither',
    ],
    ['data that is no list', { inputs: [input({ data: 1 })] }, 'Input "x": `data` is not a list'],
    ['too few elements', { inputs: [input({ shape: [3] })] }, 'has 2 elements; its shape [3] holds 3'],
    [
      'a shape that nothing could hold',
      { inputs: [input({ shape: [2 ** 40, 2 ** 40] })] },
      'more than `data` holds',
    ],
    [
      'rows of another width',
      { inputs: [input({ shape: [2, 2], data: [[1, 2], [3]] })] },
      'near row 2, value 1, `data` does not have the shape',
    ],
    ['lists where numbers belong', { inputs: [input({ data: [[1], [2]] })] }, 'row 1: this is not a finite'],
    ['halves in JSON', { inputs: [input({ datatype: 'FP16' })] }, 'Input "x": FP16'],
    [
      'shared memory',
      { inputs: [input({ parameters: { shared_memory_region: 'r' } })] },
      'shared_memory_region',
    ],
    [
      'classes instead of scores',
      { inputs: [input({})], outputs: [{ name: 'y', parameters: { classification: 2 } }] },
      'Output "y"',
    ],
    [
      'the same output twice',
      { inputs: [input({})], outputs: [{ name: 'y' }, { name: 'y' }] },
      'Output "y" is asked for more than once',
    ],
    [
      'a wish that is neither yes nor no',
      { inputs: [input({})], outputs: [{ name: 'y', parameters: { binary_data: 'yes' } }] },
      'Output "y"',
    ],
    ['an id that is no text', { id: 5, inputs: [input({})] }, 'id'],
  ])('refuses %s (422)', (_what, value, message) => {
    const refused = refusalOf(json(value));
    expect(refused.code).toBe('input.invalid');
    expect(refused.message).toContain(message);
  });

  it('refuses what is no JSON, or no UTF-8 (400)', () => {
    expect(refusalOf(json('{"inputs":')).code).toBe('usage');
    expect(refusalOf(Buffer.from('{"id":"\xff"}', 'latin1')).code).toBe('usage');
    expect(refusalOf(Buffer.alloc(0)).code).toBe('usage');
    const deep = `{"inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[9007199254740993]}],"more":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(refusalOf(json(deep))).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('nested'),
    });
  });

  it.each(['-1', '0', '', 'abc', '1e2', '0x10', '99999999999', '18446744073709551617', '5.0', ' 5'])(
    'refuses the header length %j (400)',
    (headerLength) => {
      const { body } = requestBody({ inputs: [FEATURES] });
      expect(refusalOf(body, headerLength)).toMatchObject({
        code: 'usage',
        message: expect.stringContaining('Inference-Header-Content-Length'),
      });
    },
  );

  it('refuses binary data that is not as long as it says (400)', () => {
    const short = binary({ inputs: [FEATURES] }, (body) => body.subarray(0, body.length - 1));
    expect(short).toMatchObject({ code: 'usage', message: expect.stringContaining('11 bytes are left') });
    const long = binary({ inputs: [FEATURES] }, (body) => Buffer.concat([body, Buffer.from('x')]));
    expect(long).toMatchObject({ code: 'usage', message: '1 bytes follow the binary data of the inputs.' });
    const other = binary({ inputs: [{ ...FEATURES, shape: [1, 2] }] });
    expect(other.message).toBe('Input "x": 12 bytes of binary data; FP32 of the shape [1, 2] takes 8.');
    const lie = (size: unknown): Refused => {
      const head = json({
        inputs: [{ name: 'x', shape: [1], datatype: 'FP32', parameters: { binary_data_size: size } }],
      });
      return refusalOf(Buffer.concat([head, Buffer.alloc(4)]), String(head.length));
    };
    for (const size of [-4, 1.5, '4', null, 2 ** 60, true])
      expect(lie(size).code, String(size)).toBe('usage');
    expect(lie(4.0 + 4).message).toContain('4 bytes are left of the body');
  });

  it('refuses binary data without the header that says where it starts, and data given twice (400)', () => {
    expect(refusedInput({ data: undefined, parameters: { binary_data_size: 8 } }).message).toContain(
      'does not say where',
    );
    expect(refusedInput({ parameters: { binary_data_size: 8 } }).message).toContain('has both');
  });

  it.each([
    ['a length beyond the data', [0, 0, 0, 0, 2, 0, 0, 0, 97], 'ends within row 2'],
    ['a length of four thousand million', [255, 255, 255, 255, 97, 0, 0, 0], 'ends within row 1'],
    ['fewer bytes than lengths', [0, 0, 0, 0, 1], '5 bytes of binary data cannot hold 2 texts'],
    ['a length cut off', [1, 0, 0, 0, 97, 0, 0, 0], 'ends within row 2'],
    ['bytes after the last', [0, 0, 0, 0, 0, 0, 0, 0, 1], '1 bytes follow the last of 2'],
    ['bytes that are no text', [1, 0, 0, 0, 255, 0, 0, 0, 0], 'row 1: this is not UTF-8'],
  ])('refuses text with %s', (_what, bytes, message) => {
    const head = json({
      inputs: [{ name: 'x', shape: [2], datatype: 'BYTES', parameters: { binary_data_size: bytes.length } }],
    });
    const refused = refusalOf(Buffer.concat([head, Buffer.from(bytes)]), String(head.length));
    expect(refused.code).toBe('usage');
    expect(refused.message).toContain(message);
  });

  it('does not believe a number of texts that the bytes could not hold', () => {
    const head = json({
      inputs: [{ name: 'x', shape: [2 ** 50], datatype: 'BYTES', parameters: { binary_data_size: 4 } }],
    });
    expect(refusalOf(Buffer.concat([head, Buffer.alloc(4)]), String(head.length)).code).toBe('usage');
  });

  it('counts no elements where one dimension is empty, however large the others are', () => {
    const shape = [...Array(15).fill(2 ** 52), 0];
    for (const datatype of ['BYTES', 'FP32', 'INT64']) {
      const head = json({ inputs: [{ name: 'x', shape, datatype, parameters: { binary_data_size: 0 } }] });
      expect(readInferRequest(head, String(head.length)).inputs[0]?.data).toHaveLength(0);
      const data = readInferRequest(json({ inputs: [{ name: 'x', shape, datatype, data: [] }] }), undefined);
      expect(data.inputs[0]?.data).toHaveLength(0);
    }
  });

  it('refuses a BOOL that is neither 0 nor 1', () => {
    const head = json({
      inputs: [{ name: 'x', shape: [2], datatype: 'BOOL', parameters: { binary_data_size: 2 } }],
    });
    expect(refusalOf(Buffer.concat([head, Buffer.from([1, 2])]), String(head.length)).message).toContain(
      'Input "x", row 2',
    );
  });
});
