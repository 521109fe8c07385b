/**
 * The processes of one loaded version. Two with a share of the cores each answer more than one with all of them: their
 * runs do not wait for one another, nor a run's threads for the one that was kept busy elsewhere.
 */
import type { InferenceHost, RunOptions } from '../../shared/node/onnx/inference-host.ts';
import type { NamedTensor } from '../../shared/node/onnx/named-tensor.ts';
import type { EngineConfig } from './config.ts';

/** Threads beyond which a run gets no faster. */
const MOST_THREADS = 16;
/** A larger model is in memory once only, unless the configuration says otherwise. In bytes. */
const MOST_COPIED = 64 * 2 ** 20;

export interface ProcessPlan {
  readonly processes: number;
  /** Of each. */
  readonly threads: number;
  /** Of the one process of a model whose rows cannot be shared out. */
  readonly threadsAlone: number;
}

/** What `engine` of agent.yaml leaves open is decided by the machine and the model's size in bytes. */
export function planProcesses(
  { processes, threads, executionProviders }: EngineConfig,
  sizeBytes: number,
  cores: number,
): ProcessPlan {
  const threadsAlone = threads || Math.min(MOST_THREADS, cores);
  const copied =
    threads === 0 && sizeBytes <= MOST_COPIED && executionProviders.every((name) => name === 'cpu');
  const count = processes || (copied && cores > 1 ? 2 : 1);
  return {
    processes: count,
    threads: threads || Math.max(1, Math.floor(threadsAlone / count)),
    threadsAlone,
  };
}

/** The name of the one model of an inference process. */
export const MODEL_KEY = 'model';

interface Process {
  readonly host: InferenceHost;
  running: number;
  /** It is being started again. */
  down: boolean;
  /** It ended once more meanwhile. */
  endedAgain: boolean;
}

/** How often a process that ended is started before a call has to ask for it: its end may have had nothing to do with it. */
const REVIVALS = 2;

export class ModelProcesses {
  readonly #processes: Process[] = [];
  readonly #warm: ((host: InferenceHost) => Promise<unknown>) | null;
  #closed = false;

  /**
   * `first` has loaded the model. `warm` = the model's first runs: of a process that ends they are made in the next one,
   * while the others answer. Left out, a process is started again by the first call that meets it.
   */
  constructor(first: InferenceHost, warm: ((host: InferenceHost) => Promise<unknown>) | null = null) {
    this.#warm = warm;
    this.#push(first);
  }

  get count(): number {
    return this.#processes.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Memory of all of them, in bytes. */
  get rssBytes(): number {
    return this.#processes.reduce((bytes, { host }) => bytes + host.rssBytes, 0);
  }

  /** One more, that has loaded the same model. It is closed where the others are. */
  async add(host: InferenceHost): Promise<void> {
    if (this.#closed) await host.close();
    else this.#push(host);
  }

  #push(host: InferenceHost): void {
    const process: Process = { host, running: 0, down: false, endedAgain: false };
    this.#processes.push(process);
    const warm = this.#warm;
    if (warm) host.onGone(() => void this.#revive(process, warm));
  }

  async #revive(process: Process, warm: (host: InferenceHost) => Promise<unknown>): Promise<void> {
    if (process.down) process.endedAgain = true;
    if (process.down || this.#closed) return;
    process.down = true;
    for (let tries = 0; tries < REVIVALS; tries++) {
      process.endedAgain = false;
      await warm(process.host).catch(() => {});
      // In the last of its first runs again: the next call that meets it is told why.
      if (!process.endedAgain || this.#closed) break;
    }
    process.down = false;
  }

  /** By the process with the fewest runs, of those that are up where there are any. Errors: those of its host. */
  async run(
    inputs: readonly NamedTensor[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly NamedTensor[]> {
    const process = this.#processes.reduce((best, each) => (isBetter(each, best) ? each : best));
    process.running++;
    try {
      return await process.host.run(MODEL_KEY, inputs, outputs, options);
    } finally {
      process.running--;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#processes.map(({ host }) => host.close()));
  }
}

function isBetter(one: Process, other: Process): boolean {
  return one.down === other.down ? one.running < other.running : other.down;
}
