/** The vault: created, opened, recovered, locked. */
export { type BackupResult, backupVault } from './backup-vault.ts';
export { type CreateVaultInput, createVault } from './create-vault.ts';
export type { KeysChoice } from './keys-choice.ts';
export { type KeysKind, openVault, vaultAt } from './open-vault.ts';
export type { OpenVault } from './opened-vault.ts';
export { recoverVault } from './recover-vault.ts';
export type { RekeyInput, RekeyOutcome } from './rekey.ts';
export { type RestoreInput, restoreVault } from './restore-vault.ts';
export { createVaultService, type VaultService } from './service.ts';
export { readVaultSettings, VAULT_SETTINGS } from './settings.ts';
export { type Swept, sweepVault } from './sweep.ts';
