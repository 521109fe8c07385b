import { SallyportError } from '../../../shared/domain/errors.ts';
import { normalizeRecoveryKey } from '../../../shared/domain/vault/recovery-kit.ts';
import type { System } from '../../ports/system.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { type KeySource, type KeysKind, keySourceOf } from './key-source.ts';
import type { OpenVault } from './opened-vault.ts';
import { ownedSecrets } from './owned-secrets.ts';
import { beAlone, bePresent, type Release } from './presence.ts';
import { mendRecoveryFile } from './recovery-file.ts';
import { finishRekey, rekeyParts, undoRekey } from './rekey.ts';
import { settleRestore } from './restored-marker.ts';
import { isPending, type VaultFileContent, vaultFileSchema } from './vault-keys.ts';
import { openParts, type VaultParts } from './vault-parts.ts';

export type { KeysKind };

/** What is at a path, without any key. */
export async function vaultAt(
  adapters: VaultAdapters,
  path: string,
): Promise<{ id: string; keysKind: KeysKind } | null> {
  const directory = adapters.directories.at(path);
  const file = await vaultFileOf(directory);
  return file
    ? { id: file.id, keysKind: (await directory.read('passphrase.age')) ? 'passphrase' : 'keychain' }
    : null;
}

/**
 * Opens the vault at `path`, with the passphrase where its keys are under one. `recovered`: whoever opens it has just
 * given its recovery key.
 *
 * Errors: `not-found`, `locked` (a passphrase is needed), `auth.failed` (a wrong one), `keychain.*`
 * (`keychain.changed`: the keychain's keys are not this vault's), `integrity.vault`, `vault.newer`.
 */
export async function openVault(
  adapters: VaultAdapters,
  path: string,
  options: { readonly passphrase?: string | null; readonly recovered?: boolean } = {},
): Promise<OpenVault> {
  const directory = adapters.directories.at(path);
  const file = await vaultFileOf(directory);
  if (!file) {
    throw new SallyportError('not-found', 'There is no vault in this folder.', {
      hint: 'Create one with `sallyport init`, or give the folder of an existing one.',
      facts: { path: directory.path },
    });
  }
  const { system } = adapters;
  const passphrase = options.passphrase ?? null;
  let presence = await bePresent(directory, system);
  const source = await keySourceOf(adapters, directory, file.id, passphrase).catch((error: unknown) => {
    presence();
    throw error;
  });
  try {
    let record = await source.load();
    if (isPending(record)) {
      // An interrupted rekey is settled before anybody works with the vault, by one process alone.
      presence();
      const alone = await beAlone(directory, system, false);
      try {
        await settleRekey(adapters, directory, file, source);
      } finally {
        alone();
      }
      presence = await bePresent(directory, system);
      record = await source.load();
    }
    const parts = await openParts(adapters, directory, file, record, source);
    const vault = asOpenVault(parts, source, presence);
    try {
      await settleRestore(adapters, vault, { recovered: options.recovered ?? false });
      await mendRecoveryFile(parts, parts.keys);
    } catch (error) {
      await vault.close();
      throw error;
    }
    return vault;
  } catch (error) {
    presence();
    await source.close();
    throw error;
  }
}

/** Finishes a rekey whose database has changed hands already, and undoes one whose has not. */
async function settleRekey(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  file: VaultFileContent,
  source: KeySource,
): Promise<void> {
  const record = await source.load();
  if (!isPending(record)) return;
  const parts = await openParts(adapters, directory, file, record, source);
  try {
    if (parts.keys.databaseKey === record.next.databaseKey)
      await finishRekey(parts, source, record, { actor: null, newRecovery: null });
    else await undoRekey(parts, source, record);
  } finally {
    parts.store.close();
  }
}

function asOpenVault(parts: VaultParts, source: KeySource, present: Release): OpenVault {
  const { adapters, directory, file, live, store, secrets } = parts;
  const { system }: { readonly system: System } = adapters;
  let presence: Release | null = present;
  let unlock: Release | null = null;
  let rekeying = false;
  const open = <T>(value: T | undefined): T => {
    if (value !== undefined && live.identities.length > 0) return value;
    throw new SallyportError('locked', 'The vault was locked.', { hint: 'Unlock it to go on.' });
  };
  return {
    id: file.id,
    path: directory.path,
    keysKind: source.kind,
    store,
    secrets: ownedSecrets(secrets, store),
    artifacts: parts.artifacts,
    ledger: parts.ledger,
    get recipient() {
      return live.recipient;
    },
    get recoveryRecipient() {
      return live.recoveryRecipient;
    },
    checkpointVerifier: parts.checkpointVerifier,
    identity: () => open(live.identities[0]),
    databaseKey: () => Buffer.from(open(live.databaseKey), 'hex'),
    proveDatabase: async (job) => {
      await adapters.backups.checkDatabase(directory.path, Buffer.from(open(live.databaseKey), 'hex'), job);
    },
    sweepBackups: () => adapters.backups.sweep(directory.path),
    sweepFiles: () => directory.sweepTemporary(),
    acquireEffectsLock: () => {
      unlock ??= directory.tryLock();
      return unlock !== null;
    },
    releaseEffectsLock: () => {
      // A rekey stands on it.
      if (rekeying) return;
      unlock?.();
      unlock = null;
    },
    isRecoveryKey: async (recoveryKey) =>
      (await adapters.keys.recipientOf(normalizeRecoveryKey(recoveryKey))) === live.recoveryRecipient,
    rekey: async (actor, input, job) => {
      open(live.databaseKey);
      // A disk that takes nothing is known before the vault is taken from anybody.
      await parts.ledger.retry();
      const unwritable = parts.ledger.unwritable();
      if (unwritable !== null) throw unwritable;
      if (rekeying)
        throw new SallyportError('conflict', 'The vault is getting new keys already.', {
          hint: 'Wait until that is done.',
        });
      rekeying = true;
      presence?.();
      presence = null;
      try {
        const alone = await beAlone(directory, system, unlock !== null);
        try {
          return await rekeyParts(parts, source.kind, source.keychain, actor, input, job);
        } finally {
          alone();
        }
      } finally {
        rekeying = false;
        // Free again for sure: whoever takes the vault alone takes the effects first, and lets go when that fails.
        presence = await bePresent(directory, system);
      }
    },
    close: async () => {
      if (live.identities.length === 0) return;
      live.identities = [];
      live.databaseKey = '';
      unlock?.();
      unlock = null;
      store.close();
      presence?.();
      presence = null;
      await secrets.close();
    },
  };
}

/** The same, but a database without its `vault.json` is a damaged vault, never a place for a new one. */
async function vaultFileOf(directory: VaultDirectory): Promise<VaultFileContent | null> {
  const file = await readVaultFile(directory);
  if (file !== null || !(await directory.hasDatabase())) return file;
  throw new SallyportError('integrity.vault', 'This folder has a database, but its vault.json is missing.', {
    hint: 'Nothing was changed. Put the file back from a backup of this vault.',
    facts: { path: directory.path },
  });
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
