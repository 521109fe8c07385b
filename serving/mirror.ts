/**
 * The mirror: a sample of the canary's requests is also answered by the stable version, after the caller has his
 * answer. It never makes a caller wait: it runs only while the stable version has nothing else to do, and what does
 * not fit into its queue is dropped and counted.
 */
import type { OutputMapping } from '../shared/domain/model/version.ts';
import type { NamedTensor } from '../shared/node/onnx/named-tensor.ts';
import type { LoadedRelease } from './release.ts';

export interface MirrorJob {
  readonly inputs: readonly NamedTensor[];
  readonly count: number;
  readonly canaryLabels: Float64Array;
  readonly canaryMapping: OutputMapping;
  readonly stable: LoadedRelease;
  /** Called with pairs and those whose labels differ; not called when stable could not answer. */
  readonly done: (pairs: number, disagreements: number) => void;
  readonly dropped: (pairs: number) => void;
}

export class Mirror {
  readonly #capacity: number;
  readonly #queue: MirrorJob[] = [];
  #running = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  offer(job: MirrorJob): void {
    if (this.#queue.length >= this.#capacity) {
      job.dropped(job.count);
      return;
    }
    this.#queue.push(job);
    this.pump();
  }

  /** Called whenever a version may have become idle. */
  pump(): void {
    if (this.#running) return;
    const index = this.#queue.findIndex((job) => !job.stable.busy);
    const job = index < 0 ? undefined : this.#queue.splice(index, 1)[0];
    if (!job) return;
    this.#running = true;
    void this.#run(job).finally(() => {
      this.#running = false;
      // The next turn of the event loop: requests that have arrived meanwhile go first.
      if (this.#queue.length > 0) setImmediate(() => this.pump());
    });
  }

  async #run(job: MirrorJob): Promise<void> {
    try {
      const { stable, inputs, count } = job;
      const { labels } = stable.read(await stable.runRows(inputs, stable.mapped), count, true);
      job.done(job.count, countDisagreements(job, labels));
    } catch {
      job.dropped(job.count);
    }
  }
}

/** Two versions may spell their labels differently (1/0, 1/-1): what counts is whether both call the row malicious. */
function countDisagreements(job: MirrorJob, stableLabels: Float64Array): number {
  let differing = 0;
  for (let row = 0; row < job.count; row++) {
    const canary = job.canaryLabels[row] === job.canaryMapping.positiveLabel;
    const stable = stableLabels[row] === job.stable.mapping.positiveLabel;
    if (canary !== stable) differing++;
  }
  return differing;
}
