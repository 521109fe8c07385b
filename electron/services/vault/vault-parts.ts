import { SallyportError } from '../../../shared/domain/errors.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { Store } from '../../ports/stores.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { createLedger, type VaultLedger } from '../ledger-impl.ts';
import { type KeySource, keychainChanged } from './key-source.ts';
import { type RecoverableSecrets, recoverableSecrets } from './recoverable-secrets.ts';
import {
  CHECKPOINT_SECRET,
  isPending,
  type KeyRecord,
  keysOf,
  type PendingKeys,
  SETTINGS,
  type VaultFileContent,
  type VaultKeys,
} from './vault-keys.ts';

/** The keys an open vault works with. One object that all parts look into, so that a rekey reaches them all at once. */
export interface LiveKeys {
  databaseKey: string;
  /** Newest first; the one before as well while a rekey is under way; empty once the vault is closed. */
  identities: readonly string[];
  recipient: string;
  /** Who else can open what is stored from now on. */
  recoveryRecipient: string;
  /** Who can open the copies in `recovery/`: more than one recovery key while nobody has seen the new one yet. */
  copyRecipients: readonly string[];
  /** A rekey whose database has changed hands and whose end has not come. */
  pending: PendingKeys | null;
}

/** An open vault from the inside. */
export interface VaultParts {
  readonly adapters: VaultAdapters;
  readonly directory: VaultDirectory;
  readonly file: VaultFileContent;
  readonly live: LiveKeys;
  readonly store: Store;
  readonly secrets: RecoverableSecrets;
  readonly artifacts: ArtifactStore;
  readonly ledger: VaultLedger;
  /** Public half of the audit log's checkpoint key. */
  readonly checkpointVerifier: string;
}

/** Opens the database with the keys of a record, whichever of them fit, and puts the parts together. */
export async function openParts(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  file: VaultFileContent,
  record: KeyRecord,
  source: KeySource,
): Promise<VaultParts & { readonly keys: VaultKeys }> {
  const { store, keys } = openWith(directory, record, source);
  try {
    return { ...(await assemble(adapters, directory, file, record, keys, source, store)), keys };
  } catch (error) {
    store.close();
    throw error;
  }
}

function openWith(
  directory: VaultDirectory,
  record: KeyRecord,
  source: KeySource,
): { store: Store; keys: VaultKeys } {
  const candidates = isPending(record) ? [keysOf(record, 'next'), keysOf(record, 'current')] : [record];
  let failure: unknown = null;
  for (const keys of candidates) {
    try {
      return { store: directory.openStore(Buffer.from(keys.databaseKey, 'hex')), keys };
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'integrity.vault') throw error;
      failure = error;
    }
  }
  throw source.kind === 'keychain' ? keychainChanged(failure) : failure;
}

async function assemble(
  adapters: VaultAdapters,
  directory: VaultDirectory,
  file: VaultFileContent,
  record: KeyRecord,
  keys: VaultKeys,
  source: KeySource,
  store: Store,
): Promise<VaultParts> {
  const recipient = await adapters.keys.recipientOf(keys.identity);
  const recoveryRecipient = setting(store, SETTINGS.recoveryRecipient);
  if (setting(store, SETTINGS.id) !== file.id)
    throw swapped('vault.json names another vault than the database');
  // Between the exchange of the database and the entry that says so, the database still names the key before.
  const known = isPending(record)
    ? await Promise.all(
        [record.current, record.next].map(({ identity }) => adapters.keys.recipientOf(identity)),
      )
    : [recipient];
  if (!known.includes(setting(store, SETTINGS.recipient)))
    throw swapped('the database names another public key than the vault has');

  const other = isPending(record) ? [record.current.identity, record.next.identity] : [];
  const live: LiveKeys = {
    databaseKey: keys.databaseKey,
    identities: [...new Set([keys.identity, ...other])],
    recipient,
    recoveryRecipient,
    copyRecipients: [recipient, recoveryRecipient],
    pending: null,
  };
  const identities = (): readonly string[] => {
    if (live.identities.length > 0) return live.identities;
    throw new SallyportError('locked', 'The vault was locked.', { hint: 'Unlock it to go on.' });
  };
  const plain = source.keychain ?? adapters.fileSecrets(directory.path, () => live.recipient, identities);
  const secrets = recoverableSecrets(plain, {
    vaultId: file.id,
    directory,
    copyRecipients: () => live.copyRecipients,
    keys: adapters.keys,
    system: adapters.system,
  });
  const checkpointKey = await secrets.get(CHECKPOINT_SECRET);
  if (checkpointKey === null) {
    throw new SallyportError('keychain.missing', "The vault's checkpoint key is missing among its secrets.", {
      hint: 'The vault is unchanged. Run `sallyport recover` with the recovery key.',
    });
  }
  return {
    adapters,
    directory,
    file,
    live,
    store,
    secrets,
    artifacts: adapters.artifacts(directory.path, () => [live.recipient, live.recoveryRecipient], identities),
    ledger: createLedger({
      vaultId: file.id,
      store,
      system: adapters.system,
      secrets,
      checkpoints: adapters.checkpoints,
      checkpointKey,
    }),
    checkpointVerifier: setting(store, SETTINGS.checkpointKey),
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
