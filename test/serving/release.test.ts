/** A release asked by tensors: every element type there and back, over the real process. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forkInferenceWorker } from '../../serving/fork-worker.ts';
import { Batcher } from '../../serving/inference/batcher.ts';
import { ModelProcesses } from '../../serving/inference/processes.ts';
import { warmUp } from '../../serving/inference/warm-up.ts';
import { Release } from '../../serving/release.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { createInferenceHost, type InferenceHost } from '../../shared/node/onnx/inference-host.ts';
import type { NamedTensor } from '../../shared/node/onnx/named-tensor.ts';
import {
  CLASSIFIER,
  columnInputs,
  firstFeature,
  laborious,
  sha256,
  TYPE,
  zippedClassifier,
} from '../support/engine-models.ts';
import { model, tensorType, value } from '../support/onnx-builder.ts';

const ENTRY = resolve(import.meta.dirname, '../../serving/index.ts');

/** One pass-through per element type: what goes in as `in_TYPE` comes out as `out_TYPE`. */
function echo(): Uint8Array {
  return model({
    opsets: [['', 15]],
    graph: {
      nodes: Object.keys(TYPE).map((name) => ({
        type: 'Identity',
        inputs: [`in_${name}`],
        outputs: [`out_${name}`],
      })),
      inputs: Object.entries(TYPE).map(([name, type]) => value(`in_${name}`, tensorType(type, ['N', 2]))),
      outputs: Object.entries(TYPE).map(([name, type]) => value(`out_${name}`, tensorType(type, ['N', 2]))),
    },
  });
}

