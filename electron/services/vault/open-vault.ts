import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { Store } from '../../ports/stores.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { createLedger, type VaultLedger } from '../ledger-impl.ts';
import { recoverableSecrets } from './recoverable-secrets.ts';
import {
  CHECKPOINT_SECRET,
  decodeKeys,
  KEYS_SECRET,
  SETTINGS,
  type VaultFileContent,
  type VaultKeys,
  vaultFileSchema,
} from './vault-keys.ts';

/** How a vault's keys are kept. */
export type KeysKind = 'keychain' | 'passphrase';

/** An open vault: what services are built on. Close it once; the private keys are forgotten then. */
export interface OpenVault {
  readonly id: string;
  readonly path: string;
  readonly keysKind: KeysKind;
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly artifacts: ArtifactStore;
  readonly ledger: VaultLedger;
  /** The vault's public key, `age1…`: what another site encrypts a bundle to. */
  readonly recipient: string;
  /** Verifies the audit log's checkpoints. */
  readonly checkpointVerifier: string;
  /** The vault's private key; `locked` once closed. */
  identity(): string;
  /** Takes the right to run effects, leases and sweeps; false while another process has it. Kept until released or closed. */
  acquireEffectsLock(): boolean;
  releaseEffectsLock(): void;
  close(): Promise<void>;
}

/** What is at a path, without any key. */
export async function vaultAt(
  adapters: VaultAdapters,
  path: string,
): Promise<{ id: string; keysKind: KeysKind } | null> {
  const directory = adapters.directories.at(path);
  const file = await readVaultFile(directory);
  return file
    ? { id: file.id, keysKind: (await directory.read('passphrase.age')) ? 'passphrase' : 'keychain' }
    : null;
}

/**
 * Opens the vault at `path`, with the passphrase where its keys are under one.
 *
 * Errors: `not-found`, `locked` (a passphrase is needed), `auth.failed` (a wrong one), `keychain.*`
 * (`keychain.changed`: the keychain's keys are not this vault's), `integrity.vault`, `vault.newer`.
 */
export async function openVault(
  adapters: VaultAdapters,
  path: string,
  options: { readonly passphrase?: string | null } = {},
): Promise<OpenVault> {
  const directory = adapters.directories.at(path);
  const file = await readVaultFile(directory);
  if (!file) {
    throw new SallyportError('not-found', 'There is no vault in this folder.', {
      hint: 'Create one with `sallyport init`, or give the folder of an existing one.',
      facts: { path: directory.path },
    });
  }
  const wrapped = await directory.read('passphrase.age');
  if (wrapped) {
    const keys = await keysFromPassphrase(adapters, wrapped, options.passphrase ?? null, file.id);
    return openWithKeys(adapters, directory, file, keys, 'passphrase', null);
  }
  const keychain = adapters.keychainSecrets(file.id);
  try {
    const keys = await keysFromKeychain(keychain, file.id);
    return await openWithKeys(adapters, directory, file, keys, 'keychain', keychain);
  } catch (error) {
    await keychain.close();
    throw error;
  }
}

/** Reads `vault.json`; null where there is none. */
export async function readVaultFile(directory: VaultDirectory): Promise<VaultFileContent | null> {
  const bytes = await directory.read('vault.json');
  if (!bytes) return null;
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(bytes));
    refuseNewer(content);
    return vaultFileSchema.parse(content);
  } catch (error) {
    if (error instanceof SallyportError) throw error;
    throw new SallyportError(
      'integrity.vault',
      'The file vault.json is damaged, or was written by something else.',
      {
        hint: 'Nothing was changed. Put the file back from a backup of this vault.',
        cause: error,
      },
    );
  }
}

/** A later format is no damage: telling its owner to restore a backup would cost them what they have done since. */
function refuseNewer(content: unknown): void {
  if (typeof content !== 'object' || content === null || !('format' in content)) return;
  if (typeof content.format !== 'number' || content.format <= 1) return;
  throw new SallyportError('vault.newer', 'This vault was made by a newer version of Sallyport.', {
    hint: 'Nothing was changed. Open it with that version.',
    facts: { format: content.format },
  });
}

async function keysFromPassphrase(
  adapters: VaultAdapters,
  wrapped: Uint8Array,
  passphrase: string | null,
  vaultId: string,
): Promise<VaultKeys> {
  if (passphrase === null || passphrase === '') {
    throw new SallyportError('locked', 'The vault is locked: it opens with a passphrase.', {
      hint: 'Enter it, or give it with `--passphrase-file FILE`.',
    });
  }
  const text = new TextDecoder().decode(await adapters.keys.decryptWithPassphrase(passphrase, wrapped));
  return decodeKeys(text, vaultId, 'passphrase.age');
}

