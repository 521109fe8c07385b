/**
 * Sessions in a thread beside the one that reads and counts: the runtime blocks whichever thread calls it. A crash of
 * the runtime still ends the whole process, which is what its parent watches for.
 */
import { once } from 'node:events';
import { parentPort, Worker } from 'node:worker_threads';
import type { OutputMapping } from '../../domain/model/version.ts';
import type { RunInput } from './feed.ts';
import type { DetailedPredictions } from './row-model.ts';
import { type LoadedModel, loadModel } from './session.ts';
import { checkFinite } from './tensors.ts';
import { fromWireError, type ModelInfo, toWireError, type WireError } from './worker-protocol.ts';

type Request =
  | {
      readonly kind: 'load';
      readonly id: number;
      readonly bytes: Uint8Array;
      readonly mapping: OutputMapping;
      readonly intraOpThreads: number;
    }
  | { readonly kind: 'run'; readonly id: number; readonly model: number; readonly input: RunInput }
  | { readonly kind: 'release'; readonly id: number; readonly model: number }
  | { readonly kind: 'compute'; readonly id: number; readonly input: unknown };

type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError };

/** Answers, and how long the runtime took for them, milliseconds: without the way to the thread and back. */
export interface TimedPredictions extends DetailedPredictions {
  readonly runMs: number;
}

/** Loads models for a process: where it is not given, they run in the calling thread. */
export type ModelLoader = typeof loadModel;

/** Shared rows copied into this thread's own memory, used again at the next call: the runtime is given none that is shared. */
let own = new Float32Array(0);
function ownRows(input: RunInput): RunInput {
  const { rows } = input;
  if (rows.buffer instanceof ArrayBuffer) return input;
  if (own.length < rows.length) own = new Float32Array(rows.length);
  own.set(rows);
  return { ...input, rows: own.subarray(0, rows.length) };
}

/** The thread's side: the whole program of its entry file. `compute`: what else it does while no model runs. */
export function serveSessions(compute: (input: unknown) => unknown): void {
  const models: LoadedModel[] = [];
  const handle = async (request: Request): Promise<unknown> => {
    if (request.kind === 'load') {
      const { bytes, mapping, intraOpThreads } = request;
      const loaded = await loadModel(bytes, mapping, { intraOpThreads });
      return { model: models.push(loaded) - 1, info: loaded.info };
    }
    if (request.kind === 'compute') return compute(request.input);
    const model = models[request.model];
    if (!model) throw new Error('No such session.');
    if (request.kind === 'release') return model.release();
    const started = performance.now();
    const answers = await model.runDetailed(ownRows(request.input));
    return { ...answers, runMs: performance.now() - started } satisfies TimedPredictions;
  };
  let last: Promise<void> = Promise.resolve();
  parentPort?.on('message', (request: Request) => {
    const { id } = request;
    last = last
      .then(() => handle(request))
      .then(
        (value) => parentPort?.postMessage({ id, ok: true, value } satisfies Reply),
        (error: unknown) =>
          parentPort?.postMessage({ id, ok: false, error: toWireError(error) } satisfies Reply),
      );
  });
}

export interface SessionThread {
  readonly load: ModelLoader;
  /** Asked before this returns; after the runs asked before. Shared memory is read where it is. */
  compute(input: unknown): Promise<unknown>;
}

/** Starts the thread from its entry file. Rejects where none can be started; an end of the thread ends the process. */
export async function openSessionThread(entry: URL): Promise<SessionThread> {
  const thread = new Worker(entry, { execArgv: [], env: {} });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let nextId = 1;
  await once(thread, 'online');
  thread.on('message', (reply: Reply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.value);
    else asked?.reject(fromWireError(reply.error));
  });
  // Nobody can say what state the runtime is in.
  thread.on('error', () => process.exit(70));
  thread.on('exit', () => process.exit(70));
  type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;
  const ask = (request: Unnumbered<Request>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      thread.postMessage({ ...request, id });
    });

  const load: ModelLoader = async (bytes, mapping, { intraOpThreads }) => {
    const loaded = await ask({ kind: 'load', bytes, mapping, intraOpThreads });
    const { model, info } = loaded as { readonly model: number; readonly info: ModelInfo };
    const runDetailed = async (input: RunInput): Promise<TimedPredictions> =>
      (await ask({ kind: 'run', model, input })) as TimedPredictions;
    return {
      info,
      runDetailed,
      async run(rows, count) {
        const { labels, scores } = await runDetailed({ rows, count });
        if (scores) checkFinite(scores, mapping.scoreOutput ?? '');
        if (mapping.labelOutput !== null) checkFinite(labels, mapping.labelOutput);
        return { labels, scores };
      },
      release: async () => {
        await ask({ kind: 'release', model });
      },
    };
  };
  return { load, compute: (input) => ask({ kind: 'compute', input }) };
}