const VALUES: Record<keyof typeof TYPE, Pick<NamedTensor, 'type' | 'data'>> = {
  float: { type: 'float32', data: Float32Array.of(1.5, Number.NaN) },
  uint8: { type: 'uint8', data: Uint8Array.of(0, 255) },
  int8: { type: 'int8', data: Int8Array.of(-128, 127) },
  uint16: { type: 'uint16', data: Uint16Array.of(0, 65_535) },
  int16: { type: 'int16', data: Int16Array.of(-32_768, 32_767) },
  int32: { type: 'int32', data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
  int64: { type: 'int64', data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
  string: { type: 'string', data: ['', 'überall 🌍'] },
  bool: { type: 'bool', data: Uint8Array.of(0, 1) },
  // 1.5 and -2 as bits.
  float16: { type: 'float16', data: Uint16Array.of(0x3e00, 0xc000) },
  double: { type: 'float64', data: Float64Array.of(0.1, Number.NEGATIVE_INFINITY) },
  uint32: { type: 'uint32', data: Uint32Array.of(0, 2 ** 32 - 1) },
  uint64: { type: 'uint64', data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
};

const hosts: InferenceHost[] = [];
afterAll(() => Promise.all(hosts.map((host) => host.close())));

const REF = { version: '1.0.0', digest: '0'.repeat(64), root: '0'.repeat(64) };

function batcherOf(host: InferenceHost): Batcher {
  return new Batcher({
    run: (inputs, outputs, joined) => host.run('model', inputs, outputs, { joined }),
    join: true,
    maxRows: 64,
    maxWaitMs: 0,
    queueRows: 1000,
    deadlineMs: 30_000,
  });
}

async function loaded(bytes: Uint8Array, mapping: OutputMapping): Promise<Release> {
  const host = createInferenceHost({
    fork: () => forkInferenceWorker(ENTRY),
    deadlineMs: 30_000,
    maxRssBytes: 4 * 2 ** 30,
  });
  hosts.push(host);
  const digest = sha256(bytes);
  const info = await host.load({ key: 'model', bytes, digest });
  const batcher = batcherOf(host);
  const processes = new ModelProcesses(host);
  return new Release({ name: 'm', ref: REF, info, mapping, processes, batcher, sizeBytes: bytes.length });
}

describe('a release asked by tensors', () => {
  let release: Release;
  beforeAll(async () => {
    release = await loaded(echo(), {
      ...CLASSIFIER,
      input: 'in_float',
      labelOutput: 'out_float',
      scoreOutput: null,
    });
  });

  test('every element type goes there and comes back, bit by bit', async () => {
    const inputs = Object.entries(VALUES).map(([name, { type, data }]) => ({
      name: `in_${name}`,
      type,
      dims: [1, 2],
      data,
    }));
    const answers = await release.run(inputs);
    expect(answers.map(({ name }) => name)).toEqual(Object.keys(TYPE).map((name) => `out_${name}`));
    for (const { name, type, dims, data } of answers) {
      const sent = VALUES[name.slice(4) as keyof typeof TYPE];
      expect({ type, dims, data: Array.from(data as ArrayLike<unknown>) }).toEqual({
        type: sent.type,
        dims: [1, 2],
        data: Array.from(sent.data as ArrayLike<unknown>),
      });
    }
    const [one] = await release.run(inputs, ['out_string']);
    expect(one).toEqual({ name: 'out_string', type: 'string', dims: [1, 2], data: ['', 'überall 🌍'] });
  });

  test('it tells every input and output with type and shape', () => {
    expect(release.info.batch).toBe('open');
    expect(release.info.inputs).toContainEqual({ name: 'in_string', type: 'string', shape: ['N', 2] });
    expect(release.info.outputs).toHaveLength(Object.keys(TYPE).length);
  });
});

test('a dimension without a name is null, and dictionaries of probabilities are the tensor behind them', async () => {
  const open = await loaded(firstFeature({ batch: null }), CLASSIFIER);
  expect(open.info.inputs).toEqual([{ name: 'features', type: 'float32', shape: [null, 3] }]);
  const zipped = await loaded(zippedClassifier(), {
    ...CLASSIFIER,
    labelOutput: 'output_label',
    scoreOutput: null,
  });
  const info = zipped.info.outputs.map(({ name, type }) => [name, type]);
  expect(info).toEqual([
    ['output_label', 'int64'],
    ['output_probability', 'float32'],
  ]);
  const fixed = await loaded(columnInputs(TYPE.int32, 2), {
    ...CLASSIFIER,
    input: 'number',
    labelOutput: null,
  });
  expect(fixed.info.batch).toBe(2);
});

test('given one call that ends the process among others, then it alone is blamed and the others are answered', async () => {
  const bytes = laborious();
  const host = createInferenceHost({
    fork: () => forkInferenceWorker(ENTRY),
    deadlineMs: 30_000,
    maxRssBytes: 400 * 2 ** 20,
  });
  hosts.push(host);
  const crashes: unknown[] = [];
  host.onCrash((event) => crashes.push(event.error.code));
  const info = await host.load({ key: 'model', bytes, digest: sha256(bytes) });
  const batcher = batcherOf(host);
  const release = new Release({
    name: 'm',
    ref: REF,
    info,
    mapping: CLASSIFIER,
    processes: new ModelProcesses(host),
    batcher,
    sizeBytes: bytes.length,
  });
  const ask = (first: number, elements: number) =>
    release.run([
      { name: 'features', type: 'float32', dims: [1, 3], data: Float32Array.of(first, elements, 0) },
    ]);
  // The first keeps the process busy while the others gather; the third needs more memory than there may be.
  const [busy, fine, deadly, well] = await Promise.allSettled([
    ask(0, 300_000),
    ask(1, 1),
    ask(2, 200_000_000),
    ask(3, 1),
  ]);
  expect(deadly).toMatchObject({ status: 'rejected', reason: { code: 'engine.memory' } });
  const scores = [busy, fine, well].map((each) => each.status === 'fulfilled' && each.value[1]?.data[0]);
  expect(scores).toEqual([0, 1, 3]);
  expect(crashes).toEqual(['engine.memory']);
});

test('a model whose rows are not independent is found out before it takes traffic', async () => {
  const [rows, sum] = await Promise.all(
    [firstFeature(), averaging()].map(async (bytes) => {
      const host = createInferenceHost({
        fork: () => forkInferenceWorker(ENTRY),
        deadlineMs: 30_000,
        maxRssBytes: 4 * 2 ** 30,
      });
      hosts.push(host);
      const info = await host.load({ key: 'model', bytes, digest: sha256(bytes) });
      return warmUp(info, (inputs, outputs) => host.run('model', inputs, outputs));
    }),
  );
  expect([rows, sum]).toEqual([true, false]);
});

/** Answers each row's distance from the mean of all of them. */
function averaging(): Uint8Array {
  return model({
    opsets: [['', 15]],
    graph: {
      nodes: [
        {
          type: 'ReduceMean',
          inputs: ['x'],
          outputs: ['mean'],
          attributes: [
            { name: 'axes', ints: [0] },
            { name: 'keepdims', int: 1 },
          ],
        },
        { type: 'Sub', inputs: ['x', 'mean'], outputs: ['distance'] },
      ],
      inputs: [value('x', tensorType(TYPE.float, ['N', 1]))],
      outputs: [value('distance', tensorType(TYPE.float, ['N', 1]))],
    },
  });
}
