import { utf8 } from '../../../shared/domain/audit/bytes.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { decodeKeys, encodeKeys, KEYS_SECRET, type KeyRecord } from './vault-keys.ts';

/** How a vault's keys are kept. */
export type KeysKind = 'keychain' | 'passphrase';

/** The place a vault's keys come from and go back to. */
export interface KeySource {
  readonly kind: KeysKind;
  /** Where the vault's other secrets are kept too; null for a vault under a passphrase. */
  readonly keychain: SecretStore | null;
  /** Errors: `locked` (no passphrase), `auth.failed` (a wrong one), `keychain.*`, `integrity.vault`. */
  load(): Promise<KeyRecord>;
  /** Replaces what is there, durably. */
  save(record: KeyRecord): Promise<void>;
  /** Gives the keychain's process back. */
  close(): Promise<void>;
}

/** The source of the vault in this directory, by what lies there. */
export async function keySourceOf(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  vaultId: string,
  passphrase: string | null,
): Promise<KeySource> {
  if ((await directory.read('passphrase.age')) !== null)
    return passphraseSource(adapters, directory, vaultId, passphrase);
  const source = keychainSource(adapters, vaultId);
  if ((await directory.read('secrets.age')) === null) return source;
  // Its secrets were under a passphrase. The keys may be in the keychain all the same: a recovery into it that was stopped.
  return {
    ...source,
    load: () =>
      source.load().catch((error: unknown) => {
        if (error instanceof SallyportError && error.code === 'keychain.missing') throw noPassphraseFile();
        throw error;
      }),
  };
}

function noPassphraseFile(): SallyportError {
  return new SallyportError('integrity.vault', 'The file passphrase.age is missing.', {
    hint: 'Nothing was changed. Put it back from a backup, or run `sallyport recover` with the recovery key.',
  });
}

/** The keys in `passphrase.age`. The passphrase lives as long as this object. */
export function passphraseSource(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  vaultId: string,
  passphrase: string | null,
): KeySource {
  const given = (): string => {
    if (passphrase !== null && passphrase !== '') return passphrase;
    throw new SallyportError('locked', 'The vault is locked: it opens with a passphrase.', {
      hint: 'Enter it, or give it with `--passphrase-file FILE`.',
    });
  };
  return {
    kind: 'passphrase',
    keychain: null,
    load: async () => {
      const known = given();
      const wrapped = await directory.read('passphrase.age');
      if (wrapped === null) throw noPassphraseFile();
      const text = new TextDecoder().decode(await adapters.keys.decryptWithPassphrase(known, wrapped));
      return decodeKeys(text, vaultId, 'passphrase.age');
    },
    save: async (record) => {
      const bytes = await adapters.keys.encryptWithPassphrase(given(), utf8(encodeKeys(record)));
      await directory.write('passphrase.age', bytes);
    },
    close: async () => {},
  };
}

/** The keys in the operating system's keychain. */
export function keychainSource(
  adapters: VaultAdapters,
  vaultId: string,
  opened: SecretStore | null = null,
): KeySource {
  const keychain = opened ?? adapters.keychainSecrets(vaultId);
  return {
    kind: 'keychain',
    keychain,
    load: async () => {
      const text = await keychain.get(KEYS_SECRET);
      if (text === null) {
        throw new SallyportError('keychain.missing', "The keychain does not hold this vault's keys.", {
          hint: 'The vault is unchanged. Run `sallyport recover` with the recovery key that was shown when it was created.',
        });
      }
      try {
        return decodeKeys(text, vaultId, 'the keychain');
      } catch (error) {
        throw keychainChanged(error);
      }
    },
    save: (record) => keychain.set(KEYS_SECRET, encodeKeys(record)),
    close: () => keychain.close(),
  };
}

export function keychainChanged(cause: unknown): SallyportError {
  return new SallyportError('keychain.changed', "The keychain's keys do not open this vault.", {
    hint: 'The vault is unchanged. Run `sallyport recover` with the recovery key to put the right keys back.',
    cause,
  });
}
