/**
 * Calls of one model on their way to its processes. While one is at work, calls are collected and then run as one: each
 * gets its own rows back. Where none is at work one is asked as soon as what has arrived is read, or many calls of it, so
 * that nobody waits for company that may not come; another is asked for many rows, or when the first takes long. A large
 * call that comes alone is shared out.
 */
import { SallyportError } from '../../shared/domain/errors.ts';
import type { NamedTensor } from '../../shared/node/onnx/named-tensor.ts';
import { waitedTooLong } from '../../shared/node/onnx/worker-link.ts';
import { cutRows, joinRows, shareRows } from './tensor-rows.ts';

export interface BatcherOptions {
  /** `joined`: rows of several callers, so that a failure is nobody's yet. */
  readonly run: (
    inputs: readonly NamedTensor[],
    outputs: readonly string[],
    joined: boolean,
  ) => Promise<readonly NamedTensor[]>;
  /** How many of them can run at once; one when left out. */
  readonly processes?: () => number;
  /** Whether rows of several calls may be run as one: of a model whose first dimension is open everywhere. */
  readonly join: boolean;
  /** Most rows of a joined run; a call with more runs alone. */
  readonly maxRows: number;
  /** How long a call may wait for others while nothing runs, in milliseconds. */
  readonly maxWaitMs: number;
  /** Most rows that may wait. */
  readonly queueRows: number;
  /** A call that waited so long, in milliseconds, is told and dropped. */
  readonly deadlineMs: number;
  /** What is counted. */
  readonly seen?: {
    /** Calls waiting now. */
    queue(length: number): void;
    /** Seconds that a call waited. */
    wait(seconds: number): void;
    batch(rows: number): void;
  };
}

interface Job {
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly string[];
  readonly rows: number;
  /** `performance.now()` */
  readonly since: number;
  /** It was in a joined run that failed. */
  alone: boolean;
  resolve(outputs: readonly NamedTensor[]): void;
  reject(error: unknown): void;
}

/** Failed joined runs none of whose calls failed alone: then it is the joining that the model does not bear. */
const MAX_BAD_JOINS = 2;
/** Rows for which another process is worth asking: it takes the sender about as long as some tens of them run. */
const WORTH_ROWS = 128;
/** Calls that are not kept waiting while more are read: the process works on them meanwhile. */
const MANY_CALLS = 16;
/** Milliseconds of a run after which another process is asked for whoever waits: the rows are slow ones. */
const LONG_MS = 2;

