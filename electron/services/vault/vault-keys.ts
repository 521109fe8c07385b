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

export function encodeKeys(keys: VaultKeys): string {
  return JSON.stringify(keys);
}

/** Reads keys back; no cause in the error, it could quote them. `vaultId` guards against another vault's keys. */
export function decodeKeys(text: string, vaultId: string, where: string): VaultKeys {
  let parsed: VaultKeys | null = null;
  try {
    parsed = vaultKeysSchema.parse(JSON.parse(text));
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
