/** Rules of one vault that an administrator sets; each change is an audit entry with before and after. */
import { z } from 'zod';

export const vaultSettingsSchema = z.strictObject({
  /** Minutes without a key or pointer event until the operator is signed out; 0 = never. */
  autoLockMinutes: z.number().int().min(0).max(1440),
  /** Aliases that only `model.alias-protected` may move. */
  protectedAliases: z.array(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)).max(50),
  /** Newest versions of each model that are kept whatever their state; null keeps all. */
  keepLast: z.number().int().min(1).max(10_000).nullable(),
});
export type VaultSettings = z.infer<typeof vaultSettingsSchema>;

export const DEFAULT_VAULT_SETTINGS: VaultSettings = {
  autoLockMinutes: 15,
  protectedAliases: ['champion'],
  keepLast: null,
};
