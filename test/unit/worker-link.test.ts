/** What the parent of an inference process makes of messages that cannot be sent, and of answers that nobody asked for. */
import { expect, onTestFinished, test } from 'vitest';
import { createInferenceHost, type InferenceWorker } from '../../shared/node/onnx/inference-host.ts';
import { callWorker, openWorkerLink } from '../../shared/node/onnx/worker-link.ts';
import type { WorkerRequest } from '../../shared/node/onnx/worker-protocol.ts';

/** A process that answers what `answer` says, if anything; what it throws, sending throws. */
function worker(answer: (request: WorkerRequest) => unknown, killed: () => void = () => {}): InferenceWorker {
  let listener: (message: unknown) => void = () => {};
  return {
    pid: undefined,
    postMessage(message) {
      const request = message as WorkerRequest;
      const value = answer(request);
      setImmediate(() => listener({ id: request.id, kind: 'done', value, next: null }));
    },
    onMessage(listen) {
      listener = listen;
    },
    onExit() {},
    kill: killed,
  };
}

test('given a request that cannot be sent, then it alone fails, and the process is not waited for or ended', async () => {
  let ended = false;
  const asked = worker(
    (request) => {
      if (request.type === 'unload') throw new RangeError('too long');
      return ['cpu'];
    },
    () => {
      ended = true;
    },
  );
  const link = openWorkerLink(asked, { maxRssBytes: Number.POSITIVE_INFINITY });
  onTestFinished(() => link.close(new Error('over') as never));
  await expect(callWorker(link, { type: 'unload', key: 'm' }, 100)).rejects.toThrow('too long');
  // Longer than its deadline, and a look at the clock more.
  await new Promise((next) => setTimeout(next, 300));
  expect([link.alive, ended]).toEqual([true, false]);
  expect(await callWorker(link, { type: 'providers' }, 100)).toEqual(['cpu']);
});

const INFO = {
  inputs: [{ name: 'x', type: 'float32', shape: ['N', 1] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['N', 1] }],
  leftOut: [],
  batch: 'open',
};
const TENSOR = { name: 'y', type: 'float32', dims: [1, 1], data: Float32Array.of(1) };

function host(answers: { readonly info?: unknown; readonly value?: unknown; readonly killed?: () => void }) {
  const made = createInferenceHost({
    fork: () =>
      worker(({ type }) => {
        if (type === 'load-end') return 'info' in answers ? answers.info : INFO;
        return type === 'run' ? answers.value : null;
      }, answers.killed),
    deadlineMs: 1000,
    maxRssBytes: Number.POSITIVE_INFINITY,
  });
  onTestFinished(() => made.close());
  return made;
}
const MODEL = { key: 'm', bytes: new Uint8Array(1), digest: '0'.repeat(64) };

test('an answer that was asked for is given', async () => {
  const asked = host({ value: [TENSOR] });
  expect(await asked.load(MODEL)).toEqual(INFO);
  expect(await asked.run('m', [], ['y'])).toEqual([TENSOR]);
});

test.each([
  ['nothing', null],
  ['no list', {}],
  ['a tensor less', []],
  ['a tensor more', [TENSOR, TENSOR]],
  ['nothing for a tensor', [null]],
  ['a tensor of another name', [{ ...TENSOR, name: 'z' }]],
])('given %s for an answer, then the call fails and the process is ended', async (_what, value) => {
  let ended = 0;
  const asked = host({ value, killed: () => ended++ });
  await asked.load(MODEL);
  await expect(asked.run('m', [], ['y'])).rejects.toMatchObject({ code: 'engine.crashed' });
  expect(ended).toBe(1);
});

test.each([
  ['nothing', null],
  ['outputs that are no list', { ...INFO, outputs: {} }],
  ['a type that is none', { ...INFO, inputs: [{ name: 'x', type: 'constructor', shape: [] }] }],
  ['a batch of another kind', { ...INFO, batch: {} }],
  ['a batch of no rows', { ...INFO, batch: 0 }],
  ['a shape below zero', { ...INFO, inputs: [{ name: 'x', type: 'float32', shape: [-1] }] }],
])(
  'given %s for a model’s interface, then it is not loaded, and the process is ended',
  async (_what, info) => {
    let ended = 0;
    const asked = host({ info, killed: () => ended++ });
    await expect(asked.load(MODEL)).rejects.toMatchObject({ code: 'engine.crashed' });
    expect(ended).toBe(1);
  },
);
