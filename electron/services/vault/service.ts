/** The open vault as a thing of its own: what it is, its rules, its keys. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { normalizeRecoveryKey, renderRecoveryKit } from '../../../shared/domain/vault/recovery-kit.ts';
import { type VaultSettings, vaultSettingsSchema } from '../../../shared/domain/vault/settings.ts';
import type { VaultView } from '../../../shared/domain/view/views.ts';
import type { JobContext } from '../../ports/system.ts';
import type { VaultAdapters } from '../../ports/vault.ts';
import type { WriteLines } from '../audit/deps.ts';
import { parseInput } from '../input.ts';
import { type BackupResult, backupVault } from './backup-vault.ts';
import type { OpenVault } from './opened-vault.ts';
import type { RekeyInput, RekeyOutcome } from './rekey.ts';
import { readVaultSettings, VAULT_SETTINGS } from './settings.ts';
import { LAST_BACKUP, LAST_REKEY } from './vault-keys.ts';

export interface VaultServiceDeps {
  readonly vault: OpenVault;
  readonly adapters: VaultAdapters;
  readonly writeLines: WriteLines;
}

export interface VaultService {
  /** Facts and rules. Open to whoever has the vault open: none of it is secret to them. */
  about(): VaultView;
  /** Errors: `refused.role`, `input.invalid`. */
  setSettings(actor: Actor, input: { readonly settings: VaultSettings }): Promise<VaultView>;
  /** Errors: `refused.role`, `conflict` (open in another process), and those of `rekeyParts`. */
  rekey(actor: Actor, input: RekeyInput, job?: JobContext): Promise<RekeyOutcome>;
  /** Writes a backup; see `backupVault`. */
  backup(actor: Actor, input: { readonly path: string }, job: JobContext): Promise<BackupResult>;
  /**
   * Writes the printable kit. Whoever has the recovery key may; that it is this vault's is checked. `actor` is null
   * right after creation, before anybody has signed in. Errors: `auth.failed` (another key), `conflict`, `not-found`.
   */
  saveRecoveryKit(
    actor: Actor | null,
    input: { readonly path: string; readonly recoveryKey: string },
  ): Promise<{ path: string }>;
}

export function createVaultService(deps: VaultServiceDeps): VaultService {
  const { vault, adapters } = deps;
  const { system } = adapters;
  const { ledger } = vault;

  function about(): VaultView {
    const { versions, artifactBytes } = ledger.read.counts();
    const lastBackup = ledger.read.setting(LAST_BACKUP);
    return {
      id: vault.id,
      path: vault.path,
      keys: vault.keysKind,
      recipient: vault.recipient,
      recoveryRecipient: vault.recoveryRecipient,
      createdAt: ledger.read.audit.entry(1)?.at ?? '',
      versions,
      artifactBytes,
      auditEntries: ledger.read.audit.head()?.seq ?? 0,
      lastBackup: lastBackup === null ? null : (JSON.parse(lastBackup) as { at: string; head: number }),
      lastRekey: ledger.read.setting(LAST_REKEY),
      settings: readVaultSettings(ledger.read),
    };
  }

  return {
    about,
    setSettings: async (actor, input) => {
      await ledger.require(actor, 'vault.settings', vault.id);
      const parsed = parseInput(vaultSettingsSchema, input.settings);
      const after = { ...parsed, protectedAliases: [...new Set(parsed.protectedAliases)].sort() };
      const before = readVaultSettings(ledger.read);
      if (JSON.stringify(before) === JSON.stringify(after)) return about();
      await ledger.commit(
        actor,
        { action: 'vault.settings-changed', subject: vault.id, details: { before, after } },
        (tx) => tx.setSetting(VAULT_SETTINGS, JSON.stringify(after)),
      );
      return about();
    },
    rekey: async (actor, input, job) => {
      await ledger.require(actor, 'vault.rekey', vault.id);
      return vault.rekey(actor, input, job);
    },
    backup: (actor, input, job) => backupVault(deps, actor, input, job),
    saveRecoveryKit: async (actor, { path, recoveryKey: typed }) => {
      const recoveryKey = normalizeRecoveryKey(typed);
      if (!(await vault.isRecoveryKey(recoveryKey)))
        throw new SallyportError('auth.failed', 'This is not the recovery key of this vault.', {
          hint: 'No file was written. It reads AGE-SECRET-KEY-1… and was shown when it was made.',
        });
      const now = system.now().toISOString();
      const kit = renderRecoveryKit({
        vaultId: vault.id,
        path: vault.path,
        recoveryKey,
        recoveryRecipient: vault.recoveryRecipient,
        vaultCreatedAt: about().createdAt,
        madeAt: now,
      });
      await deps.writeLines(path, kit.trimEnd().split('\n'));
      await ledger.commit(
        actor,
        { action: 'vault.kit-saved', subject: vault.id, details: { path } },
        () => undefined,
      );
      return { path };
    },
  };
}
