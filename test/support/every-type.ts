/** A model that takes every type that the Open Inference Protocol has a name for, and gives each back as it came. */
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { TYPE } from './engine-models.ts';
import { model, type NodeSpec, tensorType, value } from './onnx-builder.ts';

/** By the protocol's words. */
const ONNX_TYPE = {
  BOOL: TYPE.bool,
  UINT8: TYPE.uint8,
  UINT16: TYPE.uint16,
  UINT32: TYPE.uint32,
  UINT64: TYPE.uint64,
  INT8: TYPE.int8,
  INT16: TYPE.int16,
  INT32: TYPE.int32,
  INT64: TYPE.int64,
  FP16: TYPE.float16,
  FP32: TYPE.float,
  FP64: TYPE.double,
  BYTES: TYPE.string,
} as const;

/**
 * Inputs `in_FP32`, `in_BYTES`, …, each [N, 2]; outputs `out_…` with the same values, and `label` [N]: 1 where the first
 * value of `in_FP32` is above one half.
 */
export function everyTypeModel(): Uint8Array {
  const datatypes = Object.entries(ONNX_TYPE);
  const nodes: NodeSpec[] = [
    ...datatypes.map(([name]) => ({ type: 'Identity', inputs: [`in_${name}`], outputs: [`out_${name}`] })),
    {
      type: 'Gather',
      inputs: ['in_FP32', 'zero'],
      outputs: ['first'],
      attributes: [{ name: 'axis', int: 1 }],
    },
    { type: 'Greater', inputs: ['first', 'half'], outputs: ['is'] },
    { type: 'Cast', inputs: ['is'], outputs: ['label'], attributes: [{ name: 'to', int: TYPE.int64 }] },
  ];
  return model({
    opsets: [['', 16]],
    graph: {
      nodes,
      initializers: [
        { name: 'zero', type: TYPE.int64, raw: new Uint8Array(8) },
        { name: 'half', floats: [0.5] },
      ],
      inputs: datatypes.map(([name, type]) => value(`in_${name}`, tensorType(type, ['N', 2]))),
      outputs: [
        ...datatypes.map(([name, type]) => value(`out_${name}`, tensorType(type, ['N', 2]))),
        value('label', tensorType(TYPE.int64, ['N'])),
      ],
    },
  });
}

export const EVERY_TYPE_MAPPING: OutputMapping = {
  kind: 'classifier',
  input: 'in_FP32',
  labelOutput: 'label',
  scoreOutput: null,
  scoreColumn: 0,
  positiveLabel: 1,
  threshold: 0.5,
  lowerIsPositive: false,
};
