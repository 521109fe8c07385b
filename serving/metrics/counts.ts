/**
 * What is counted while a call is answered: plain numbers in an object per version, read when somebody scrapes. No
 * label is looked up or joined on the way of a call.
 */
import { LATENCY_BUCKETS_MS } from '../../shared/domain/traffic/sample.ts';

/**
 * Why a predict call failed: the values of `error_type`. `model` = the model had no answer to input that fits its
 * interface; `integrity` = stored bytes are not what was signed; `unavailable` = every version there was has been taken
 * out, by a revocation or a guard.
 */
export const ERROR_TYPES = [
  'input',
  'not_found',
  'overload',
  'timeout',
  'engine',
  'model',
  'integrity',
  'unavailable',
] as const;
export type ErrorType = (typeof ERROR_TYPES)[number];

/** Those of calls that end before a version is chosen for them; `overload` = the model, or the agent, is drained. */
export const EARLY_ERROR_TYPES = [
  'not_found',
  'overload',
  'engine',
  'integrity',
  'unavailable',
] as const satisfies readonly ErrorType[];

/** A histogram: bin i holds what is at most `bounds[i]` and more than the bound before; the last one what is above. */
export class Bins {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    const { bounds, counts } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value > (bounds[middle] ?? 0)) low = middle + 1;
      else high = middle;
    }
    counts[low] = (counts[low] ?? 0) + 1;
    this.sum += value;
  }
}

const SECONDS = LATENCY_BUCKETS_MS.map((ms) => ms / 1000);
const WAIT_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const BATCH_ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];
/** Probabilities, in steps of a twentieth. */
export const PROBABILITY_BOUNDS: readonly number[] = Array.from({ length: 20 }, (_, bin) => (bin + 1) / 20);
/** Scores of any scale, about zero: fixed as well, so that two versions, or two weeks, may be laid over each other. */
export const SCORE_BOUNDS: readonly number[] = [
  -10, -5, -2, -1, -0.5, -0.2, -0.1, -0.05, -0.02, -0.01, 0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
];

/** Everything counted of one version, since it was loaded by this process. */
export class VersionCounts {
  readonly version: string;
  succeeded = 0;
  failed = 0;
  rows = 0;
  crashes = 0;
  /** Calls that wait for their turn now. */
  queued = 0;
  readonly errors: Record<ErrorType, number> = {
    input: 0,
    not_found: 0,
    overload: 0,
    timeout: 0,
    engine: 0,
    model: 0,
    integrity: 0,
    unavailable: 0,
  };
  /** From the arrival of a call to its answer, successful ones, in seconds. */
  readonly latency = new Bins(SECONDS);
  /** From the moment a call could have run to the moment it ran, in seconds. */
  readonly waits = new Bins(WAIT_SECONDS);
  /** Rows of each run of the model: one call, or several that were put together. */
  readonly batches = new Bins(BATCH_ROWS);
  readonly scores: Bins;
  /** Rows answered by this version and, as its mirror, by stable. */
  readonly mirrored = { agree: 0, differ: 0, dropped: 0 };

  constructor(version: string, scoreBounds: readonly number[]) {
    this.version = version;
    this.scores = new Bins(scoreBounds);
  }

  success(seconds: number, rows: number, scores: Float32Array | null): void {
    this.succeeded++;
    this.rows += rows;
    this.latency.add(seconds);
    if (!scores) return;
    // A score that is no number is in no bin; the model's own checks tell of it.
    for (const score of scores) if (!Number.isNaN(score)) this.scores.add(score);
  }

  failure(type: ErrorType): void {
    this.failed++;
    this.errors[type]++;
  }
}
