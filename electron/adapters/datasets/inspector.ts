import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DatasetInspector } from '../../ports/datasets.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import type { DatasetQuestion, DatasetReply } from '../../workers/datasets.ts';

type Answer = Exclude<DatasetReply, { readonly kind: 'progress' | 'failed' }>;

/** Without a word for so long, milliseconds, the process is ended: a hostile file must not hang the window. */
const SILENCE_MS = 60_000;

/** Looks at files, each in a process of its own that ends with it. */
export function createDatasetInspector(forkWorker: ForkWorker): DatasetInspector {
  const ask = (question: DatasetQuestion, job: JobContext): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const worker = forkWorker('datasets');
      let timer = setTimeout(() => end(silent()), SILENCE_MS);
      const onAbort = (): void => end(cancelled());
      const settle = (): void => {
        clearTimeout(timer);
        job.signal.removeEventListener('abort', onAbort);
        worker.kill();
      };
      const end = (error: unknown): void => {
        settle();
        reject(error);
      };
      job.signal.addEventListener('abort', onAbort, { once: true });
      worker.onMessage((message) => {
        const reply = message as DatasetReply;
        if (reply.kind === 'progress') {
          clearTimeout(timer);
          timer = setTimeout(() => end(silent()), SILENCE_MS);
          job.progress(reply.phase, reply.done, reply.total);
        } else if (reply.kind === 'failed') {
          const { code, message: text, hint, facts } = reply;
          end(new SallyportError(code, text, { ...(hint === null ? {} : { hint }), facts }));
        } else {
          settle();
          resolve(reply);
        }
      });
      worker.onExit(() => end(crashed()));
      if (job.signal.aborted) onAbort();
      else worker.postMessage(question);
    });

  return {
    async inspect(request, job) {
      const answer = await ask({ kind: 'inspect', request }, job);
      if (answer.kind !== 'inspected') throw crashed();
      return answer.inspection;
    },
    async identify(path, job) {
      const answer = await ask({ kind: 'identify', path }, job);
      if (answer.kind !== 'identified') throw crashed();
      return { digest: answer.digest, sizeBytes: answer.sizeBytes };
    },
  };
}

function crashed(): SallyportError {
  return new SallyportError(
    'engine.crashed',
    'The process that looked at the data ended before it was done.',
    {
      hint: 'Nothing was changed. The file may be damaged.',
    },
  );
}

function silent(): SallyportError {
  return new SallyportError('engine.timeout', 'Looking at the data took too long.', {
    hint: 'Nothing was changed. The file may be damaged, or on a disk that does not answer.',
  });
}

function cancelled(): SallyportError {
  return new SallyportError('cancelled', 'Cancelled.', { hint: 'Nothing was changed.' });
}
