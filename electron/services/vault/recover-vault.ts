import { utf8 } from '../../../shared/domain/audit/bytes.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { checkVaultPassphrase, type KeysChoice } from './create-vault.ts';
import { type OpenVault, openVault, readVaultFile } from './open-vault.ts';
import { readRecoverable } from './recoverable-secrets.ts';
import { decodeKeys, encodeKeys, KEYS_SECRET, type VaultKeys } from './vault-keys.ts';

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
  const recoveryKey = input.recoveryKey.trim();
  const keys = await unwrap(adapters, recoveryKey, wrapped, file.id);
  const credentials = await readRecoverable(directory, recoveryKey, file.id, adapters.keys);
  await checkOpens(directory, keys);

  if (input.keys.kind === 'keychain') {
    const keychain = adapters.keychainSecrets(file.id);
    try {
      for (const { name, value } of credentials) await keychain.set(name, value);
      await keychain.set(KEYS_SECRET, encodeKeys(keys));
    } finally {
      await keychain.close();
    }
    await directory.remove('passphrase.age');
    await directory.remove('secrets.age');
  } else {
    const recipient = await adapters.keys.recipientOf(keys.identity);
    const secrets = adapters.fileSecrets(
      directory.path,
      () => recipient,
      () => keys.identity,
    );
    // A secrets file that cannot be read any more would stop the new one from being written; what it held is in the copies.
    await secrets.get(KEYS_SECRET).catch(() => directory.remove('secrets.age'));
    for (const { name, value } of credentials) await secrets.set(name, value);
    await secrets.close();
    await directory.write(
      'passphrase.age',
      await adapters.keys.encryptWithPassphrase(input.keys.passphrase, utf8(encodeKeys(keys))),
    );
  }

  const vault = await openVault(
    adapters,
    path,
    input.keys.kind === 'passphrase' ? { passphrase: input.keys.passphrase } : {},
  );
  try {
    const witness = await vault.ledger.witness();
    const details = { keys: input.keys.kind, credentials: credentials.length, witness: witness.status };
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

async function unwrap(
  adapters: VaultAdapters,
  recoveryKey: string,
  wrapped: Uint8Array,
  vaultId: string,
): Promise<VaultKeys> {
  let text: string;
  try {
    text = new TextDecoder().decode(await adapters.keys.decrypt(recoveryKey, wrapped));
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code !== 'auth.failed') throw error;
    throw new SallyportError('auth.failed', 'This is not the recovery key of this vault.', {
      hint: 'Nothing was changed. It reads AGE-SECRET-KEY-1… and was shown once, when the vault was created.',
    });
  }
  return decodeKeys(text, vaultId, 'recovery.age');
}

async function checkOpens(directory: VaultDirectory, keys: VaultKeys): Promise<void> {
  directory.openStore(Buffer.from(keys.databaseKey, 'hex')).close();
}
