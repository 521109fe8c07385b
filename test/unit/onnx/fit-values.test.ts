import { describe, expect, test } from 'vitest';
import { fitValues, type NamedValue, Unfit } from '../../../shared/domain/onnx/fit-values.ts';
import { readOnnx } from '../../../shared/domain/onnx/reader.ts';
import { readTensor } from '../../../shared/domain/onnx/tensor.ts';
import { readTestValue } from '../../../shared/domain/onnx/test-value.ts';
import { bytesSource } from '../../../shared/domain/onnx/wire.ts';
import { float32s, model, sequenceType, tensorType, value } from '../../support/onnx-builder.ts';
import { floats, floatTensor, identity, rawTensor, sequenceOf } from '../../support/test-data.ts';

const tensorValue = (name: string, bytes: Uint8Array): NamedValue => ({
  name,
  value: { kind: 'tensor', name, tensor: readTensor(bytes) },
});
const summaryOf = (bytes: Uint8Array) => readOnnx(bytesSource(bytes)).summary;

describe('fitting a model to what its runtime takes', () => {
  test('a model of common tensors is run as it is, byte for byte', () => {
    const bytes = identity(floats(1));
    const one = floatTensor([1]);
    const fitted = fitValues(bytes, [tensorValue('x', one)], [tensorValue('y', one)]);
    expect(fitted.bytes).toBe(bytes);
    expect(fitted.feeds.map(({ name, as }) => [name, as])).toEqual([['x', 'float']]);
    expect(fitted.reads.map(({ name, as }) => [name, as])).toEqual([['y', 'float']]);
  });

  test('names that are added are new, and everything else stays', () => {
    const type = tensorType(16, [2]);
    const bytes = model({
      irVersion: 10,
      opsets: [['', 21]],
      metadata: [['features', 'a,b']],
      graph: {
        nodes: [{ type: 'Identity', inputs: ['x'], outputs: ['y'] }],
        initializers: [{ name: 'w', dims: [1], raw: float32s([1]) }],
        // What would be added first is taken.
        inputs: [value('x', type), value('x/fed', tensorType(1, [1]))],
        outputs: [value('y', type)],
      },
    });
    const half = rawTensor(16, [2], [0, 0, 128, 63]);
    const { bytes: fitted, feeds } = fitValues(bytes, [tensorValue('x', half)], [tensorValue('y', half)]);
    expect(feeds[0]?.name).toBe("x/fed'");
    const before = summaryOf(bytes);
    const after = summaryOf(fitted);
    expect(after.inputs.map(({ name, elementType }) => [name, elementType])).toEqual([
      ["x/fed'", 'float'],
      ['x/fed', 'float'],
    ]);
    expect(after.outputs.map(({ name, elementType }) => [name, elementType])).toEqual([['y/read', 'float']]);
    const { opsets, metadata, initializerCount } = before;
    expect(after).toMatchObject({ opsets, metadata, initializerCount, nodeCount: 3 });
  });

  test('sequences need the operators that make them', () => {
    const sequence = readTestValue(sequenceOf([floatTensor([1])]), 'sequence');
    const old = model({
      opsets: [['', 10]],
      graph: {
        nodes: [{ type: 'Identity', inputs: ['x'], outputs: ['y'] }],
        inputs: [value('x', sequenceType(tensorType(1, null)))],
        outputs: [value('y', sequenceType(tensorType(1, null)))],
      },
    });
    expect(() => fitValues(old, [{ name: 'x', value: sequence }], [])).toThrow(Unfit);
  });
});
