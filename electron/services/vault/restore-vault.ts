/** Restoring a vault from a backup: all of it, proved, or nothing. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import { type BackupFacts, backupNoteText } from '../../../shared/domain/vault/backup.ts';
import type { UnpackedBackup } from '../../ports/backup.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { Store } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { createLedger } from '../ledger-impl.ts';
import { recipientsOf } from './backup-vault.ts';
import { keySourceOf } from './key-source.ts';
import type { KeysChoice } from './keys-choice.ts';
import type { NamedArtifact } from './named-artifacts.ts';
import { openVault, readVaultFile } from './open-vault.ts';
import type { OpenVault } from './opened-vault.ts';
import { recoverVault, unwrap } from './recover-vault.ts';
import { markRestored } from './restored-marker.ts';
import { CHECKPOINT_SECRET, isPending, type KeyRecord, keysOf, SETTINGS } from './vault-keys.ts';

export interface RestoreInput {
  /** The backup. */
  readonly file: string;
  /** Of a vault whose keys are under a passphrase. */
  readonly passphrase: string | null;
  /** Where neither keychain nor passphrase opens it: the recovery key, and where its keys go. */
  readonly recovery: { readonly recoveryKey: string; readonly keys: KeysChoice } | null;
}

/**
 * Restores a backup into `path`, which must be empty or absent. Answers the open vault, or null where its keys were
 * not at hand: it is in place then, and opens by `recover` or its passphrase.
 *
 * Built and proved beside `path` and renamed into place: until then nothing is changed, in the keychain neither.
 * Errors: `conflict` (something is at `path`, or the same vault is open elsewhere), `integrity.*` (incomplete, changed,
 * not signed by this vault), `vault.newer`, `keychain.*`, `auth.failed`, `disk.full`, `cancelled`.
 */
