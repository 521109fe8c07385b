import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ForkWorker, WorkerHandle } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import type { VaultJobReply, VaultJobRequest } from '../../workers/vault-messages.ts';

/** What a job ends with when it went well. */
export type VaultJobResult = Exclude<VaultJobReply, { readonly kind: 'progress' | 'failed' }>;

export interface VaultJobWords {
  /** Thrown when the job was cancelled. */
  readonly cancelled: () => SallyportError;
  /** Thrown when the process ended by itself; `exitCode` null where a signal ended it. */
  readonly crashed: (exitCode: number | null) => SallyportError;
}

/** So long a process waits for another job: a person who looked at a model and adds it, a sweep from file to file. */
const IDLE_MS = 10_000;

interface Idle {
  readonly worker: WorkerHandle;
  readonly timer: NodeJS.Timeout;
}

/** The process that waits, one for each way to start them, whoever asks: looking at a model warms the adding of it. */
const idle = new WeakMap<ForkWorker, Idle>();

function park(forkWorker: ForkWorker, worker: WorkerHandle): void {
  if (idle.has(forkWorker)) {
    worker.kill();
    return;
  }
  const forget = (): void => {
    if (idle.get(forkWorker)?.worker === worker) idle.delete(forkWorker);
  };
  const timer = setTimeout(() => {
    forget();
    worker.kill();
  }, IDLE_MS);
  // A command that is done ends, with a process waiting or not; the process ends with it.
  timer.unref();
  worker.hold?.(false);
  idle.set(forkWorker, { worker, timer });
  worker.onMessage(() => {});
  worker.onExit(() => {
    clearTimeout(timer);
    forget();
  });
}

function take(forkWorker: ForkWorker): WorkerHandle | null {
  const waiting = idle.get(forkWorker);
  if (!waiting) return null;
  idle.delete(forkWorker);
  clearTimeout(waiting.timer);
  waiting.worker.hold?.(true);
  return waiting.worker;
}

/** How one process ended its job. */
type Outcome =
  | { readonly kind: 'answered'; readonly result: VaultJobResult }
  /** It found a stored file wrong, and has nothing to do with that file any more. */
  | { readonly kind: 'refused'; readonly error: SallyportError }
  /** `heard`: it had said something, so it had begun. */
  | { readonly kind: 'ended'; readonly heard: boolean; readonly exitCode: number | null };

/** Runs one job in `worker`. Rejects, after the process has ended, for everything that is the job's own end. */
function runIn(
  worker: WorkerHandle,
  request: VaultJobRequest,
  job: JobContext | undefined,
  words: VaultJobWords,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let failed: { readonly error: unknown } | null = null;
    let heard = false;
    const end = (error: unknown): void => {
      failed ??= { error };
      worker.kill();
    };
    const onAbort = (): void => end(words.cancelled());
    job?.signal.addEventListener('abort', onAbort, { once: true });

    worker.onMessage((message) => {
      heard = true;
      // A job that was ended is heard no more: only its process's end counts.
      if (failed) return;
      const reply = message as VaultJobReply;
      if (reply.kind === 'progress') {
        try {
          job?.progress(reply.phase, reply.done, reply.total);
        } catch (error) {
          // The caller's own listener threw. Left alone it would end this process, not the job.
          end(error);
        }
        return;
      }
      if (reply.kind === 'failed') {
        const { code, message: text, hint, facts } = reply;
        const error = new SallyportError(code, text, { ...(hint === null ? {} : { hint }), facts });
        // Reading leaves nothing behind: a sweep over many bad files does not pay for a process each.
        if (request.kind !== 'verify-file') return end(error);
        job?.signal.removeEventListener('abort', onAbort);
        return resolve({ kind: 'refused', error });
      }
      job?.signal.removeEventListener('abort', onAbort);
      resolve({ kind: 'answered', result: reply });
    });
    worker.onExit((exitCode) => {
      job?.signal.removeEventListener('abort', onAbort);
      if (failed) reject(failed.error);
      else resolve({ kind: 'ended', heard, exitCode });
    });
    worker.postMessage(request);
  });
}

function isHostile(result: VaultJobResult): boolean {
  return result.kind === 'added' && result.findings.some(({ severity }) => severity === 'critical');
}

/**
 * Runs one job of the vault in a worker process, in one that waits for work if there is one. A process that
 * answered well, or found a stored file wrong, waits for the next job and ends after ten idle seconds; one that failed
 * to add or was cancelled is ended, and the promise rejects only after its end, so that the caller may remove its file. Errors: those of the job, and of
 * `words`.
 */
export async function runVaultJob(
  forkWorker: ForkWorker,
  request: VaultJobRequest,
  job: JobContext | undefined,
  words: VaultJobWords,
): Promise<VaultJobResult> {
  if (job?.signal.aborted) throw words.cancelled();
  const waiting = take(forkWorker);
  let worker = waiting ?? forkWorker('vault-jobs');
  let outcome = await runIn(worker, request, job, words);
  if (outcome.kind === 'ended' && !outcome.heard && waiting) {
    // It had ended while it waited, before it could say so: not this job's doing.
    worker = forkWorker('vault-jobs');
    outcome = await runIn(worker, request, job, words);
  }
  if (outcome.kind === 'ended') throw words.crashed(outcome.exitCode);
  if (outcome.kind === 'refused') {
    park(forkWorker, worker);
    throw outcome.error;
  }
  // What was caught attacking is not followed by another's file in the same process.
  if (isHostile(outcome.result)) worker.kill();
  else park(forkWorker, worker);
  return outcome.result;
}
