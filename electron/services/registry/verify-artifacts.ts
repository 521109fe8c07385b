import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { JobContext } from '../../ports/system.ts';

export interface VerifiedArtifacts {
  readonly checked: number;
  readonly bytes: number;
  readonly bad: { ref: string; problem: string }[];
}

/** Decrypts and hashes each file. Integrity errors are collected; anything else (locked, cancelled) ends it. */
export async function verifyArtifacts(
  artifacts: ArtifactStore,
  wanted: readonly {
    readonly ref: VersionRef;
    readonly artifactId: string;
    readonly digest: string;
    readonly sizeBytes: number;
  }[],
  job?: JobContext,
): Promise<VerifiedArtifacts> {
  const total = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const bad: { ref: string; problem: string }[] = [];
  let bytes = 0;
  for (const { ref, artifactId, digest, sizeBytes } of wanted) {
    if (job?.signal.aborted)
      throw new SallyportError('cancelled', 'The verification was cancelled.', {
        hint: 'Nothing was changed.',
      });
    try {
      const size = await artifacts.verify(
        artifactId,
        digest,
        job && { signal: job.signal, progress: (phase, done) => job.progress(phase, bytes + done, total) },
      );
      if (size !== sizeBytes)
        bad.push({
          ref: formatRef(ref),
          problem: `the file has ${size} bytes, the registry says ${sizeBytes}`,
        });
      bytes += size;
    } catch (error) {
      if (!(error instanceof SallyportError) || !error.code.startsWith('integrity.')) throw error;
      bad.push({ ref: formatRef(ref), problem: error.message });
    }
  }
  return { checked: wanted.length, bytes, bad };
}
