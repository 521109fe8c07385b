/**
 * The mirror: rows that one version was asked are also asked the other, after the caller has his answer. It never makes
 * him wait, runs only while the version that is asked has nothing else to do, and what does not fit into its queue is
 * dropped.
 */
import type { NamedTensor } from '../shared/node/onnx/named-tensor.ts';
import { isModelFault } from './faults.ts';
import type { LoadedRelease } from './release.ts';

/** One of the last three is called, once. */
export interface MirrorJob {
  readonly inputs: readonly NamedTensor[];
  /** Rows. */
  readonly count: number;
  readonly other: LoadedRelease;
  /** Whether NaN and infinity may come and go: where they may not, they are no answer. */
  readonly allowNonFinite: boolean;
  readonly answered: (labels: Float64Array) => void;
  /** Its model had no answer. */
  readonly unanswered: () => void;
  /** It was not asked, or its process failed, which says nothing about these rows. */
  readonly dropped: () => void;
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
      job.dropped();
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
      job.answered(labels);
    } catch (error) {
      if (isModelFault(error)) job.unanswered();
      else job.dropped();
    }
  }
}
