/**
 * Loaded releases. Each has an inference process of its own: a canary that crashes, hangs or eats memory does not
 * touch the version that serves beside it.
 */
import type { ReleaseRef } from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { createInferenceHost, type InferenceWorker } from '../shared/node/onnx/inference-host.ts';
import { createQuarantine } from '../shared/node/onnx/quarantine.ts';
import { type LoadedRelease, MODEL_KEY, Release } from './release.ts';
import type { ReleaseStore, StoredRelease } from './releases/stored.ts';

/** Memory an inference process may take beside its model, in bytes. */
const WORKER_BASE_RSS = 2 * 1024 ** 3;

export interface EngineOptions {
  readonly store: ReleaseStore;
  readonly fork: () => InferenceWorker;
  /** Throws where these bytes may not be loaded any more. Asked each time a process is to be given them. */
  readonly mayLoad: (release: StoredRelease) => void;
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
    this.#options.mayLoad(release);
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
        bytes: () => {
          this.#options.mayLoad(release);
          return store.readFile(release, 'model.onnx');
        },
        digest: release.ref.digest,
      });
      return new Release({ name: release.request.name, ref: release.ref, info, mapping, host });
    } catch (error) {
      await host.close();
      throw error;
    }
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
