import type { System } from '../../ports/system.ts';
import { namedArtifacts } from './named-artifacts.ts';
import type { OpenVault } from './opened-vault.ts';
import { sweepSecrets, unownedSecrets } from './owned-secrets.ts';

/** Longest time between a file's arrival in the store and the commit that names it, with room to spare. */
export const SWEEP_GRACE_MS = 15 * 60 * 1000;

export interface Swept {
  readonly temporary: number;
  readonly orphans: number;
}

/**
 * Removes what dead processes left: temporary files at once, and stored files and credentials that no row names if
 * that is still so after `graceMs`, because a living process may be about to commit theirs. For the holder of the
 * effects lock, in the background; `signal` ends the waiting.
 */
export async function sweepVault(
  vault: OpenVault,
  system: System,
  options: { readonly graceMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Swept> {
  const { artifacts } = vault;
  const temporary =
    (await artifacts.sweepTemporary()) + (await vault.sweepBackups()) + (await vault.sweepFiles());
  const candidates = await orphansOf(vault);
  const secrets = unownedSecrets(vault.store.read);
  if (candidates.length === 0 && secrets.length === 0) return { temporary, orphans: 0 };
  await system.sleep(options.graceMs ?? SWEEP_GRACE_MS, options.signal);
  const named = namesOf(vault);
  const orphans = candidates.filter((artifactId) => !named.has(artifactId));
  for (const artifactId of orphans) await artifacts.discard(artifactId);
  return { temporary, orphans: orphans.length + (await sweepSecrets(vault, secrets)) };
}

async function orphansOf(vault: OpenVault): Promise<string[]> {
  // Files first, rows second: a file whose row is committed in between is not a candidate.
  const stored = await vault.artifacts.list();
  const named = namesOf(vault);
  return stored.filter((artifactId) => !named.has(artifactId));
}

function namesOf({ store: { read } }: OpenVault): Set<string> {
  return new Set(namedArtifacts(read).map(({ artifactId }) => artifactId));
}
