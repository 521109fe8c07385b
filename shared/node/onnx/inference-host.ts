import { z } from 'zod';
import { SallyportError } from '../../domain/errors.ts';
import { isTensorType, type ModelInterface, type NamedTensor, type TensorType } from './named-tensor.ts';
import { createQuarantine, type Quarantine } from './quarantine.ts';
import {
  type InferenceWorker,
  openWorkerLink,
  transferModel,
  type WorkerGone,
  type WorkerLink,
} from './worker-link.ts';

export type { InferenceWorker } from './worker-link.ts';

export interface ModelToLoad {
  /** The name `run` uses, chosen by the caller; loading another model under it replaces the first. */
  readonly key: string;
  /** The plaintext, or where to get it again: it is asked for at each (re)start of the worker and not kept then. */
  readonly bytes: Uint8Array | (() => Promise<Uint8Array>);
  readonly digest: string;
}

export interface RunOptions {
  /**
   * Several callers' rows in one run: where it ends the process or is refused, nobody can say whose fault it was. The
   * model is not blamed; each is asked again alone.
   */
  readonly joined?: boolean;
}

export interface CrashEvent {
  readonly key: string;
  readonly digest: string;
  readonly error: SallyportError;
  /** True when this was the crash after which the digest is no longer run. */
  readonly quarantined: boolean;
}

/**
 * Models in one worker process, restarted when it dies. A model whose requests ended the worker twice (by a crash, the
 * deadline or the memory cap) is quarantined: it is refused from then on, and the others go on.
 */
export interface InferenceHost {
  /** Resolves when the worker has verified the digest and loaded the model. */
  load(model: ModelToLoad): Promise<ModelInterface>;
  /** The `wanted` outputs in this order. Errors: those of the session, and `engine.*`. */
  run(
    key: string,
    inputs: readonly NamedTensor[],
    wanted: readonly string[],
    options?: RunOptions,
  ): Promise<readonly NamedTensor[]>;
  unload(key: string): Promise<void>;
  loaded(): string[];
  onCrash(listener: (event: CrashEvent) => void): void;
  /** Told when the worker is no more, whoever ended it but `close`. The next run starts another one. */
  onGone(listener: () => void): void;
  /** Memory of the worker at its largest, bytes; for metrics. */
  readonly peakRssBytes: number;
  /** Memory of the worker now, bytes; 0 where there is none. */
  readonly rssBytes: number;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly fork: () => InferenceWorker;
  /** For one prediction, from the moment the worker turns to it. Loading has ten times as long. */
  readonly deadlineMs: number;
  readonly maxRssBytes: number;
  readonly intraOpThreads?: number;
  /** In the order in which the runtime tries them; the CPU alone when left out. */
  readonly executionProviders?: readonly string[];
  /** Shared between hosts so that a model is quarantined in all of them. */
  readonly quarantine?: Quarantine;
}

interface Entry {
  readonly model: ModelToLoad;
  /** The worker it is loaded in; another one than the current means it has to be loaded again. */
  link: WorkerLink | null;
  loading: Promise<ModelInterface> | null;
}

interface Asked {
  readonly inputs: readonly NamedTensor[];
  readonly wanted: readonly string[];
  readonly joined: boolean;
}
type Answered = readonly NamedTensor[];

const TENSORS = { kind: 'tensors' } as const;
/** Restarts a request survives that was only waiting while another one ended the worker. */
const MAX_ATTEMPTS = 4;
const LOAD_FACTOR = 10;

