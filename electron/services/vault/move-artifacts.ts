import type { StoreReader } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';
import type { VaultParts } from './vault-parts.ts';

export interface MovedArtifacts {
  readonly artifacts: number;
  /** On disk, header and ciphertext. */
  readonly bytes: number;
  readonly damaged: number;
}

/**
 * Gives every stored file the vault's recipients of now. What was being written under the old ones when this began is
 * waited for and moved in a second round; what begins later is written under the new ones.
 */
export async function moveArtifacts(
  { adapters, directory, artifacts, store, live }: VaultParts,
  full: boolean,
  job?: JobContext,
): Promise<MovedArtifacts> {
  const worker = adapters.rekeyWorker(directory.path);
  const seen = new Set<string>();
  let bytes = 0;
  let damaged = 0;
  try {
    const digests = digestsOf(store.read);
    for (let round = 0; round < 2; round++) {
      if (round === 1) await artifacts.settled();
      const rest = (await artifacts.list()).filter((artifactId) => !seen.has(artifactId));
      for (const [index, artifactId] of rest.entries()) {
        job?.progress('artifacts', index, rest.length);
        const moved = await worker.moveArtifact({
          artifactId,
          digest: digests.get(artifactId) ?? null,
          identities: live.identities,
          recipients: [live.recipient, live.recoveryRecipient],
          full,
        });
        adapters.system.reached('rekey.artifact');
        seen.add(artifactId);
        bytes += moved.bytes;
        if (moved.outcome === 'damaged') damaged++;
      }
    }
  } finally {
    worker.close();
  }
  return { artifacts: seen.size - damaged, bytes, damaged };
}

/** Digest of every stored file that a record names. */
function digestsOf(read: StoreReader): Map<string, string> {
  const digests = new Map(read.allArtifacts().map(({ artifactId, digest }) => [artifactId, digest]));
  for (const { id } of read.requests())
    for (const { artifactId, digest } of read.requestFiles(id)?.files ?? []) digests.set(artifactId, digest);
  return digests;
}
