import { join } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ForkWorker, WorkerHandle } from '../../ports/processes.ts';
import type { RekeyWorker } from '../../ports/vault.ts';
import type { RekeyReply, RekeyRequest } from '../../workers/rekey.ts';
import { artifactPath } from '../artifacts/layout.ts';

type Answer = Exclude<RekeyReply, { kind: 'failed' }>;
type Question =
  | Omit<Extract<RekeyRequest, { kind: 'database' }>, 'id'>
  | Omit<Extract<RekeyRequest, { kind: 'artifact' }>, 'id'>;

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: SallyportError) => void;
}

function ended(): SallyportError {
  return new SallyportError(
    'engine.crashed',
    'The process that puts new keys to use ended before it was done.',
    {
      hint: 'Nothing is lost. The vault opens as before, or finishes this by itself when it is next opened.',
    },
  );
}

/** One rekey's worker process; started with the first request, ended by `close`, by cancelling or with this process. */
export function createRekeyWorker(options: {
  readonly forkWorker: ForkWorker;
  /** Folder of the vault. */
  readonly path: string;
}): RekeyWorker {
  const pending = new Map<number, Pending>();
  let worker: WorkerHandle | null = null;
  let nextId = 1;

  function fail(error: SallyportError): void {
    const waiting = [...pending.values()];
    pending.clear();
    for (const { reject } of waiting) reject(error);
  }

  function started(): WorkerHandle {
    if (worker !== null) return worker;
    const fresh = options.forkWorker('rekey');
    fresh.onMessage((message) => {
      const reply = message as RekeyReply;
      const waiting = pending.get(reply.id);
      pending.delete(reply.id);
      if (reply.kind !== 'failed') return waiting?.resolve(reply);
      const { code, message: text, hint, facts } = reply;
      waiting?.reject(new SallyportError(code, text, { ...(hint === null ? {} : { hint }), facts }));
    });
    fresh.onExit(() => {
      if (worker === fresh) worker = null;
      fail(ended());
    });
    worker = fresh;
    return fresh;
  }

  function ask(question: Question): Promise<Answer> {
    const id = nextId++;
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject });
      started().postMessage({ ...question, id } satisfies RekeyRequest);
    });
  }

  return {
    copyDatabase: async (request, signal) => {
      const cancelled = (): SallyportError =>
        new SallyportError('cancelled', 'Cancelled.', { hint: 'The vault keeps its keys.' });
      if (signal?.aborted) throw cancelled();
      const onAbort = (): void => {
        worker?.kill();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        await ask({ kind: 'database', ...request });
      } catch (error) {
        throw signal?.aborted ? cancelled() : error;
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
    moveArtifact: async ({ artifactId, ...request }) => {
      const path = artifactPath(join(options.path, 'artifacts'), artifactId);
      const answer = await ask({ kind: 'artifact', path, ...request });
      if (answer.kind !== 'artifact') throw ended();
      return { outcome: answer.outcome, bytes: answer.bytes };
    },
    close: () => {
      const closing = worker;
      worker = null;
      closing?.kill();
      fail(ended());
    },
  };
}
