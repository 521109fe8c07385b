import { createHash } from 'node:crypto';
import { SallyportError } from '../../domain/errors.ts';
import type { WorkerPort } from '../worker-port.ts';
import { executionProviders } from './runtime.ts';
import { type LoadedModel, loadModel, openTensorModel, type TensorModel } from './session.ts';
import type { ModelLoader } from './session-thread.ts';
import { toWireError, type WorkerReply, type WorkerRequest } from './worker-protocol.ts';

/** What a task of a particular worker entry may use. */
export interface TaskContext {
  /** A model loaded before under this key; throws `not-found`. */
  model(key: string): LoadedModel;
  /** Loads the same bytes again with another number of threads, in place of the session before; not after `settle`. */
  reload(key: string, intraOpThreads: number): Promise<LoadedModel>;
  /** The verified bytes, of a model loaded or not; throws `not-found`, also after `settle`. */
  bytes(key: string): Uint8Array;
  /** Lets go of the models' bytes: no more `reload`. */
  settle(): void;
  progress(value: unknown): void;
}

/** Milliseconds between memory notes to a parent that cannot look the memory up itself. */
const MEMORY_NOTE_MS = 250;

interface Incoming {
  readonly request: Extract<WorkerRequest, { type: 'load-begin' }>;
  readonly bytes: Uint8Array;
  received: number;
}

/**
 * The worker's side of the protocol: one request after the other, in the order they came, each answered once.
 * A model is hashed and loaded from the same buffer; nothing is loaded whose SHA-256 is not the announced one.
 */
export function serveInference(
  port: WorkerPort,
  runTask?: (task: unknown, context: TaskContext) => Promise<unknown>,
  load: ModelLoader = loadModel,
): void {
  const models = new Map<string, LoadedModel>();
  const tensorModels = new Map<string, TensorModel>();
  const incoming = new Map<string, Incoming>();
  /** Bytes of loaded models while a task may ask for them again. */
  const sources = new Map<string, Incoming>();
  const queue: WorkerRequest[] = [];
  let busy = false;
  let notedAt = 0;

  const found = <T>(loaded: T | undefined, key: string): T => {
    if (!loaded) throw new SallyportError('not-found', `No model is loaded as "${key}".`);
    return loaded;
  };
  const model = (key: string): LoadedModel => found(models.get(key), key);
  const source = (key: string): Incoming => {
    const kept = sources.get(key);
    if (!kept) throw new SallyportError('not-found', `The bytes of "${key}" are no longer there.`);
    return kept;
  };
  const forget = async (key: string): Promise<void> => {
    const before = [models.get(key), tensorModels.get(key)];
    models.delete(key);
    tensorModels.delete(key);
    for (const each of before) await each?.release();
  };
  const send = (reply: WorkerReply): void => port.postMessage(reply);

  const handle = async (request: WorkerRequest): Promise<unknown> => {
    switch (request.type) {
      case 'run':
        return found(tensorModels.get(request.key), request.key).run(request.inputs, request.wanted);
      case 'load-begin':
        incoming.set(request.key, { request, bytes: new Uint8Array(request.sizeBytes), received: 0 });
        return null;
      case 'load-chunk': {
        const part = incoming.get(request.key);
        if (!part) throw new SallyportError('unexpected', `No transfer of "${request.key}" has begun.`);
        if (part.received + request.bytes.length > part.bytes.length) {
          incoming.delete(request.key);
          throw new SallyportError(
            'integrity.artifact',
            `More bytes arrived of "${request.key}" than were announced.`,
          );
        }
        part.bytes.set(request.bytes, part.received);
        part.received += request.bytes.length;
        return null;
      }
      case 'load-end': {
        const part = incoming.get(request.key);
        incoming.delete(request.key);
        if (!part) throw new SallyportError('unexpected', `No transfer of "${request.key}" has begun.`);
        verify(part);
        const { key, use, intraOpThreads } = part.request;
        const rows = use.kind === 'rows' ? await load(part.bytes, use.mapping, { intraOpThreads }) : null;
        const tensors =
          use.kind === 'tensors' ? await openTensorModel(part.bytes, { intraOpThreads, ...use }) : null;
        await forget(key);
        if (rows) models.set(key, rows);
        if (tensors) tensorModels.set(key, tensors);
        if (runTask) sources.set(key, part);
        return rows?.info ?? tensors?.interface ?? null;
      }
      case 'unload':
        incoming.delete(request.key);
        sources.delete(request.key);
        await forget(request.key);
        return null;
      case 'providers':
        return executionProviders();
      case 'task':
        if (!runTask) throw new SallyportError('unexpected', 'This worker has no tasks.');
        return runTask(request.task, {
          model,
          reload: async (key, intraOpThreads) => {
            const { bytes, request: asked } = source(key);
            if (asked.use.kind !== 'rows')
              throw new SallyportError('not-found', `"${key}" was not loaded for rows.`);
            const loaded = await load(bytes, asked.use.mapping, { intraOpThreads });
            await models.get(key)?.release();
            models.set(key, loaded);
            return loaded;
          },
          bytes: (key) => source(key).bytes,
          settle: () => sources.clear(),
          progress: (value) => {
            send({ id: request.id, kind: 'progress', value });
            noteMemory();
          },
        });
    }
  };

  const noteMemory = (): void => {
    if (process.platform === 'linux') return;
    const now = performance.now();
    if (now - notedAt < MEMORY_NOTE_MS) return;
    notedAt = now;
    send({ id: 0, kind: 'memory', rssBytes: process.memoryUsage.rss() });
  };

  const drain = async (): Promise<void> => {
    busy = true;
    let announced: number | null = null;
    for (let request = queue.shift(); request; request = queue.shift()) {
      const { id } = request;
      if (announced !== id) send({ id, kind: 'begun' });
      try {
        const value = await handle(request);
        announced = queue[0]?.id ?? null;
        send({ id, kind: 'done', value, next: announced });
      } catch (error) {
        announced = queue[0]?.id ?? null;
        send({ id, kind: 'failed', error: toWireError(error), next: announced });
      }
      noteMemory();
    }
    busy = false;
  };

  // A utility process would go on after an unhandled rejection, in an unknown state.
  process.on('unhandledRejection', () => process.exit(70));
  port.onMessage((message) => {
    queue.push(message as WorkerRequest);
    if (!busy) void drain();
  });
}

/** What is loaded is this buffer, so that it is what was hashed. */
function verify({ request, bytes, received }: Incoming): void {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (received !== bytes.length || digest !== request.digest) {
    throw new SallyportError(
      'integrity.artifact',
      `The bytes of "${request.key}" are not those of its digest; the model was not loaded.`,
      {
        hint: 'Verify the stored artifact.',
        facts: { expected: request.digest, actual: digest },
      },
    );
  }
}
