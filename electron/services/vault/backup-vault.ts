/** Backups of the open vault: the database as it was at one moment, and every stored file its rows name. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { type BackupFacts, backupNoteText } from '../../../shared/domain/vault/backup.ts';
import type { VaultSnapshot } from '../../ports/backup.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';
import type { VaultAdapters } from '../../ports/vault.ts';
import { type NamedArtifact, namedArtifacts } from './named-artifacts.ts';
import type { OpenVault } from './opened-vault.ts';
import { CHECKPOINT_SECRET, LAST_BACKUP, SETTINGS } from './vault-keys.ts';

export interface BackupResult {
  readonly path: string;
  readonly bytes: number;
  readonly artifacts: number;
  /** Last entry of the audit log that is in it. */
  readonly auditHead: number;
  /** What could not be put into it whole, because the vault itself has it missing or changed: `phish@1.0.0`, a file of a request. */
  readonly damaged: readonly string[];
}

/** How often a snapshot is taken anew because files of it were collected in the same moment. */
const ATTEMPTS = 5;

/**
 * Writes a backup to `path`: complete, read back and signed, or nothing. Others may work on the vault meanwhile; what
 * they commit after the snapshot is not in it.
 *
 * Errors: `refused.role`, `conflict` (there is a file), `not-found` (no folder), `disk.full`, `disk.read-only`,
 * `cancelled`, `integrity.vault`.
 */
export async function backupVault(
  deps: { readonly vault: OpenVault; readonly adapters: VaultAdapters },
  actor: Actor,
  input: { readonly path: string },
  job: JobContext,
): Promise<BackupResult> {
  const { vault, adapters } = deps;
  const { system } = adapters;
  await vault.ledger.require(actor, 'vault.backup', vault.id);
  const { snapshot, named, missing } = await consistentSnapshot(vault, adapters, job);
  try {
    system.reached('backup.snapshot');
    const damaged = await findDamage(adapters, vault, snapshot, named, missing, job);
    const store = adapters.directories.at(snapshot.path).openStore(vault.databaseKey());
    const head = store.read.audit.head();
    store.close();
    if (!head)
      throw new SallyportError('integrity.audit', 'The vault has no audit log; no backup was made.', {
        hint: 'Restore the vault from an earlier backup.',
      });
    const facts: BackupFacts = {
      format: 1,
      vaultId: vault.id,
      createdAt: system.now().toISOString(),
      schema: snapshot.schema,
      head,
      damaged: damaged.map(({ artifactId, problem }) => ({ artifactId, problem })),
    };
    const packed = await snapshot.pack(input.path, facts, async (digest) => {
      system.reached('backup.packed');
      const key = await vault.secrets.get(CHECKPOINT_SECRET);
      if (key === null)
        throw new SallyportError('keychain.missing', "The vault's checkpoint key is missing.", {
          hint: 'No backup was made. Run `sallyport recover` with the recovery key.',
        });
      return adapters.checkpoints.signText(backupNoteText(facts, digest), key);
    });
    job.signal.throwIfAborted();
    system.reached('backup.sealed');
    await packed.publish();
    system.reached('backup.named');
    await vault.ledger.commit(
      actor,
      {
        action: 'vault.backed-up',
        subject: vault.id,
        details: {
          head: { seq: head.seq, hash: head.hash },
          digest: packed.digest,
          bytes: packed.bytes,
          artifacts: named.length - missing.length,
          damaged: damaged.length,
        },
      },
      (tx) => tx.setSetting(LAST_BACKUP, JSON.stringify({ at: system.now().toISOString(), head: head.seq })),
    );
    return {
      path: input.path,
      bytes: packed.bytes,
      artifacts: named.length - missing.length,
      auditHead: head.seq,
      damaged: damaged.map(({ what }) => what),
    };
  } finally {
    await snapshot.remove();
  }
}

interface Consistent {
  readonly snapshot: VaultSnapshot;
  readonly named: readonly NamedArtifact[];
  /** Named, but not there: in the vault either. */
  readonly missing: readonly string[];
}

/**
 * Rows first, then the files they name. A file that was collected in between is named by no row any more: another
 * snapshot is taken. So it is where the vault got new keys, which come in several files.
 */
async function consistentSnapshot(
  vault: OpenVault,
  adapters: VaultAdapters,
  job: JobContext,
): Promise<Consistent> {
  for (let attempt = 1; ; attempt++) {
    const key = vault.databaseKey();
    const keyFile = await recoveryFile(adapters, vault.path);
    job.progress('copying the database', 0, 0);
    let snapshot: VaultSnapshot;
    try {
      snapshot = await adapters.backups.snapshot(vault.path, key, job);
    } catch (error) {
      // The database changed hands while it was copied: a rekey.
      if (attempt < ATTEMPTS && !same(key, vault.databaseKey())) continue;
      throw error;
    }
    try {
      const { named, missing } = snapshot;
      const still = new Set(
        missing.length === 0 ? [] : namedArtifacts(vault.store.read).map((each) => each.artifactId),
      );
      const settled =
        missing.every((artifactId) => still.has(artifactId)) &&
        same(keyFile, await recoveryFile(adapters, snapshot.path)) &&
        same(keyFile, await recoveryFile(adapters, vault.path));
      if (settled) return { snapshot, named, missing };
      if (attempt >= ATTEMPTS) {
        throw new SallyportError('conflict', 'The vault changes too fast for a backup at this moment.', {
          hint: 'No backup was made. Try again when its keys are changed or its versions collected.',
        });
      }
    } catch (error) {
      await snapshot.remove();
      throw error;
    }
    await snapshot.remove();
  }
}

async function recoveryFile(adapters: VaultAdapters, path: string): Promise<Uint8Array | null> {
  return adapters.directories.at(path).read('recovery.age');
}

function same(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && Buffer.from(a).equals(b);
}

/**
 * Decrypts and hashes every file that is held. A damaged one does not keep the others from being backed up: it is
 * named in the signed list and to whoever asked, and a restore brings back what there is.
 */
async function findDamage(
  adapters: VaultAdapters,
  vault: OpenVault,
  snapshot: VaultSnapshot,
  named: readonly NamedArtifact[],
  missing: readonly string[],
  job: JobContext,
): Promise<(NamedArtifact & { readonly problem: string })[]> {
  const recipients = recipientsOf(vault.store.read);
  const artifacts = adapters.artifacts(
    snapshot.path,
    () => recipients,
    () => vault.identity(),
  );
  const gone = new Set(missing);
  const damaged: (NamedArtifact & { readonly problem: string })[] = [];
  for (const [index, each] of named.entries()) {
    job.signal.throwIfAborted();
    job.progress('verifying', index, named.length);
    if (gone.has(each.artifactId)) damaged.push({ ...each, problem: 'it is missing' });
    else
      try {
        await artifacts.verify(each.artifactId, each.digest, { signal: job.signal, progress: () => {} });
      } catch (error) {
        if (!(error instanceof SallyportError) || error.code !== 'integrity.artifact') throw error;
        damaged.push({ ...each, problem: error.message });
      }
  }
  return damaged;
}

/** Who can open a vault's files, as its database says. */
export function recipientsOf(read: StoreReader): string[] {
  return [SETTINGS.recipient, SETTINGS.recoveryRecipient].flatMap((key) => read.setting(key) ?? []);
}
