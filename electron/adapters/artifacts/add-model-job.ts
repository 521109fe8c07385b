import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ModelInspection } from '../../ports/artifacts.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import type { AddModelRequest } from '../../workers/vault-messages.ts';
import { runVaultJob, type VaultJobWords } from './vault-worker.ts';

export interface AddModelOutcome extends ModelInspection {
  readonly digest: string;
  readonly sizeBytes: number;
}

const WORDS: VaultJobWords = {
  cancelled: () =>
    new SallyportError('cancelled', 'Adding the model was cancelled.', { hint: 'Nothing of it was kept.' }),
  crashed: (exitCode) =>
    new SallyportError('engine.crashed', 'The process that inspects models ended before it was done.', {
      hint: 'Nothing of the file was kept. If it happens again, the file is not one to trust.',
      facts: { exitCode },
    }),
};

/**
 * Runs one add in a worker process of the vault. When it resolves, the file is complete and the process done with it;
 * when it rejects, the process has ended: either way the caller may rename or remove the file.
 */
export async function runAddModel(
  forkWorker: ForkWorker,
  request: Omit<AddModelRequest, 'kind'>,
  job: JobContext | undefined,
): Promise<AddModelOutcome> {
  const result = await runVaultJob(forkWorker, { kind: 'add-model', ...request }, job, WORDS);
  if (result.kind !== 'added') throw WORDS.crashed(null);
  const { digest, sizeBytes, summary, rulesRun, findings } = result;
  return { digest, sizeBytes, summary, rulesRun, findings };
}