export class Batcher {
  readonly #options: BatcherOptions;
  /** In the order of arrival. */
  readonly #queue: Job[] = [];
  #queuedRows = 0;
  #running = 0;
  /** `performance.now()` when the last run was started. */
  #startedAt = 0;
  #badJoins = 0;
  #join: boolean;
  #soon: NodeJS.Immediate | null = null;
  #lingering: NodeJS.Timeout | null = null;
  #impatient: NodeJS.Timeout | null = null;
  #expiring: NodeJS.Timeout | null = null;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#join = options.join;
  }

  /** Whether calls are joined; no longer when the model was found not to bear it. */
  get joins(): boolean {
    return this.#join;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Errors: those of `run`; `engine.timeout` with `queued`, at once where the queue is full, or for want of a turn. */
  run(inputs: readonly NamedTensor[], outputs: readonly string[]): Promise<readonly NamedTensor[]> {
    const rows = inputs[0]?.dims[0] ?? 1;
    // Whatever its size, a call may wait where nobody else does.
    if (this.#queue.length > 0 && this.#queuedRows + rows > this.#options.queueRows)
      return Promise.reject(queueFull());
    return new Promise((resolve, reject) => {
      const since = performance.now();
      this.#queue.push({ inputs, outputs, rows, since, alone: false, resolve, reject });
      this.#queuedRows += rows;
      const many = this.#running === 0 && this.#queue.length >= MANY_CALLS;
      if (many || rows >= WORTH_ROWS || this.#queuedRows >= this.#options.maxRows) this.#pump();
      else this.#pumpSoon();
    });
  }

  /**
   * After all that has arrived by now was read, and what arrived meanwhile: many small calls come at once, and a message
   * for each costs more than the wait, which for a call that is alone is the time it takes to look whether it is.
   */
  #pumpSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = setImmediate(() => {
        this.#soon = null;
        this.#pump();
      });
    });
  }

  #pump(): void {
    for (;;) {
      const [head] = this.#queue;
      if (!head || !this.#mayStart(head)) break;
      this.#start(this.#take(head));
    }
    this.#options.seen?.queue(this.#queue.length);
    this.#watch();
  }

  /** A run for each process, and a second on its way when it is as large as it may be: then waiting gains nothing. */
  #mayStart(head: Job): boolean {
    const { maxRows, maxWaitMs, processes = one } = this.#options;
    const full = head.rows >= maxRows || this.#queuedRows >= maxRows;
    if (this.#running > 0) {
      const count = processes();
      if (this.#running >= count) return full && this.#running < 2 * count;
      return full || this.#queuedRows >= WORTH_ROWS || this.#isLong();
    }
    if (full || head.alone || !this.#join || maxWaitMs <= 0) return true;
    const left = head.since + maxWaitMs - performance.now();
    if (left <= 0) return true;
    this.#lingering ??= setTimeout(() => {
      this.#lingering = null;
      this.#pump();
    }, left);
    return false;
  }

  /** Whether the last run takes long; asked again when it does. */
  #isLong(): boolean {
    const left = this.#startedAt + LONG_MS - performance.now();
    if (left <= 0) return true;
    this.#impatient ??= setTimeout(() => {
      this.#impatient = null;
      this.#pump();
    }, left);
    return false;
  }

  /** The head, with those behind it that may run with it, as far as they fit in. The others keep their places. */
  #take(head: Job): readonly Job[] {
    const { maxRows } = this.#options;
    const taken = [head];
    let rows = head.rows;
    if (this.#join && !head.alone && rows < maxRows) {
      for (let place = 1; place < this.#queue.length && rows < maxRows; place++) {
        const job = this.#queue[place] as Job;
        if (job.alone || !fitTogether(head, job)) continue;
        if (rows + job.rows > maxRows) break;
        taken.push(job);
        rows += job.rows;
      }
    }
    if (taken.length === this.#queue.length) this.#queue.length = 0;
    else if (taken.length === 1) this.#queue.shift();
    else {
      const gone = new Set(taken);
      const rest = this.#queue.filter((job) => !gone.has(job));
      this.#queue.splice(0, this.#queue.length, ...rest);
    }
    this.#queuedRows -= rows;
    return taken;
  }

  #start(jobs: readonly Job[]): void {
    const { seen } = this.#options;
    const [head] = jobs as readonly [Job, ...Job[]];
    const joined = jobs.length > 1;
    const inputs = joined
      ? head.inputs.map((_, place) => joinRows(jobs.map((job) => job.inputs[place] as NamedTensor)))
      : head.inputs;
    if (seen) {
      const now = performance.now();
      for (const job of jobs) seen.wait((now - job.since) / 1000);
      seen.batch(jobs.reduce((sum, job) => sum + job.rows, 0));
    }
    this.#run(inputs, head.outputs, joined).then(
      (outputs) => {
        // The next run is on its way before the answers of this one are written.
        this.#pump();
        try {
          this.#answer(jobs, outputs);
        } catch (error) {
          for (const job of jobs) job.reject(error);
        }
      },
      (error: unknown) => {
        if (joined) this.#retryAlone(jobs, error);
        else head.reject(error);
        this.#pump();
      },
    );
  }

  /** In one run; in several where there are many rows, and nobody else for the other processes. */
  async #run(
    inputs: readonly NamedTensor[],
    outputs: readonly string[],
    joined: boolean,
  ): Promise<readonly NamedTensor[]> {
    const { run, processes = one } = this.#options;
    const rows = inputs[0]?.dims[0] ?? 1;
    const free = this.#queue.length === 0 && this.#join ? processes() - this.#running : 1;
    const parts = Math.max(1, Math.min(free, Math.floor(rows / WORTH_ROWS)));
    const shares = parts === 1 ? [inputs] : shareRows(inputs, parts);
    this.#running += parts;
    this.#startedAt = performance.now();
    const answers = await Promise.all(
      shares.map((share) =>
        run(share, outputs, joined).finally(() => {
          this.#running--;
          // Its process is free, whatever becomes of the others.
          if (parts > 1) this.#pump();
        }),
      ),
    );
    const [first = []] = answers;
    if (parts === 1) return first;
    if (answers.every((answer, part) => isByRow(answer, shares[part])))
      return first.map((_, place) => joinRows(answers.map((answer) => answer[place] as NamedTensor)));
    // Its answers are not one a row after all.
    this.#join = false;
    return this.#run(inputs, outputs, joined);
  }

  #answer(jobs: readonly Job[], outputs: readonly NamedTensor[]): void {
    const [head] = jobs;
    if (jobs.length === 1) {
      head?.resolve(outputs);
      return;
    }
    const total = jobs.reduce((sum, job) => sum + job.rows, 0);
    if (outputs.some(({ dims }) => dims[0] !== total)) {
      // Its answers are not one a row after all.
      this.#join = false;
      this.#retryAlone(jobs, null);
      this.#pump();
      return;
    }
    let start = 0;
    for (const job of jobs) {
      const from = start;
      job.resolve(outputs.map((output) => cutRows(output, from, job.rows)));
      start += job.rows;
    }
  }

  /** Each again, before all others: whose fault it was shows, and the others have their answers. */
  #retryAlone(jobs: readonly Job[], error: unknown): void {
    let left = jobs.length;
    let failed = 0;
    const settled = (bad: boolean): void => {
      left--;
      if (bad) failed++;
      if (left > 0 || failed > 0 || error === null) return;
      if (error instanceof SallyportError && error.code === 'cancelled') return;
      this.#badJoins++;
      if (this.#badJoins >= MAX_BAD_JOINS) this.#join = false;
    };
    this.#queue.unshift(
      ...jobs.map(
        (job): Job => ({
          ...job,
          since: performance.now(),
          alone: true,
          resolve: (outputs) => {
            settled(false);
            job.resolve(outputs);
          },
          reject: (reason) => {
            settled(true);
            job.reject(reason);
          },
        }),
      ),
    );
    for (const job of jobs) this.#queuedRows += job.rows;
  }

  /** Wakes when the call that waits longest has waited too long. */
  #watch(): void {
    const [head] = this.#queue;
    if (!head || this.#expiring) return;
    const { deadlineMs } = this.#options;
    const left = Math.max(1, head.since + deadlineMs - performance.now());
    this.#expiring = setTimeout(() => {
      this.#expiring = null;
      this.#expire(performance.now() - deadlineMs);
    }, left);
    this.#expiring.unref();
  }

  #expire(before: number): void {
    // Those of a joined run that failed had their turn, and wait for one another.
    const isLate = (job: Job): boolean => !job.alone && job.since <= before;
    const late = this.#queue.filter(isLate);
    if (late.length > 0) {
      const rest = this.#queue.filter((job) => !isLate(job));
      this.#queue.splice(0, this.#queue.length, ...rest);
      for (const job of late) this.#queuedRows -= job.rows;
      for (const job of late) job.reject(waitedTooLong(this.#options.deadlineMs));
    }
    this.#pump();
  }
}

const one = (): number => 1;

function isByRow(answer: readonly NamedTensor[], share: readonly NamedTensor[] | undefined): boolean {
  return answer.every(({ dims }) => dims[0] === share?.[0]?.dims[0]);
}

/** Everything but the number of rows is the same. */
function fitTogether(one: Job, other: Job): boolean {
  if (one.outputs !== other.outputs) {
    if (one.outputs.length !== other.outputs.length) return false;
    if (one.outputs.some((name, place) => other.outputs[place] !== name)) return false;
  }
  if (one.inputs.length !== other.inputs.length) return false;
  return one.inputs.every((input, place) => {
    const twin = other.inputs[place];
    if (input.name !== twin?.name || input.type !== twin.type || input.dims.length !== twin.dims.length)
      return false;
    for (let dim = 1; dim < input.dims.length; dim++) if (input.dims[dim] !== twin.dims[dim]) return false;
    return true;
  });
}

function queueFull(): SallyportError {
  return new SallyportError('engine.timeout', 'Too many rows are waiting; try again in a moment.', {
    hint: 'Nothing was run.',
    facts: { queued: true },
  });
}
