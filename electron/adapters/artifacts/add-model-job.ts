import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ModelInspection } from '../../ports/artifacts.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import type { AddModelRequest, VaultJobReply } from '../../workers/vault-jobs.ts';

export interface AddModelOutcome extends ModelInspection {
  readonly digest: string;
  readonly sizeBytes: number;
}

function cancelled(): SallyportError {
  return new SallyportError('cancelled', 'Adding the model was cancelled.', {
    hint: 'Nothing of it was kept.',
  });
}

/**
 * Runs one add in a worker process of its own. Resolves or rejects only after that process has ended, so that the
 * caller may rename or remove its file. Cancelling kills it.
 */
export function runAddModel(
  forkWorker: ForkWorker,
  request: Omit<AddModelRequest, 'kind'>,
  job: JobContext | undefined,
): Promise<AddModelOutcome> {
  return new Promise((resolve, reject) => {
    if (job?.signal.aborted) return reject(cancelled());
    const worker = forkWorker('vault-jobs');
    let outcome: VaultJobReply | null = null;
    let aborted = false;
    /** What the caller's own listener threw. Left alone it would end this process, not the job. */
    let thrown: { readonly error: unknown } | null = null;
    const onAbort = (): void => {
      aborted = true;
      worker.kill();
    };
    job?.signal.addEventListener('abort', onAbort, { once: true });

    worker.onMessage((message) => {
      const reply = message as VaultJobReply;
      if (reply.kind === 'progress') {
        try {
          if (!thrown) job?.progress(reply.phase, reply.done, reply.total);
        } catch (error) {
          thrown = { error };
          worker.kill();
        }
        return;
      }
      outcome = reply;
      worker.kill();
    });
    worker.onExit((code) => {
      job?.signal.removeEventListener('abort', onAbort);
      if (aborted) return reject(cancelled());
      if (thrown) return reject(thrown.error);
      if (outcome?.kind === 'added') {
        const { digest, sizeBytes, summary, rulesRun, findings } = outcome;
        return resolve({ digest, sizeBytes, summary, rulesRun, findings });
      }
      if (outcome?.kind === 'failed') {
        const { message, hint, facts } = outcome;
        return reject(
          new SallyportError(outcome.code, message, { ...(hint === null ? {} : { hint }), facts }),
        );
      }
      reject(
        new SallyportError('engine.crashed', 'The process that inspects models ended before it was done.', {
          hint: 'Nothing of the file was kept. If it happens again, the file is not one to trust.',
          facts: { exitCode: code },
        }),
      );
    });
    worker.postMessage({ kind: 'add-model', ...request } satisfies AddModelRequest);
  });
}
