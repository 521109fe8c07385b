/**
 * The mirror: a sample of the canary's requests is also answered by the stable version, or, while the canary is a shadow
 * without traffic of its own, of stable's requests by the canary. After the caller has his answer: it never makes him
 * wait, runs only while the version that is asked has nothing else to do, and what does not fit into its queue is
 * dropped and counted.
 */
import type { OutputMapping } from '../shared/domain/model/version.ts';
import type { NamedTensor } from '../shared/node/onnx/named-tensor.ts';
import { isModelFault } from './faults.ts';
import type { LoadedRelease } from './release.ts';

export interface MirrorJob {
  readonly inputs: readonly NamedTensor[];
  readonly count: number;
  /** What the caller was answered, and how it is read. */
  readonly labels: Float64Array;
  readonly mapping: OutputMapping;
  readonly other: LoadedRelease;
  /** Whether NaN and infinity may come and go: where they may not, the other's are no answer. */
  readonly allowNonFinite: boolean;
  /**
   * Called with pairs and those whose labels differ: all of them where the other's model had no answer. Not called where
   * its process had none, which says nothing about these rows.
   */
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
    const index = this.#queue.findIndex((job) => !job.other.busy);
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
      const { other, inputs, count, allowNonFinite } = job;
      const { labels } = other.read(await other.runRows(inputs, other.mapped), count, allowNonFinite);
      job.done(job.count, countDisagreements(job, labels));
    } catch (error) {
      if (isModelFault(error)) job.done(job.count, job.count);
      else job.dropped(job.count);
    }
  }
}

/** Two versions may spell their labels differently (1/0, 1/-1): what counts is whether both call the row malicious. */
function countDisagreements(job: MirrorJob, otherLabels: Float64Array): number {
  let differing = 0;
  for (let row = 0; row < job.count; row++) {
    const answered = job.labels[row] === job.mapping.positiveLabel;
    const other = otherLabels[row] === job.other.mapping.positiveLabel;
    if (answered !== other) differing++;
  }
  return differing;
}
