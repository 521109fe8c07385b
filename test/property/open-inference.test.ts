import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { Datatype, ProtocolTensor } from '../../shared/domain/open-inference/datatypes.ts';
import { readInferRequest } from '../../shared/node/open-inference/request.ts';
import { writeInferResponse } from '../../shared/node/open-inference/response.ts';
import {
  ALL_DATATYPES,
  type ClientTensor,
  type Element,
  readAnswer,
  requestBody,
} from '../support/open-inference.ts';

const bits = (width: number, signed: boolean): fc.Arbitrary<Element> =>
  fc.integer(
    signed ? { min: -(2 ** (width - 1)), max: 2 ** (width - 1) - 1 } : { min: 0, max: 2 ** width - 1 },
  );

/** Numbers that are finite where `json`, because JSON has no others. */
const ELEMENTS: Readonly<Record<string, (json: boolean) => fc.Arbitrary<Element>>> = {
  BOOL: () => fc.boolean(),
  UINT8: () => bits(8, false),
  UINT16: () => bits(16, false),
  UINT32: () => bits(32, false),
  UINT64: () => fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  INT8: () => bits(8, true),
  INT16: () => bits(16, true),
  INT32: () => bits(32, true),
  INT64: () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  FP16: () => fc.constantFrom(0, 1, -1.5, 65504, 6.103515625e-5, Number.NaN, Number.POSITIVE_INFINITY),
  FP32: (json) => fc.float(json ? { noNaN: true, noDefaultInfinity: true } : {}),
  FP64: (json) => fc.double(json ? { noNaN: true, noDefaultInfinity: true } : {}),
  BYTES: () => fc.string({ unit: 'binary', maxLength: 12 }),
};

const tensor = fc
  .record({
    datatype: fc.constantFrom(...ALL_DATATYPES),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    wishBinary: fc.boolean(),
  })
  .chain(({ datatype, shape, wishBinary }) => {
    const binary = wishBinary || datatype === 'FP16';
    const count = shape.reduce((product, size) => product * size, 1);
    const element = ELEMENTS[datatype]?.(!binary) ?? fc.constant(0);
    return fc
      .array(element, { minLength: count, maxLength: count })
      .map((values) => ({ datatype, shape, values, binary }));
  });
const tensors = fc
  .array(tensor, { minLength: 1, maxLength: 5 })
  .map((list): ClientTensor[] => list.map((each, index) => ({ ...each, name: `t${index}` })));

/** JSON has no minus zero of its own: it may come back as zero. */
const plain = (binary: boolean | undefined, values: readonly Element[]): Element[] =>
  values.map((value) => (binary === false && Object.is(value, -0) ? 0 : value));

function asElements({ datatype, data }: ProtocolTensor): Element[] {
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (value) => value === 1);
  if (datatype === 'FP16') return Array.from(new Float16Array((data as Uint16Array).buffer));
  return Array.from(data as ArrayLike<Element>);
}

describe('tensors of the Open Inference Protocol', () => {
  it('are read as another client wrote them, and read by it as they are answered, to the last bit', () => {
    fc.assert(
      fc.property(tensors, (sent) => {
        const { body, headers } = requestBody({ inputs: sent });
        const { inputs } = readInferRequest(body, headers['inference-header-content-length']);
        expect(inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(
          sent.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
        );
        for (const [index, { binary, values }] of sent.entries())
          expect(plain(binary, asElements(inputs[index] as ProtocolTensor))).toEqual(plain(binary, values));

        const outputs = inputs.map((input, index) => ({ ...input, binary: sent[index]?.binary ?? true }));
        const answer = writeInferResponse({ model_name: 'm', model_version: '1', id: undefined, outputs });
        const read = readAnswer(
          answer.body,
          answer.headerLength === null ? null : String(answer.headerLength),
        );
        for (const [index, { binary, values, datatype }] of sent.entries()) {
          const got = read.outputs[index]?.values ?? [];
          const same = ['INT64', 'UINT64'].includes(datatype)
            ? got.map(BigInt as (value: Element) => bigint)
            : got.map((value) => (typeof value === 'bigint' && !binary ? Number(value) : value));
          expect(plain(binary, same)).toEqual(plain(binary, values));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('whatever bytes are changed, cut or lied about, are read or refused, and nothing else', () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(
        tensors,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
        fc.nat({ max: 12 }),
        fc.integer({ min: -3, max: 3 }),
        (sent, changes, cut, lie) => {
          const { body, headers } = requestBody({ inputs: sent });
          for (const [at, byte] of changes) body[at % body.length] = byte;
          const length = headers['inference-header-content-length'];
          const claimed = length === undefined ? undefined : String(Number(length) + lie);
          try {
            const { inputs } = readInferRequest(body.subarray(0, body.length - cut), claimed);
            for (const { shape, data } of inputs)
              expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
          } catch (error) {
            if (!(error instanceof SallyportError)) throw error;
            codes.add(error.code);
          }
        },
      ),
      { numRuns: 500 },
    );
    expect([...codes].sort()).toEqual(['input.invalid', 'usage']);
  });

  it('of every datatype are covered', () => {
    const all: Record<Datatype, true> = {
      BOOL: true,
      UINT8: true,
      UINT16: true,
      UINT32: true,
      UINT64: true,
      INT8: true,
      INT16: true,
      INT32: true,
      INT64: true,
      FP16: true,
      FP32: true,
      FP64: true,
      BYTES: true,
    };
    expect(Object.keys(all).sort()).toEqual([...ALL_DATATYPES].sort());
    expect(Object.keys(ELEMENTS).sort()).toEqual([...ALL_DATATYPES].sort());
  });
});
