/** Folders of ONNX test data: a model, and what it was fed and answered. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes, concat, int, model, tensor, tensorType, value } from './onnx-builder.ts';

export interface TestCase {
  readonly model: Uint8Array;
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

/** Writes the case as ONNX's backend tests lie; further sets follow the first. */
export function writeCase(directory: string, first: TestCase, ...more: Omit<TestCase, 'model'>[]): string {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'model.onnx'), first.model);
  for (const [index, { inputs, outputs }] of [first, ...more].entries()) {
    const folder = join(directory, `test_data_set_${index}`);
    mkdirSync(folder);
    for (const [at, input] of inputs.entries()) writeFileSync(join(folder, `input_${at}.pb`), input);
    for (const [at, output] of outputs.entries()) writeFileSync(join(folder, `output_${at}.pb`), output);
  }
  return directory;
}

/** Answers what it was given, whatever its type. */
export function identity(type: Uint8Array): Uint8Array {
  return model({
    irVersion: 10,
    opsets: [['', 21]],
    graph: {
      nodes: [{ type: 'Identity', inputs: ['x'], outputs: ['y'] }],
      inputs: [value('x', type)],
      outputs: [value('y', type)],
    },
  });
}

/** A TensorProto of raw little-endian bytes. */
export function rawTensor(
  type: number,
  dims: readonly number[],
  raw: Uint8Array | readonly number[],
): Uint8Array {
  return tensor({ name: 'x', dims, type, raw: Uint8Array.from(raw) });
}

export function textTensor(dims: readonly number[], texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  return concat(tensor({ dims, type: 8 }), ...texts.map((one) => bytes(6, encoder.encode(one))));
}

/** A SequenceProto of tensors. */
export function sequenceOf(tensors: readonly Uint8Array[]): Uint8Array {
  return concat(int(2, 1), ...tensors.map((one) => bytes(3, one)));
}

/** An OptionalProto of a tensor, or of nothing. */
export function optionalOf(one: Uint8Array | null): Uint8Array {
  return one === null ? int(2, 0) : concat(int(2, 1), bytes(3, one));
}

export function floatTensor(values: readonly number[]): Uint8Array {
  return rawTensor(1, [values.length], new Uint8Array(Float32Array.from(values).buffer));
}

export function floats(size: number): Uint8Array {
  return tensorType(1, [size]);
}
