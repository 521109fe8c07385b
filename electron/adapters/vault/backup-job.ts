import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import type { BackupCall, BackupCalls, BackupReply, BackupRequest } from '../../workers/backup.ts';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One backup or restore in a worker process of its own. Cancelling kills it; every call rejects only after it has
 * ended, so that the caller may remove its files. Close it when done.
 */
export class BackupWorker {
  readonly #forkWorker: ForkWorker;
  readonly #job: JobContext | undefined;
  readonly #pending = new Map<number, Pending>();
  #worker: ReturnType<ForkWorker> | null = null;
  #nextId = 1;
  /** Why it was ended from here: a cancelled job, or a listener of the caller that threw. */
  #reason: unknown = null;
  readonly #onAbort = (): void => this.#end(cancelled());

  constructor(forkWorker: ForkWorker, job: JobContext | undefined) {
    this.#forkWorker = forkWorker;
    this.#job = job;
    job?.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  call<C extends BackupCall>(call: C, input: BackupCalls[C]['in']): Promise<BackupCalls[C]['out']> {
    if (this.#job?.signal.aborted) return Promise.reject(cancelled());
    const id = this.#nextId++;
    return new Promise<BackupCalls[C]['out']>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#start().postMessage({ id, call, input } as BackupRequest);
    });
  }

  close(): void {
    this.#job?.signal.removeEventListener('abort', this.#onAbort);
    this.#worker?.kill();
  }

  #start(): ReturnType<ForkWorker> {
    if (this.#worker) return this.#worker;
    const worker = this.#forkWorker('backup');
    worker.onMessage((message) => this.#take(message as BackupReply));
    worker.onExit((code) => {
      this.#worker = null;
      const error =
        this.#reason ??
        new SallyportError('engine.crashed', 'The process that makes backups ended before it was done.', {
          hint: 'Nothing of it was kept. Try again.',
          facts: { exitCode: code },
        });
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    });
    this.#worker = worker;
    return worker;
  }

  #take(reply: BackupReply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending || this.#reason !== null) return;
    if (reply.kind === 'progress') {
      try {
        this.#job?.progress(reply.phase, reply.done, reply.total);
      } catch (error) {
        this.#end(error);
      }
      return;
    }
    this.#pending.delete(reply.id);
    if (reply.kind === 'done') {
      pending.resolve(reply.value as never);
      return;
    }
    const { code, message, hint, facts } = reply;
    pending.reject(new SallyportError(code, message, { ...(hint === null ? {} : { hint }), facts }));
  }

  #end(reason: unknown): void {
    this.#reason ??= reason;
    this.#worker?.kill();
  }
}

function cancelled(): SallyportError {
  return new SallyportError('cancelled', 'The operation was cancelled.', { hint: 'Nothing of it was kept.' });
}
