import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import { runVaultJob, type VaultJobWords } from './vault-worker.ts';

const WORDS: VaultJobWords = {
  cancelled: () =>
    new SallyportError('cancelled', 'The verification was cancelled.', { hint: 'Nothing was changed.' }),
  crashed: (exitCode) =>
    new SallyportError('engine.crashed', 'The process that reads stored files ended before it was done.', {
      hint: 'Nothing was changed. Run the verification again.',
      facts: { exitCode },
    }),
};

/**
 * Decrypts and hashes one stored file in a worker process of the vault. The worker gets the key of this one file, which
 * is overwritten here when it has its copy, and none of the vault's.
 */
export async function runVerifyFile(
  forkWorker: ForkWorker,
  request: { readonly path: string; readonly fileKey: Uint8Array },
  job: JobContext | undefined,
): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
  try {
    const result = await runVaultJob(forkWorker, { kind: 'verify-file', ...request }, job, WORDS);
    if (result.kind !== 'verified') throw WORDS.crashed(null);
    return { digest: result.digest, sizeBytes: result.sizeBytes };
  } finally {
    request.fileKey.fill(0);
  }
}
