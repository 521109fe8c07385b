/**
 * Loaded releases. Each has inference processes of its own: a canary that crashes, hangs or eats memory does not touch the
 * version that serves beside it.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReleaseRef } from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import type { OutputMapping } from '../shared/domain/model/version.ts';
import {
  createInferenceHost,
  type InferenceHost,
  type InferenceWorker,
} from '../shared/node/onnx/inference-host.ts';
import type { ModelInterface } from '../shared/node/onnx/named-tensor.ts';
import { createQuarantine, type Quarantine } from '../shared/node/onnx/quarantine.ts';
import { callWorker, openWorkerLink } from '../shared/node/onnx/worker-link.ts';
import { Batcher } from './inference/batcher.ts';
import type { BatchingConfig, EngineConfig } from './inference/config.ts';
import { MODEL_KEY, ModelProcesses, planProcesses } from './inference/processes.ts';
import { warmUp } from './inference/warm-up.ts';
import type { VersionCounts } from './metrics/counts.ts';
import { type LoadedRelease, Release } from './release.ts';
import type { ReleaseStore, StoredRelease } from './releases/stored.ts';
import type { Place } from './yaml-file.ts';

/** Longest time a process may take to start and answer a question, in milliseconds. */
const START_MS = 30_000;
/** A version's further processes are tried again after so many milliseconds: what ended them may be over by then. */
const TRY_AGAIN_MS = [1000, 10_000] as const;
/** Memory an inference process may take beside its model, in bytes. */
const WORKER_BASE_RSS = 2 * 1024 ** 3;

export interface EngineOptions {
  readonly store: ReleaseStore;
  readonly fork: () => InferenceWorker;
  /** Throws where these bytes may not be loaded any more. Asked each time a process is to be given them. */
  readonly mayLoad: (release: StoredRelease) => void;
  readonly engine: EngineConfig;
  readonly batching: BatchingConfig;
  readonly predictTimeoutMs: number;
  /** Where a version's queue and batches are counted. */
  readonly counts: (name: string, version: string, mapping: OutputMapping) => VersionCounts;
  readonly log: (level: 'info' | 'warn', message: string, facts: Record<string, unknown>) => void;
  readonly onCrash: (release: ReleaseRef, name: string, error: SallyportError) => void;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #quarantine = createQuarantine();

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * Decrypts, hashes and loads a stored release; the bytes that were hashed are the bytes that are loaded. When a
   * process has to be started again, they are read and hashed again.
   */
  async load(root: string): Promise<LoadedRelease> {
    const { store } = this.#options;
    const release = await store.read(root);
    this.#options.mayLoad(release);
    const mapping = await store.readMapping(release);
    const sizeBytes = release.record.files.find((file) => file.name === 'model.onnx')?.sizeBytes ?? 0;
    const plan = planProcesses(this.#options.engine, sizeBytes, availableParallelism());
    const open = (threads: number): Promise<Opened> =>
      this.#open(release, sizeBytes, threads, this.#quarantine);
    let { host, info } = await open(plan.threads);
    try {
      let joins = await warmedUp(host, info);
      if (!joins && plan.threads < plan.threadsAlone) {
        await host.close();
        ({ host, info } = await open(plan.threadsAlone));
        joins = await warmedUp(host, info);
      }
      const { ref, request } = release;
      const processes = new ModelProcesses(host, (restarted) => warmedUp(restarted, info));
      if (joins)
        void this.#addTo(processes, plan.processes, release, (quarantine) =>
          this.#open(release, sizeBytes, plan.threads, quarantine),
        );
      const batcher = this.#batcher(request.name, ref, mapping, processes, joins);
      return new Release({ name: request.name, ref, info, mapping, processes, batcher, sizeBytes });
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** A process that has loaded the model. */
  async #open(
    release: StoredRelease,
    sizeBytes: number,
    threads: number,
    quarantine: Quarantine,
  ): Promise<Opened> {
    const { store, fork, mayLoad, engine, predictTimeoutMs, onCrash } = this.#options;
    const host = createInferenceHost({
      fork,
      deadlineMs: predictTimeoutMs,
      maxRssBytes: WORKER_BASE_RSS + 4 * sizeBytes,
      executionProviders: engine.executionProviders,
      intraOpThreads: threads,
      quarantine,
    });
    host.onCrash((event) => onCrash(release.ref, release.request.name, event.error));
    try {
      const info = await host.load({
        key: MODEL_KEY,
        bytes: () => {
          mayLoad(release);
          return store.readFile(release, 'model.onnx');
        },
        digest: release.ref.digest,
      });
      return { host, info };
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Up to so many. The first answers meanwhile, and alone where no other can be had. */
  async #addTo(
    processes: ModelProcesses,
    count: number,
    { ref, request }: StoredRelease,
    open: (quarantine: Quarantine) => Promise<Opened>,
  ): Promise<void> {
    const waits: number[] = [...TRY_AGAIN_MS];
    while (processes.count < count && !processes.closed) {
      try {
        await this.#addOne(processes, open);
      } catch (error) {
        const wait = waits.shift();
        this.#options.log('warn', 'a version has fewer processes than it might', {
          model: request.name,
          version: ref.version,
          processes: processes.count,
          reason: error instanceof Error ? error.message : String(error),
          ...(wait === undefined ? {} : { triedAgainAfterMs: wait }),
        });
        if (wait === undefined) return;
        await delay(wait, undefined, { ref: false });
      }
    }
  }