export function createInferenceHost(options: HostOptions): InferenceHost {
  const entries = new Map<string, Entry>();
  const quarantine = options.quarantine ?? createQuarantine();
  const crashListeners: ((event: CrashEvent) => void)[] = [];
  const goneListeners: (() => void)[] = [];
  let link: WorkerLink | null = null;
  let closed = false;
  let peakRssBytes = 0;

  const current = (): WorkerLink => {
    if (closed) throw closedError();
    if (link?.alive) return link;
    const opened = openWorkerLink(options.fork(), {
      maxRssBytes: options.maxRssBytes,
      onGone: () => {
        peakRssBytes = Math.max(peakRssBytes, opened.peakRssBytes);
        if (link === opened) link = null;
        if (!closed) for (const listener of goneListeners) listener();
      },
    });
    link = opened;
    return opened;
  };

  const blame = (model: ModelToLoad, error: SallyportError): void => {
    const quarantined = quarantine.record(model.digest, error.code);
    for (const listener of crashListeners)
      listener({ key: model.key, digest: model.digest, error, quarantined });
  };

  /** A process that answers what it was not asked for is not ours any more. */
  const distrust = (model: ModelToLoad | null, target: WorkerLink): SallyportError => {
    const error = new SallyportError(
      'engine.crashed',
      'The inference process answered what it was not asked for, and was ended.',
      { hint: 'If it happens again with this model, do not use the model.' },
    );
    if (model) blame(model, error);
    target.close(error);
    return error;
  };

  const transfer = async (entry: Entry, attempt: number): Promise<ModelInterface> => {
    const { model } = entry;
    quarantine.check(model.digest);
    const bytes = typeof model.bytes === 'function' ? await model.bytes() : model.bytes;
    const target = current();
    const { key, digest } = model;
    const { intraOpThreads = 1, executionProviders } = options;
    const use = { ...TENSORS, ...(executionProviders ? { executionProviders } : {}) };
    const request = { key, digest, bytes, use, intraOpThreads };
    let lost: WorkerGone | null = null;
    try {
      const loaded = await transferModel(target, request, options.deadlineMs * LOAD_FACTOR, {
        gone: (gone) => {
          lost = gone;
        },
      });
      const { success, data: info } = interfaceSchema.safeParse(loaded);
      if (!success) throw distrust(entry.model, target);
      entry.link = target;
      return info;
    } catch (error) {
      const gone = lost as WorkerGone | null;
      if (!gone || closed) throw error;
      if (gone.culprit) {
        blame(model, gone.error);
        throw error;
      }
      if (target.alive || attempt >= MAX_ATTEMPTS) throw error;
      // Another model ended the worker while this one was on its way.
      return transfer(entry, attempt + 1);
    }
  };

  /** Loads unless it is being loaded already. */
  const ensureLoaded = (entry: Entry): Promise<ModelInterface> => {
    entry.loading ??= transfer(entry, 1).finally(() => {
      entry.loading = null;
    });
    return entry.loading;
  };

  const send = (entry: Entry, target: WorkerLink, asked: Asked, attempt: number): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const { inputs, wanted } = asked;
      target.request({ type: 'run', key: entry.model.key, inputs, wanted }, options.deadlineMs, {
        done: (value) => {
          if (isAnswer(value, wanted)) resolve(value);
          else reject(distrust(asked.joined ? null : entry.model, target));
        },
        failed: reject,
        gone: (gone: WorkerGone) => {
          if (closed) return reject(closedError());
          if (gone.culprit) {
            // An idle worker that was killed from outside has no culprit; one at work is taken at its word.
            if (!asked.joined) blame(entry.model, gone.error);
            return reject(gone.error);
          }
          if (target.alive || attempt >= MAX_ATTEMPTS) return reject(gone.error);
          run(entry, asked, attempt + 1).then(resolve, reject);
        },
      });
    });

  const run = async (entry: Entry, asked: Asked, attempt: number): Promise<Answered> => {
    quarantine.check(entry.model.digest);
    if (!entry.link?.alive) await ensureLoaded(entry);
    return send(entry, current(), asked, attempt);
  };

  return {
    async load(model) {
      if (closed) throw closedError();
      const entry: Entry = { model, link: null, loading: null };
      const info = await ensureLoaded(entry);
      entries.set(model.key, entry);
      return info;
    },
    run(key, inputs, wanted, { joined = false } = {}) {
      const entry = entries.get(key);
      if (!entry) return Promise.reject(new SallyportError('not-found', `No model is loaded as "${key}".`));
      const asked: Asked = { inputs, wanted, joined };
      // The common case takes no turn of the event loop before the request is on its way.
      if (entry.link?.alive && !quarantine.has(entry.model.digest)) return send(entry, entry.link, asked, 1);
      return run(entry, asked, 1);
    },
    unload(key) {
      const entry = entries.get(key);
      entries.delete(key);
      const target = entry?.link;
      if (!target?.alive) return Promise.resolve();
      return new Promise((resolve) => {
        target.request({ type: 'unload', key }, options.deadlineMs * LOAD_FACTOR, {
          done: () => resolve(),
          failed: () => resolve(),
          gone: () => resolve(),
        });
      });
    },
    loaded: () => [...entries.keys()],
    onCrash: (listener) => {
      crashListeners.push(listener);
    },
    onGone: (listener) => {
      goneListeners.push(listener);
    },
    get peakRssBytes() {
      return Math.max(peakRssBytes, link?.peakRssBytes ?? 0);
    },
    get rssBytes() {
      return link?.alive ? link.rssBytes : 0;
    },
    async close() {
      closed = true;
      entries.clear();
      link?.close(closedError());
      link = null;
    },
  };
}

const tensorInfo = z.object({
  name: z.string(),
  type: z.custom<TensorType>((type) => typeof type === 'string' && isTensorType(type)),
  shape: z.array(z.union([z.int().nonnegative(), z.string(), z.null()])),
});
const interfaceSchema = z.object({
  inputs: z.array(tensorInfo),
  outputs: z.array(tensorInfo),
  leftOut: z.array(z.string()),
  batch: z.union([z.literal('open'), z.int().positive(), z.null()]),
});

/** One tensor for each name. Whether they are tensors is looked at where they arrive. */
function isAnswer(value: unknown, wanted: readonly string[]): value is Answered {
  return (
    Array.isArray(value) &&
    value.length === wanted.length &&
    (value as Partial<NamedTensor>[]).every((tensor, place) => tensor?.name === wanted[place])
  );
}

function closedError(): SallyportError {
  return new SallyportError('cancelled', 'The inference process was closed.');
}
