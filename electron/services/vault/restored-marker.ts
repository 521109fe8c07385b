/**
 * A restore whose log could not be continued at once, because the keys were not at hand: `restored.json` says so until
 * the vault is first opened.
 */
import { isDiskRefusal, SallyportError } from '../../../shared/domain/errors.ts';
import {
  backupNoteText,
  type RestoredMarker,
  restoredMarkerSchema,
} from '../../../shared/domain/vault/backup.ts';
import type { UnpackedBackup } from '../../ports/backup.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import type { OpenVault } from './opened-vault.ts';

export async function markRestored(directory: VaultDirectory, backup: UnpackedBackup): Promise<void> {
  const { damaged: _damaged, ...facts } = backup.facts;
  const marker: RestoredMarker = {
    format: 1,
    facts,
    manifestDigest: backup.manifestDigest,
    note: backup.note,
  };
  await directory.write('restored.json', `${JSON.stringify(marker)}\n`);
}

/**
 * Writes the entry that a restore still owes its log, and removes the marker. Does nothing where there is none.
 *
 * The marker is a file beside the database, which anybody who reaches the disk could put there together with an older
 * database: so it must carry the vault's own signature over a backup that ends where the log ends, and it never moves
 * a witness that contradicts, unless whoever opens the vault has just given its recovery key (`recovered`).
 */
export async function settleRestore(
  adapters: VaultAdapters,
  vault: OpenVault,
  options: { readonly recovered: boolean },
): Promise<void> {
  const directory = adapters.directories.at(vault.path);
  const bytes = await directory.read('restored.json');
  if (bytes === null) return;
  const { facts, manifestDigest, note } = parseMarker(bytes);
  if (adapters.checkpoints.openText(note, vault.checkpointVerifier) !== backupNoteText(facts, manifestDigest))
    throw strange();
  const { audit } = vault.store.read;
  const head = audit.head();
  const atHead = head !== null && head.seq === facts.head.seq && head.hash === facts.head.hash;
  if (atHead) {
    const witness = await vault.ledger.witness();
    // Left in place: the log is refused as it is, and `recover` tells the lawful owner from a thief.
    if (witness.status === 'contradicts' && !options.recovered) return;
    try {
      await vault.ledger.restored({ createdAt: facts.createdAt });
    } catch (error) {
      // Opened for reading alone: the entry is still owed.
      if (isDiskRefusal(error)) return;
      throw error;
    }
    adapters.system.reached('restore.settled');
    await vault.ledger.advance();
  }
  // Otherwise it was ended right behind the entry, or is a marker of long ago: the log goes on from there already.
  await directory.remove('restored.json');
}

function parseMarker(bytes: Uint8Array): RestoredMarker {
  try {
    return restoredMarkerSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw strange(cause);
  }
}

function strange(cause?: unknown): SallyportError {
  return new SallyportError('integrity.vault', 'The file restored.json is not one this vault signed.', {
    hint: 'Nothing was changed. Restore the backup again, or remove the file if nobody restored this vault.',
    ...(cause === undefined ? {} : { cause }),
  });
}
