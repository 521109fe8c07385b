import { SallyportError } from '../../../shared/domain/errors.ts';
import { normalizeRecoveryKey } from '../../../shared/domain/vault/recovery-kit.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { keychainSource, passphraseSource } from './key-source.ts';
import { checkVaultPassphrase, type KeysChoice } from './keys-choice.ts';
import { openVault, readVaultFile } from './open-vault.ts';
import type { OpenVault } from './opened-vault.ts';
import { bePresent } from './presence.ts';
import { readRecoverable } from './recoverable-secrets.ts';
import { decodeKeys, isPending, KEYS_SECRET, type KeyRecord, keysOf, type VaultKeys } from './vault-keys.ts';

/**
 * Puts the vault's keys and credentials back with the recovery key, into the keychain or under a new passphrase, and
 * opens the vault. The recovery key stays the same. Nothing is written before the recovered keys have opened the
 * database; the old way in is removed last.
 *
 * Errors: `auth.failed` (another recovery key), `not-found`, `integrity.vault`, `keychain.*`.
 */
export async function recoverVault(
  adapters: VaultAdapters,
  path: string,
  input: { readonly recoveryKey: string; readonly keys: KeysChoice },
): Promise<OpenVault> {
  checkVaultPassphrase(input.keys);
  const directory = adapters.directories.at(path);
  const file = await readVaultFile(directory);
  const wrapped = await directory.read('recovery.age');
  if (!file || !wrapped) {
    throw new SallyportError('not-found', 'There is no vault to recover in this folder.', {
      hint: 'It needs vault.json, registry.db and recovery.age. Give the folder of the vault.',
      facts: { path: directory.path },
    });
  }
  // Nobody gives the vault new keys while the old ones are put back.
  const leave = await bePresent(directory, adapters.system);
  let credentials: number;
  try {
    credentials = await putBack(adapters, directory, file.id, wrapped, input);
  } finally {
    leave();
  }

  const vault = await openVault(adapters, path, {
    recovered: true,
    passphrase: input.keys.kind === 'passphrase' ? input.keys.passphrase : null,
  });
  try {
    const witness = await vault.ledger.witness();
    const details = { keys: input.keys.kind, credentials, witness: witness.status };
    await vault.ledger.commit(
      null,
      { action: 'vault.recovered', subject: file.id, details },
      () => undefined,
    );
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}

/** Writes keys and credentials to where they are to be kept; answers how many credentials there were. */
async function putBack(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  vaultId: string,
  wrapped: Uint8Array,
  input: { readonly recoveryKey: string; readonly keys: KeysChoice },
): Promise<number> {
  const { system, keys: tools } = adapters;
  const recoveryKey = normalizeRecoveryKey(input.recoveryKey);
  const record = await unwrap(adapters, recoveryKey, wrapped, vaultId);
  const identities = identitiesOf(record);
  const credentials = await readRecoverable(directory, [recoveryKey, ...identities], vaultId, tools);
  const keys = keysThatOpen(directory, record);
  if (input.keys.kind === 'keychain') {
    const source = keychainSource(adapters, vaultId);
    try {
      for (const { name, value } of credentials) await source.keychain?.set(name, value);
      system.reached('recover.credentials');
      // An interrupted rekey is put back as it was: opening the vault settles it.
      await source.save(record);
      system.reached('recover.keys');
    } finally {
      await source.close();
    }
    await directory.remove('passphrase.age');
    system.reached('recover.passphrase-removed');
    await directory.remove('secrets.age');
  } else {
    const recipient = await tools.recipientOf(keys.identity);
    const secrets = adapters.fileSecrets(
      directory.path,
      () => recipient,
      () => identities,
    );
    // A secrets file that cannot be read any more would stop the new one from being written; what it held is in the copies.
    await secrets.get(KEYS_SECRET).catch(() => directory.remove('secrets.age'));
    for (const { name, value } of credentials) await secrets.set(name, value);
    await secrets.close();
    system.reached('recover.credentials');
    await passphraseSource(adapters, directory, vaultId, input.keys.passphrase).save(record);
    system.reached('recover.keys');
  }
  return credentials.length;
}

function identitiesOf(record: KeyRecord): string[] {
  if (!isPending(record)) return [record.identity];
  const { current, next, recovery } = record;
  return [next.identity, current.identity, ...(recovery === null ? [] : [recovery.identity])];
}

/** What `recovery.age` holds. Errors: `auth.failed` (another recovery key), `integrity.vault`. */
export async function unwrap(
  adapters: VaultAdapters,
  recoveryKey: string,
  wrapped: Uint8Array,
  vaultId: string,
): Promise<KeyRecord> {
  let text: string;
  try {
    text = new TextDecoder().decode(await adapters.keys.decrypt(recoveryKey, wrapped));
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'auth.failed') throw error;
    throw new SallyportError('auth.failed', 'This is not the recovery key of this vault.', {
      hint: 'Nothing was changed. It reads AGE-SECRET-KEY-1… and was shown once, when the vault or its last recovery key was made.',
    });
  }
  return decodeKeys(text, vaultId, 'recovery.age');
}

/** The keys of the record that the database opens with; nothing has been written yet when there are none. */
function keysThatOpen(directory: VaultDirectory, record: KeyRecord): VaultKeys {
  const candidates = isPending(record) ? [keysOf(record, 'next'), keysOf(record, 'current')] : [record];
  let failure: unknown = null;
  for (const keys of candidates) {
    try {
      directory.openStore(Buffer.from(keys.databaseKey, 'hex')).close();
      return keys;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
