import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';

/** `vault.json`: enough to find the keys, nothing to trust. What counts is repeated inside the database. */
export const vaultFileSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  format: z.literal(1),
});
export type VaultFileContent = z.infer<typeof vaultFileSchema>;

/** The two private keys of a vault: kept in the keychain or under a passphrase, and always in `recovery.age`. */
export const vaultKeysSchema = z.strictObject({
  format: z.literal(1),
  vaultId: z.string(),
  /** Raw SQLCipher key, 32 bytes in hex. */
  databaseKey: z.string().regex(/^[0-9a-f]{64}$/),
  /** age X25519 identity of the artifacts and of `secrets.age`. */
  identity: z.string(),
});
export type VaultKeys = z.infer<typeof vaultKeysSchema>;

const keyPairSchema = vaultKeysSchema.pick({ databaseKey: true, identity: true });

/**
 * What stands in the keys' place while a rekey is under way: both sets, because a stop may come before or after the
 * database changed hands. Whoever finds it finishes the rekey or undoes it before anything else.
 */
export const pendingKeysSchema = z.strictObject({
  format: z.literal(2),
  vaultId: z.string(),
  current: keyPairSchema,
  next: keyPairSchema,
  /** Whether every artifact is to be encrypted again. */
  full: z.boolean(),
  /** The operator who began it. */
  by: z.string(),
  /**
   * Where a new recovery key was asked for: its private half, and the public half of the one before, which stays valid
   * as long as this record exists: nobody has seen the new one yet.
   */
  recovery: z.strictObject({ identity: z.string(), before: z.string() }).nullable(),
});
export type PendingKeys = z.infer<typeof pendingKeysSchema>;

/** What keychain, `passphrase.age` and `recovery.age` hold. */
export type KeyRecord = VaultKeys | PendingKeys;

export function isPending(record: KeyRecord): record is PendingKeys {
  return record.format === 2;
}

/** The keys a finished rekey leaves, or those an undone one goes back to. */
export function keysOf(record: PendingKeys, which: 'current' | 'next'): VaultKeys {
  return { format: 1, vaultId: record.vaultId, ...record[which] };
}

/** Name of the keys among the secrets. */
export const KEYS_SECRET = 'vault-keys';
/** Name of the audit log's checkpoint key among the secrets. */
export const CHECKPOINT_SECRET = 'checkpoint-key';

/** Vault facts in the database, so that a swapped file beside it is noticed. */
export const SETTINGS = {
  id: 'vault.id',
  recipient: 'vault.recipient',
  recoveryRecipient: 'vault.recovery-recipient',
  checkpointKey: 'vault.checkpoint-key',
} as const;

/** Settings that say when: of the last complete backup `{at, head}` as JSON, of the last complete rekey the time. */
export const LAST_BACKUP = 'vault.last-backup';
export const LAST_REKEY = 'vault.last-rekey';

export function encodeKeys(keys: KeyRecord): string {
  return JSON.stringify(keys);
}

/** Reads keys back; no cause in the error, it could quote them. `vaultId` guards against another vault's keys. */
export function decodeKeys(text: string, vaultId: string, where: string): KeyRecord {
  let parsed: KeyRecord | null = null;
  try {
    parsed = z.discriminatedUnion('format', [vaultKeysSchema, pendingKeysSchema]).parse(JSON.parse(text));
  } catch {
    parsed = null;
  }
  if (!parsed || parsed.vaultId !== vaultId) {
    throw new SallyportError('integrity.vault', `The keys in ${where} are not those of this vault.`, {
      hint: 'Nothing was changed. Put back the file that belongs to this vault, or restore the vault from a backup.',
    });
  }
  return parsed;
}
