/**
 * Loaded releases. Each has an inference process of its own: a canary that crashes, hangs or eats memory does not
 * touch the version that serves beside it.
 */
import type { ReleaseRef } from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import type { OutputMapping } from '../shared/domain/model/version.ts';
import {
  createInferenceHost,
  type InferenceHost,
  type InferenceWorker,
  type ModelInfo,
  type Predictions,
} from '../shared/node/onnx/inference-host.ts';
import { createQuarantine } from '../shared/node/onnx/quarantine.ts';
import type { ReleaseStore } from './releases/stored.ts';

const MODEL_KEY = 'model';
/** Memory an inference process may take beside its model, in bytes. */
const WORKER_BASE_RSS = 2 * 1024 ** 3;

export interface LoadedRelease {
  readonly name: string;
  readonly ref: ReleaseRef;
  readonly info: ModelInfo;
  readonly mapping: OutputMapping;
  /** Calls under way in its process. */
  readonly inFlight: number;
  readonly busy: boolean;
  predict(rows: Float32Array, count: number): Promise<Predictions>;
  /** Ends its process once the calls under way are answered. */
  retire(): Promise<void>;
  /** Ends it now. */
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly store: ReleaseStore;
  readonly fork: () => InferenceWorker;
  readonly predictTimeoutMs: number;
  readonly onCrash: (release: ReleaseRef, name: string, error: SallyportError) => void;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #quarantine = createQuarantine();

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * Decrypts, hashes and loads a stored release; the bytes that were hashed are the bytes that are loaded. When its
   * process has to be started again, they are read and hashed again.
   */
  async load(root: string): Promise<LoadedRelease> {
    const { store } = this.#options;
    const release = await store.read(root);
    const mapping = await store.readMapping(release);
    const host = createInferenceHost({
      fork: this.#options.fork,
      deadlineMs: this.#options.predictTimeoutMs,
      maxRssBytes:
        WORKER_BASE_RSS +
        4 * (release.record.files.find((file) => file.name === 'model.onnx')?.sizeBytes ?? 0),
      quarantine: this.#quarantine,
    });
    host.onCrash((event) => this.#options.onCrash(release.ref, release.request.name, event.error));
    try {
      const info = await host.load({
        key: MODEL_KEY,
        bytes: () => store.readFile(release, 'model.onnx'),
        digest: release.ref.digest,
        mapping,
      });
      return new Release(release.request.name, release.ref, info, mapping, host);
    } catch (error) {
      await host.close();
      throw error;
    }
  }
}

class Release implements LoadedRelease {
  readonly name: string;
  readonly ref: ReleaseRef;
  readonly info: ModelInfo;
  readonly mapping: OutputMapping;
  readonly #host: InferenceHost;
  #inFlight = 0;
  #idle: (() => void)[] = [];

  constructor(name: string, ref: ReleaseRef, info: ModelInfo, mapping: OutputMapping, host: InferenceHost) {
    this.name = name;
    this.ref = ref;
    this.info = info;
    this.mapping = mapping;
    this.#host = host;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get busy(): boolean {
    return this.#inFlight > 0;
  }

  async predict(rows: Float32Array, count: number): Promise<Predictions> {
    this.#inFlight++;
    try {
      return await this.#host.predict(MODEL_KEY, rows, count);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) {
        const waiting = this.#idle;
        this.#idle = [];
        for (const wake of waiting) wake();
      }
    }
  }

  async retire(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#host.close();
  }

  close(): Promise<void> {
    return this.#host.close();
  }
}

/** Whether an error is the model's or its process's fault, and not the caller's. */
export function isEngineFault(error: unknown): boolean {
  if (!(error instanceof SallyportError)) return true;
  if (error.code === 'engine.timeout' && error.facts.queued === true) return false;
  return (
    error.code.startsWith('engine.') || error.code.startsWith('integrity.') || error.code === 'unexpected'
  );
}
