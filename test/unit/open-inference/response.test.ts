import { expect, it } from 'vitest';
import { type AnsweredTensor, writeInferResponse } from '../../../shared/node/open-inference/response.ts';
import { readAnswer } from '../../support/open-inference.ts';

function answer(...outputs: AnsweredTensor[]) {
  const { body, headerLength } = writeInferResponse({
    model_name: 'm',
    model_version: '1.1.0',
    id: 'r "1"',
    outputs,
  });
  return { body, headerLength, read: readAnswer(body, headerLength === null ? null : String(headerLength)) };
}
const label: AnsweredTensor = {
  name: 'label',
  datatype: 'INT64',
  shape: [2],
  data: new BigInt64Array([9007199254740993n, -1n]),
  binary: false,
};

it('an answer in JSON has every digit of its whole numbers, and words for booleans', () => {
  const { body, headerLength, read } = answer(
    label,
    { name: 'flag', datatype: 'BOOL', shape: [2, 1], data: new Uint8Array([1, 0]), binary: false },
    { name: 'text', datatype: 'BYTES', shape: [1], data: ['"é"\n'], binary: false },
    { name: 'score', datatype: 'FP32', shape: [2], data: new Float32Array([0.1, -0]), binary: false },
  );
  expect(headerLength).toBeNull();
  expect(body.toString()).toContain('"data":[9007199254740993,-1]');
  expect(read).toMatchObject({ model_name: 'm', model_version: '1.1.0', id: 'r "1"' });
  expect(read.outputs.map(({ values }) => values)).toEqual([
    [9007199254740993n, -1],
    [true, false],
    ['"é"\n'],
    [Math.fround(0.1), 0],
  ]);
});

it('binary outputs follow the JSON in its order, with those in JSON between them', () => {
  const { read } = answer(
    { ...label, binary: true },
    { name: 'score', datatype: 'FP32', shape: [1], data: new Float32Array([0.5]), binary: false },
    { name: 'text', datatype: 'BYTES', shape: [2], data: ['é', ''], binary: true },
    { name: 'nan', datatype: 'FP64', shape: [1], data: new Float64Array([Number.NaN]), binary: true },
  );
  expect(read.outputs.map(({ values }) => values)).toEqual([
    [9007199254740993n, -1n],
    [0.5],
    ['é', ''],
    [Number.NaN],
  ]);
});

it('what JSON has no number for is refused by name, not turned into null', () => {
  const score = { name: 'score', datatype: 'FP64', shape: [2], binary: false } as const;
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => answer({ ...score, data: new Float64Array([1, odd]) })).toThrow(
      /Output "score" is .* at value 2/,
    );
  expect(() => answer({ ...score, datatype: 'FP16', shape: [1], data: new Uint16Array(1) })).toThrow(
    /Output "score" is FP16/,
  );
});