  /** What ends it before it answers calls is no fault of a model that another process runs already. */
  async #addOne(processes: ModelProcesses, open: (quarantine: Quarantine) => Promise<Opened>): Promise<void> {
    const shared = this.#quarantine;
    let answers = false;
    const { host, info } = await open({
      ...shared,
      record: (digest, code) => answers && shared.record(digest, code),
    });
    try {
      await warmedUp(host, info);
    } catch (error) {
      await host.close();
      throw error;
    }
    answers = true;
    await processes.add(host);
  }

  #batcher(
    name: string,
    { version }: ReleaseRef,
    mapping: OutputMapping,
    processes: ModelProcesses,
    joins: boolean,
  ): Batcher {
    const { batching, predictTimeoutMs, counts, log } = this.#options;
    if (!joins) log('info', 'calls of this version are run one by one', { model: name, version });
    // Asked for each time: numbers of a version are let go when it is not used.
    const seen = (): VersionCounts => counts(name, version, mapping);
    return new Batcher({
      run: (inputs, outputs, joined) => processes.run(inputs, outputs, { joined }),
      processes: () => processes.count,
      join: joins && batching.enabled,
      maxRows: batching.maxRows,
      maxWaitMs: batching.maxWaitMs,
      queueRows: batching.queueRows,
      deadlineMs: predictTimeoutMs,
      seen: {
        queue: (length) => {
          seen().queued = length;
        },
        wait: (seconds) => seen().waits.add(seconds),
        batch: (rows) => seen().batches.add(rows),
      },
    });
  }
}

interface Opened {
  readonly host: InferenceHost;
  readonly info: ModelInterface;
}

/** Whether rows of several callers may be run together. */
function warmedUp(host: InferenceHost, info: ModelInterface): Promise<boolean> {
  return warmUp(info, (inputs, outputs) => host.run(MODEL_KEY, inputs, outputs));
}

/** `input.invalid` where the runtime lacks a provider of the list at `place` here. Asked of an inference process. */
export async function requireProviders(
  wanted: readonly string[],
  fork: () => InferenceWorker,
  place: Place,
): Promise<void> {
  // The CPU is always there: no process is started to hear it.
  if (wanted.every((name) => name === 'cpu')) return;
  const link = openWorkerLink(fork(), { maxRssBytes: WORKER_BASE_RSS });
  try {
    const known = (await callWorker(link, { type: 'providers' }, START_MS)) as readonly string[];
    const missing = wanted.findIndex((name) => !known.includes(name));
    if (missing < 0) return;
    throw place.at(missing).refuse(`The runtime has no ${wanted[missing]} here; it has ${known.join(', ')}.`);
  } finally {
    link.close(new SallyportError('cancelled', 'It was only asked what it has.'));
  }
}