async function keysFromKeychain(keychain: SecretStore, vaultId: string): Promise<VaultKeys> {
  const text = await keychain.get(KEYS_SECRET);
  if (text === null) {
    throw new SallyportError('keychain.missing', "The keychain does not hold this vault's keys.", {
      hint: 'The vault is unchanged. Run `sallyport recover` with the recovery key that was shown when it was created.',
    });
  }
  try {
    return decodeKeys(text, vaultId, 'the keychain');
  } catch (error) {
    throw changed(error);
  }
}

function changed(cause: unknown): SallyportError {
  return new SallyportError('keychain.changed', "The keychain's keys do not open this vault.", {
    hint: 'The vault is unchanged. Run `sallyport recover` with the recovery key to put the right keys back.',
    cause,
  });
}

/** Opens database and stores with keys that were found, and checks that all parts belong together. */
export async function openWithKeys(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  file: VaultFileContent,
  keys: VaultKeys,
  keysKind: KeysKind,
  keychain: SecretStore | null,
): Promise<OpenVault> {
  let store: Store;
  try {
    store = directory.openStore(Buffer.from(keys.databaseKey, 'hex'));
  } catch (error) {
    if (keysKind === 'keychain' && error instanceof SallyportError && error.code === 'integrity.vault')
      throw changed(error);
    throw error;
  }
  try {
    return await assemble(adapters, directory, file, keys, keysKind, keychain, store);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function assemble(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  file: VaultFileContent,
  keys: VaultKeys,
  keysKind: KeysKind,
  keychain: SecretStore | null,
  store: Store,
): Promise<OpenVault> {
  const recipient = setting(store, SETTINGS.recipient);
  const recoveryRecipient = setting(store, SETTINGS.recoveryRecipient);
  if (setting(store, SETTINGS.id) !== file.id)
    throw swapped('vault.json names another vault than the database');
  if ((await adapters.keys.recipientOf(keys.identity)) !== recipient)
    throw swapped('the database names another public key than the vault has');

  let identity: string | null = keys.identity;
  const identityNow = (): string => {
    if (identity === null)
      throw new SallyportError('locked', 'The vault was locked.', { hint: 'Unlock it to go on.' });
    return identity;
  };
  const plain = keychain ?? adapters.fileSecrets(directory.path, () => recipient, identityNow);
  const secrets = recoverableSecrets(plain, {
    vaultId: file.id,
    directory,
    recoveryRecipient,
    keys: adapters.keys,
    system: adapters.system,
  });
  const checkpointKey = await secrets.get(CHECKPOINT_SECRET);
  if (checkpointKey === null) {
    throw new SallyportError('keychain.missing', "The vault's checkpoint key is missing among its secrets.", {
      hint: 'The vault is unchanged. Run `sallyport recover` with the recovery key.',
    });
  }
  const artifacts = adapters.artifacts(directory.path, [recipient, recoveryRecipient], identityNow);
  const ledger = createLedger({
    vaultId: file.id,
    store,
    system: adapters.system,
    secrets,
    checkpoints: adapters.checkpoints,
    checkpointKey,
  });
  let unlock: (() => void) | null = null;
  const releaseEffectsLock = (): void => {
    unlock?.();
    unlock = null;
  };
  return {
    id: file.id,
    path: directory.path,
    keysKind,
    store,
    secrets,
    artifacts,
    ledger,
    recipient,
    checkpointVerifier: setting(store, SETTINGS.checkpointKey),
    identity: identityNow,
    acquireEffectsLock: () => {
      unlock ??= directory.tryLock();
      return unlock !== null;
    },
    releaseEffectsLock,
    close: async () => {
      if (identity === null) return;
      identity = null;
      releaseEffectsLock();
      store.close();
      await secrets.close();
    },
  };
}

function setting(store: Store, key: string): string {
  const value = store.read.setting(key);
  if (value === null) throw swapped(`the database lacks the setting ${key}`);
  return value;
}

function swapped(what: string): SallyportError {
  return new SallyportError('integrity.vault', `The vault's parts do not belong together: ${what}.`, {
    hint: 'Nothing was changed. A file was swapped or edited; restore the vault from a backup.',
  });
}