export async function restoreVault(
  adapters: VaultAdapters,
  path: string,
  input: RestoreInput,
  job: JobContext,
): Promise<OpenVault | null> {
  const { system } = adapters;
  let unlocked = false;
  await adapters.directories.create(path, async (staging) => {
    const backup = await adapters.backups.unpack(input.file, staging.path, job);
    system.reached('restore.unpacked');
    const { facts } = backup;
    if (facts.schema > adapters.backups.newestSchema) throw newer(facts);
    const file = await readVaultFile(staging);
    if (file?.id !== facts.vaultId) throw unfit('its vault.json is of another vault than its list');
    await refuseOpenTwin(adapters, path, facts.vaultId);
    const found = await keysAtHand(adapters, staging, facts.vaultId, input);
    try {
      if (found !== null) {
        const store = await openProved(adapters, staging, backup, found.record, job);
        try {
          if (found.continues) await continueLog(adapters, staging, store, facts, found);
        } finally {
          store.close();
        }
      }
    } finally {
      await found?.keychain?.close();
    }
    // Its log cannot be continued without the vault's credentials: whoever opens it first does that.
    unlocked = found?.continues === true;
    if (!unlocked) await markRestored(staging, backup);
    job.signal.throwIfAborted();
    system.reached('restore.written');
  });
  system.reached('restore.named');
  if (input.recovery !== null) return recoverVault(adapters, path, input.recovery);
  if (!unlocked) return null;
  const vault = await openVault(adapters, path, { passphrase: input.passphrase });
  try {
    // The log explains now why the witness has to move.
    await vault.ledger.advance();
    system.reached('restore.witnessed');
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}

interface FoundKeys {
  readonly record: KeyRecord;
  /** Open; closed by who asked. */
  readonly keychain: SecretStore | null;
  /** Whether the vault's credentials are at hand too, and not its keys alone. */
  readonly continues: boolean;
}

/** The keys, where they can be had without changing anything; null where they are simply not here. */
async function keysAtHand(
  adapters: VaultAdapters,
  staging: VaultDirectory,
  vaultId: string,
  input: RestoreInput,
): Promise<FoundKeys | null> {
  if (input.recovery !== null) {
    const wrapped = await staging.read('recovery.age');
    if (wrapped === null) throw unfit('it lacks recovery.age');
    const record = await unwrap(adapters, input.recovery.recoveryKey.trim(), wrapped, vaultId);
    return { record, keychain: null, continues: false };
  }
  const source = await keySourceOf(adapters, staging, vaultId, input.passphrase);
  try {
    return { record: await source.load(), keychain: source.keychain, continues: true };
  } catch (error) {
    await source.close();
    if (!(error instanceof SallyportError)) throw error;
    // Asked for later. A keychain that is locked or was cancelled is no lost one: it may hold the log's head, which
    // a restore must not pass by.
    if (error.code === 'locked' || error.code === 'keychain.missing') return null;
    throw error;
  }
}

/** Opens the database and proves all the keys can prove: signature, every page, every stored file that rows name. */
async function openProved(
  adapters: VaultAdapters,
  staging: VaultDirectory,
  backup: UnpackedBackup,
  record: KeyRecord,
  job: JobContext,
): Promise<Store> {
  const { facts } = backup;
  job.progress('checking the database', 0, 0);
  const candidates = candidatesOf(record);
  const { key, named } = await fittingKey(adapters, staging, candidates, facts, job);
  const store = staging.openStore(key);
  try {
    if (store.read.setting(SETTINGS.id) !== facts.vaultId)
      throw unfit('its database is of another vault than its list');
    checkSignature(adapters, store, backup);
    const head = store.read.audit.head();
    if (head?.seq !== facts.head.seq || head.hash !== facts.head.hash)
      throw unfit('its audit log does not end where its list says');
    const identities = candidates.map(({ identity }) => identity);
    await proveArtifacts(adapters, staging, recipientsOf(store.read), named, facts, identities, job);
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** One set of keys, or the two of a rekey that was under way. */
function candidatesOf(
  record: KeyRecord,
): readonly { readonly databaseKey: string; readonly identity: string }[] {
  return isPending(record) ? [keysOf(record, 'current'), keysOf(record, 'next')] : [record];
}

/** The key that opens the database, whose every page was proved with it. */
async function fittingKey(
  adapters: VaultAdapters,
  staging: VaultDirectory,
  candidates: readonly { readonly databaseKey: string }[],
  facts: BackupFacts,
  job: JobContext,
): Promise<{ readonly key: Uint8Array; readonly named: readonly NamedArtifact[] }> {
  let refused: unknown = null;
  for (const { databaseKey } of candidates) {
    const key = Buffer.from(databaseKey, 'hex');
    try {
      const { schema, named } = await adapters.backups.checkDatabase(staging.path, key, job);
      if (schema > adapters.backups.newestSchema) throw newer({ schema });
      if (schema !== facts.schema) throw unfit('its database is not the one of its list');
      return { key, named };
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'integrity.vault') throw error;
      refused = error;
    }
  }
  throw notTheKeys(refused);
}

/** Writes into the restored log what was restored and which head is given up. The witness itself stays for now. */
async function continueLog(
  adapters: VaultAdapters,
  staging: VaultDirectory,
  store: Store,
  facts: BackupFacts,
  { record, keychain }: FoundKeys,
): Promise<void> {
  const secrets =
    keychain ??
    adapters.fileSecrets(
      staging.path,
      () => store.read.setting(SETTINGS.recipient) ?? '',
      () => candidatesOf(record).map(({ identity }) => identity),
    );
  const checkpointKey = await secrets.get(CHECKPOINT_SECRET);
  if (checkpointKey === null)
    throw new SallyportError('keychain.missing', "The vault's checkpoint key is not among its secrets.", {
      hint: 'Nothing was restored. Give the recovery key, which brings it back: --recovery-key-file FILE.',
    });
  const { system, checkpoints } = adapters;
  const ledger = createLedger({ vaultId: facts.vaultId, store, system, secrets, checkpoints, checkpointKey });
  await ledger.restored({ createdAt: facts.createdAt });
}

/** The key is the database's own: what comes with a backup cannot say by which key it wants to be judged. */
function checkSignature(adapters: VaultAdapters, store: Store, backup: UnpackedBackup): void {
  const key = store.read.setting(SETTINGS.checkpointKey);
  if (key === null) throw unfit('its database lacks the key of its signature');
  const text = adapters.checkpoints.openText(backup.note, key);
  if (text !== backupNoteText(backup.facts, backup.manifestDigest))
    throw new SallyportError('integrity.signature', 'The backup is signed, but not for this list of files.', {
      hint: 'Nothing was restored. Use another backup.',
    });
}

async function proveArtifacts(
  adapters: VaultAdapters,
  staging: VaultDirectory,
  recipients: readonly string[],
  named: readonly NamedArtifact[],
  facts: BackupFacts,
  identities: readonly string[],
  job: JobContext,
): Promise<void> {
  const artifacts = adapters.artifacts(
    staging.path,
    () => recipients,
    () => identities,
  );
  const known = new Set(facts.damaged.map(({ artifactId }) => artifactId));
  for (const [index, { artifactId, digest }] of named.entries()) {
    job.signal.throwIfAborted();
    job.progress('verifying', index, named.length);
    // Damaged before the backup was made, as its signed list says: what there is comes back.
    if (known.has(artifactId)) continue;
    await artifacts.verify(artifactId, digest, { signal: job.signal, progress: () => {} });
  }
}

/**
 * Two copies of one vault share its keychain entries: one that is open would find its log contradicted. Looked for
 * beside the new place; `open.db` tells whether a process has it open.
 */
async function refuseOpenTwin(adapters: VaultAdapters, path: string, vaultId: string): Promise<void> {
  for (const sibling of await adapters.directories.beside(path)) {
    const file = await readVaultFile(sibling).catch(() => null);
    if (file?.id !== vaultId) continue;
    let release: (() => void) | null;
    try {
      release = sibling.tryAlone();
    } catch {
      // A folder that cannot be written is nobody's open vault.
      continue;
    }
    if (release === null) {
      throw new SallyportError('conflict', 'This vault is open in another program, in the folder beside.', {
        hint: 'Nothing was restored. Close it first: both would use the same keys and the same head of the log.',
        facts: { path: sibling.path },
      });
    }
    release();
  }
}

/** Keys that do not fit a whole backup are those of another time: the vault was given new ones since. */
function notTheKeys(error: unknown): unknown {
  if (!(error instanceof SallyportError) || error.code !== 'integrity.vault') return error;
  return new SallyportError('keychain.changed', 'The keys at hand do not open the database of this backup.', {
    hint: 'Nothing was restored. If the vault got new keys since, give the recovery key of that time: --recovery-key-file FILE.',
    cause: error,
  });
}

function newer(facts: Pick<BackupFacts, 'schema'>): SallyportError {
  return new SallyportError('vault.newer', 'This backup is of a vault of a newer version of Sallyport.', {
    hint: 'Nothing was restored. Restore it with that version, or update this one.',
    facts: { schema: facts.schema },
  });
}

function unfit(what: string): SallyportError {
  return new SallyportError('integrity.vault', `The backup does not fit together: ${what}.`, {
    hint: 'Nothing was restored. Use another backup.',
  });
}
