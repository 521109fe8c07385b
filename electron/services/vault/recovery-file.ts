/** `recovery.age`: the keys for whoever has the recovery key. */
import { utf8 } from '../../../shared/domain/audit/bytes.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { KeyTools, VaultDirectory } from '../../ports/vault.ts';
import { decodeKeys, encodeKeys, isPending, type KeyRecord, type VaultKeys } from './vault-keys.ts';
import type { VaultParts } from './vault-parts.ts';

/**
 * Writes the file. Settled keys are for the vault's own key too, so that an open vault can tell its file from another.
 * Those of a rekey under way are not: the next key is nothing for who has the one before.
 */
export async function writeRecoveryFile(
  directory: VaultDirectory,
  tools: KeyTools,
  recoveryRecipients: readonly string[],
  record: KeyRecord,
): Promise<void> {
  const own = isPending(record) ? [] : [await tools.recipientOf(record.identity)];
  const bytes = await tools.encrypt([...recoveryRecipients, ...own], utf8(encodeKeys(record)));
  await directory.write('recovery.age', bytes);
}

/**
 * Writes the file anew where it is missing, damaged, another vault's or of before it could be told: a recovery key that
 * opens nothing is found out when it is too late. What cannot be done now is done at the next opening.
 */
export async function mendRecoveryFile(parts: VaultParts, keys: VaultKeys): Promise<void> {
  const { adapters, directory, live, ledger, file } = parts;
  try {
    if (await isOurs(parts, keys)) return;
    const details = { recoveryRecipient: live.recoveryRecipient };
    await ledger.commit(
      null,
      { action: 'vault.recovery-mended', subject: file.id, details },
      () => undefined,
    );
    await writeRecoveryFile(directory, adapters.keys, [live.recoveryRecipient], keys);
    adapters.system.reached('recovery.mended');
  } catch (error) {
    // A full disk, a keychain that went away, a log that takes no entry: none of them keeps the owner out.
    if (!(error instanceof SallyportError)) throw error;
  }
}

async function isOurs({ adapters, directory, file }: VaultParts, keys: VaultKeys): Promise<boolean> {
  try {
    const wrapped = await directory.read('recovery.age');
    if (wrapped === null) return false;
    const text = new TextDecoder().decode(await adapters.keys.decrypt(keys.identity, wrapped));
    return encodeKeys(decodeKeys(text, file.id, 'recovery.age')) === encodeKeys(keys);
  } catch (error) {
    if (error instanceof SallyportError) return false;
    throw error;
  }
}
