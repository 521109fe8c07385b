import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { JobContext } from '../../ports/system.ts';

/** A stored file as the records name it. */
export interface WantedArtifact {
  readonly artifactId: string;
  readonly digest: string;
  readonly sizeBytes: number;
  /** Whose it is: `name@version`, `policy.yaml of request …`. */
  readonly what: string;
}

export interface VerifiedArtifacts {
  readonly checked: number;
  /** Of plaintext, in files that were read to their end. */
  readonly bytes: number;
  readonly bad: { ref: string; problem: string }[];
}

const RECIPIENTS = {
  unconfirmed:
    'it is not shown that the recovery key opens this file: an earlier version of the program wrote it, or another key stands in its place. Its content is right. `sallyport rekey` writes it anew',
  foreign:
    'the file is not encrypted to exactly the two keys of this vault. Its content is right. `sallyport rekey` writes it anew',
} as const;

/**
 * Decrypts and hashes each file, and checks whom it is encrypted to. Integrity errors are collected; anything else
 * (locked, cancelled) ends it. Progress is bytes of all files; one file after the other, so memory does not grow with
 * their number or size.
 */
export async function verifyArtifacts(
  artifacts: ArtifactStore,
  wanted: readonly WantedArtifact[],
  job?: JobContext,
): Promise<VerifiedArtifacts> {
  const total = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const bad: { ref: string; problem: string }[] = [];
  let bytes = 0;
  // What was gone through, read or not: a missing file leaves no gap in the progress.
  let passed = 0;
  for (const { what, artifactId, digest, sizeBytes } of wanted) {
    checkCancelled(job);
    try {
      const size = await artifacts.verify(
        artifactId,
        digest,
        job && { signal: job.signal, progress: (phase, done) => job.progress(phase, passed + done, total) },
      );
      if (size !== sizeBytes)
        bad.push({ ref: what, problem: `the file has ${size} bytes, the registry says ${sizeBytes}` });
      bytes += size;
      const recipients = await artifacts.recipientsOf(artifactId);
      if (recipients !== 'confirmed') bad.push({ ref: what, problem: RECIPIENTS[recipients] });
    } catch (error) {
      if (!(error instanceof SallyportError) || !error.code.startsWith('integrity.')) throw error;
      bad.push({ ref: what, problem: error.message });
    }
    passed += sizeBytes;
    job?.progress('verifying', passed, total);
  }
  return { checked: wanted.length, bytes, bad };
}

/**
 * The whole store: every file that a record names, then whatever else lies there. `named` is asked again for that,
 * because others go on adding while the files are read. `proveDatabase` looks at the pages nobody reads.
 */
export async function verifyStore(
  artifacts: ArtifactStore,
  named: () => readonly WantedArtifact[],
  job?: JobContext,
  proveDatabase?: (job?: JobContext) => Promise<void>,
): Promise<VerifiedArtifacts> {
  const verified = await verifyArtifacts(artifacts, named(), job);
  checkCancelled(job);
  const database: { ref: string; problem: string }[] = [];
  try {
    // Seconds at most, and not counted in the bytes of files: no progress of its own.
    await proveDatabase?.(job && { signal: job.signal, progress: () => {} });
  } catch (error) {
    if (!(error instanceof SallyportError) || !error.code.startsWith('integrity.')) throw error;
    database.push({ ref: 'registry.db', problem: error.message });
  }
  const ids = new Set(named().map(({ artifactId }) => artifactId));
  const strays = await artifacts.strays((artifactId) => ids.has(artifactId));
  return {
    ...verified,
    bad: [
      ...verified.bad,
      ...database,
      ...strays.map(({ path, problem }) => ({ ref: path, problem: `it ${problem}` })),
    ],
  };
}

function checkCancelled(job: JobContext | undefined): void {
  if (job?.signal.aborted)
    throw new SallyportError('cancelled', 'The verification was cancelled.', {
      hint: 'Nothing was changed.',
    });
}
