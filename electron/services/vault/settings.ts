import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  DEFAULT_VAULT_SETTINGS,
  type VaultSettings,
  vaultSettingsSchema,
} from '../../../shared/domain/vault/settings.ts';
import type { SettingsReader } from '../../ports/stores.ts';

/** Key among the store's settings that the vault's rules are kept under, as JSON. */
export const VAULT_SETTINGS = 'vault.settings';

/** The rules of this vault; those of a new one where none were set. Errors: `integrity.vault` (edited by hand). */
export function readVaultSettings(read: SettingsReader): VaultSettings {
  const text = read.setting(VAULT_SETTINGS);
  if (text === null) return DEFAULT_VAULT_SETTINGS;
  try {
    return vaultSettingsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SallyportError('integrity.vault', 'The stored rules of this vault cannot be read.', {
      hint: 'They were left as they are. Run `sallyport audit verify`, and restore the vault from a backup if it was edited.',
      facts: { setting: VAULT_SETTINGS },
      cause,
    });
  }
}
