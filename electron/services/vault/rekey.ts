/** New keys for a vault, resumable at every step. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { JobContext } from '../../ports/system.ts';
import { operatorKeySecret } from '../operators/make-operator.ts';
import { type KeySource, type KeysKind, keychainSource, passphraseSource } from './key-source.ts';
import { checkVaultPassphrase } from './keys-choice.ts';
import { moveArtifacts } from './move-artifacts.ts';
import { writeRecoveryFile } from './recovery-file.ts';
import {
  CHECKPOINT_SECRET,
  type KeyRecord,
  keysOf,
  LAST_REKEY,
  type PendingKeys,
  SETTINGS,
} from './vault-keys.ts';
import type { VaultParts } from './vault-parts.ts';

/** Readers of the database are waited for this often and this long, in milliseconds. */
const EXCHANGE_TRIES = 200;
const EXCHANGE_TRY_MS = 50;

export interface RekeyInput {
  /** Encrypts every artifact again under a fresh file key; without it only their headers are written anew. */
  readonly full: boolean;
  /** Makes a new recovery key as well; the one before opens nothing that is written from then on. */
  readonly newRecoveryKey: boolean;
  /** Of a passphrase vault: the one to go on with, the same or another. It is valid from the first step on. */
  readonly passphrase: string | null;
}

export interface RekeyOutcome {
  /** Stored files that have the new keys, and how many bytes they are on disk. */
  readonly artifacts: number;
  readonly bytes: number;
  readonly full: boolean;
  /** Stored files that were damaged before and were left as they are. */
  readonly damaged: number;
  /** The new recovery key, answered this once; null where none was asked for. */
  readonly recoveryKey: string | null;
}

/**
 * Gives the vault a new database key and a new key pair. The caller has the vault for itself. The order is what makes
 * it safe to stop anywhere:
 *
 * 1. Both sets of keys go to `recovery.age` and to the keychain (or `passphrase.age`): whatever follows can be opened.
 * 2. A worker copies the database under its next key; the copy takes the database's place in one rename. Before that
 *    rename an interrupted rekey is undone by the next opening, after it it is finished.
 * 3. The log tells; secrets, stored files and recovery copies are written for the new keys.
 * 4. The new keys alone go to `recovery.age` and, last, to the keychain. Only this last write makes a new recovery key
 *    the valid one: until then the one before works, and an interrupted rekey stays with it.
 *
 * Errors: those of the keychain and the disk, `cancelled` (before the rename only); the vault then keeps its keys.
 */
export async function rekeyParts(
  parts: VaultParts,
  kind: KeysKind,
  keychain: SecretStore | null,
  actor: Actor,
  input: RekeyInput,
  job?: JobContext,
): Promise<RekeyOutcome> {
  const { adapters, directory, live, store, file } = parts;
  const { system, keys: tools } = adapters;
  const source = await sourceToGoOnWith(parts, kind, keychain, input.passphrase);
  // One that failed half-way in this session: its keys are all in memory, and it comes to its end first.
  if (live.pending !== null)
    await finishRekey(parts, source, live.pending, { actor, newRecovery: null, job });
  const next = await tools.generateIdentity();
  const recovery = input.newRecoveryKey ? await tools.generateIdentity() : null;
  const pending: PendingKeys = {
    format: 2,
    vaultId: file.id,
    current: { databaseKey: live.databaseKey, identity: live.identities[0] ?? '' },
    next: {
      databaseKey: Buffer.from(system.randomBytes(32)).toString('hex'),
      identity: next.identity,
    },
    full: input.full,
    by: actor.name,
    recovery: recovery && { identity: recovery.identity, before: live.recoveryRecipient },
  };
  job?.progress('keys', 0, 0);
  const worker = adapters.rekeyWorker(directory.path);
  try {
    try {
      await writeRecord(parts, pending);
      system.reached('rekey.recovery-written');
      await source.save(pending);
      system.reached('rekey.keys-written');
      await exchangeDatabase(parts, pending, next.recipient, worker, job);
    } catch (error) {
      // Not exchanged: back to how it was. Where even that fails, the next opening does it.
      if (live.databaseKey === pending.current.databaseKey)
        await undoRekey(parts, source, pending).catch(() => undefined);
      throw error;
    }
  } finally {
    worker.close();
  }
  system.reached('rekey.exchanged');
  const outcome = await finishRekey(parts, source, pending, {
    actor,
    newRecovery: recovery?.recipient ?? null,
    job,
  });
  return { ...outcome, recoveryKey: recovery?.identity ?? null };

  async function exchangeDatabase(
    { directory: folder }: VaultParts,
    record: PendingKeys,
    recipient: string,
    copier: typeof worker,
    context: JobContext | undefined,
  ): Promise<void> {
    // What is committed after the copy would be lost with the old file: commits wait until it is exchanged.
    const release = store.hold();
    try {
      context?.progress('database', 0, 0);
      await copier.copyDatabase(
        {
          source: folder.pathOf('registry.db'),
          target: folder.pathOf('next-registry.db'),
          key: record.current.databaseKey,
          nextKey: record.next.databaseKey,
        },
        context?.signal,
      );
      system.reached('rekey.copied');
      if (context?.signal.aborted)
        throw new SallyportError('cancelled', 'Cancelled.', { hint: 'The vault keeps its keys.' });
      await exchangeWhenFree(parts, folder.pathOf('next-registry.db'), record.next.databaseKey);
      live.pending = record;
      live.databaseKey = record.next.databaseKey;
      live.identities = [record.next.identity, record.current.identity];
      live.recipient = recipient;
    } finally {
      release();
    }
  }
}

/** A log that is being read at this moment has the database open; it is waited for. */
async function exchangeWhenFree({ store, adapters }: VaultParts, path: string, key: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return store.replaceBy(path, Buffer.from(key, 'hex'));
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== 'conflict' || tries === EXCHANGE_TRIES)
        throw error;
      await adapters.system.sleep(EXCHANGE_TRY_MS);
    }
  }
}

/** Back to the keys before: the database has not changed hands, and no stored file has been touched. */
export async function undoRekey(parts: VaultParts, source: KeySource, record: PendingKeys): Promise<void> {
  const { live, directory, adapters } = parts;
  await directory.remove('next-registry.db');
  const keys = keysOf(record, 'current');
  await writeRecord(parts, keys);
  await source.save(keys);
  live.identities = [record.current.identity];
  adapters.system.reached('rekey.undone');
}

export interface FinishOptions {
  /** Who began it and is there to see its end; null for one that was interrupted. */
  readonly actor: Actor | null;
  /** Public half of a new recovery key whose private half is about to be shown; null stays with the one before. */
  readonly newRecovery: string | null;
  readonly job?: JobContext | undefined;
}

/** From the exchanged database to the end; also of a rekey that was interrupted there. Done again it changes nothing twice. */
export async function finishRekey(
  parts: VaultParts,
  source: KeySource,
  record: PendingKeys,
  { actor, newRecovery, job }: FinishOptions,
): Promise<RekeyOutcome> {
  const { live, store, secrets, ledger, directory, adapters } = parts;
  const { system } = adapters;
  const before = record.recovery?.before ?? store.read.setting(SETTINGS.recoveryRecipient) ?? '';
  const facts = { by: record.by, full: record.full, checkpointKey: parts.checkpointVerifier };
  if (store.read.setting(SETTINGS.recipient) !== live.recipient) {
    const details = { step: 'keys', ...facts, recipient: live.recipient, recoveryRecipient: before };
    await ledger.commit(actor, { action: 'vault.rekeyed', subject: record.vaultId, details }, (tx) =>
      tx.setSetting(SETTINGS.recipient, live.recipient),
    );
  }
  system.reached('rekey.told');

  // A file under the vault's key is written whole with any change.
  if (secrets.kind === 'file') {
    const checkpointKey = await secrets.get(CHECKPOINT_SECRET);
    if (checkpointKey !== null) await secrets.set(CHECKPOINT_SECRET, checkpointKey);
    system.reached('rekey.secrets');
  }
  live.recoveryRecipient = newRecovery ?? before;
  live.copyRecipients = [...new Set([live.recipient, before, live.recoveryRecipient])];
  const moved = await moveArtifacts(parts, record.full, job);
  system.reached('rekey.moved');

  const details = {
    step: 'artifacts',
    ...facts,
    recipient: live.recipient,
    recoveryRecipient: live.recoveryRecipient,
    artifacts: moved.artifacts,
    bytes: moved.bytes,
    damaged: moved.damaged,
    resumed: actor === null,
  };
  await ledger.commit(actor, { action: 'vault.rekeyed', subject: record.vaultId, details }, (tx) => {
    tx.setSetting(SETTINGS.recoveryRecipient, live.recoveryRecipient);
    tx.setSetting(LAST_REKEY, system.now().toISOString());
  });
  system.reached('rekey.done');

  job?.progress('recovery', 0, 0);
  live.copyRecipients = [live.recipient, live.recoveryRecipient];
  await recopy(parts, record);
  system.reached('rekey.copies');
  const keys = keysOf(record, 'next');
  await writeRecoveryFile(directory, adapters.keys, [live.recoveryRecipient], keys);
  system.reached('rekey.recovery-done');
  await source.save(keys);
  // Nothing is a step after this one: who is stopped here has a vault with new keys.
  live.identities = [record.next.identity];
  live.pending = null;
  return { ...moved, full: record.full, recoveryKey: null };

  async function recopy(of: VaultParts, pendingKeys: PendingKeys): Promise<void> {
    const mine = [
      pendingKeys.next.identity,
      pendingKeys.current.identity,
      pendingKeys.recovery?.identity ?? [],
    ];
    await of.secrets.recopy(mine.flat(), secretNames(of.store.read));
    await directory.remove('next-registry.db');
  }
}

/** All names among the vault's secrets, but the keys and the log's head. */
function secretNames(read: StoreReader): string[] {
  return [
    CHECKPOINT_SECRET,
    ...read.operators().map(({ id }) => operatorKeySecret(id)),
    ...read.endpoints().map(({ id }) => `endpoint-token/${id}`),
  ];
}

/** `recovery.age` for whoever may need it now: while a new recovery key is on its way, the one before opens it too. */
async function writeRecord(parts: VaultParts, record: KeyRecord): Promise<void> {
  const { live, adapters } = parts;
  const recipients = [live.recoveryRecipient];
  if (record.format === 2 && record.recovery !== null)
    recipients.push(await adapters.keys.recipientOf(record.recovery.identity));
  await writeRecoveryFile(parts.directory, adapters.keys, recipients, record);
}

/** Where the keys go: the keychain they came from, or a file under the passphrase to go on with. */
async function sourceToGoOnWith(
  { adapters, directory, file }: VaultParts,
  kind: KeysKind,
  keychain: SecretStore | null,
  passphrase: string | null,
): Promise<KeySource> {
  if (kind === 'keychain') return keychainSource(adapters, file.id, keychain);
  const source = passphraseSource(adapters, directory, file.id, passphrase);
  try {
    await source.load();
  } catch (error) {
    // Another passphrase than before is a new one; it is as long as one at creation.
    if (!(error instanceof SallyportError) || error.code !== 'auth.failed' || passphrase === null)
      throw error;
    checkVaultPassphrase({ kind: 'passphrase', passphrase });
  }
  return source;
}
