import { z } from 'zod';
import { toHex, utf8 } from '../../../shared/domain/audit/bytes.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { System } from '../../ports/system.ts';
import type { KeyTools, VaultDirectory, VaultFile } from '../../ports/vault.ts';
import { HEAD_SECRET } from '../ledger-impl.ts';
import { KEYS_SECRET } from './vault-keys.ts';

const recoveredSchema = z.strictObject({ vaultId: z.string(), name: z.string(), value: z.string() });

export interface RecoverableDeps {
  readonly vaultId: string;
  readonly directory: VaultDirectory;
  readonly recoveryRecipient: string;
  readonly keys: KeyTools;
  readonly system: System;
}

/** The vault's keys have `recovery.age`; a head that comes back from a copy would be no witness. */
const isCopied = (name: string): boolean => name !== KEYS_SECRET && name !== HEAD_SECRET;

function fileOf(name: string, system: System): VaultFile {
  return `recovery/${toHex(system.sha256(utf8(name)))}.age`;
}

/**
 * A secret store whose secrets outlive a lost keychain: each one is also written to `recovery/`, encrypted to the
 * recovery key alone. The copy comes first, so what was acknowledged can be recovered. Operators' keys in there stay
 * under their own passphrases.
 */
export function recoverableSecrets(inner: SecretStore, deps: RecoverableDeps): SecretStore {
  const { directory, keys, system } = deps;
  return {
    kind: inner.kind,
    get: (name) => inner.get(name),
    set: async (name, value) => {
      if (isCopied(name)) {
        const content = utf8(JSON.stringify({ vaultId: deps.vaultId, name, value }));
        await directory.write(fileOf(name, system), await keys.encrypt([deps.recoveryRecipient], content));
        system.reached('secret.copied');
      }
      await inner.set(name, value);
      if (isCopied(name)) system.reached('secret.kept');
    },
    delete: async (name) => {
      await inner.delete(name);
      system.reached('secret.deleted');
      if (isCopied(name)) await directory.remove(fileOf(name, system));
    },
    close: () => inner.close(),
  };
}

/** Reads all copies back with the recovery key. */
export async function readRecoverable(
  directory: VaultDirectory,
  recoveryKey: string,
  vaultId: string,
  keys: KeyTools,
): Promise<{ name: string; value: string }[]> {
  const found: { name: string; value: string }[] = [];
  for (const file of await directory.recoveryFiles()) {
    const bytes = await directory.read(file);
    if (!bytes) continue;
    let content: z.infer<typeof recoveredSchema> | null = null;
    try {
      content = recoveredSchema.parse(
        JSON.parse(new TextDecoder().decode(await keys.decrypt(recoveryKey, bytes))),
      );
    } catch {
      // No cause: it could quote a secret.
      content = null;
    }
    if (!content || content.vaultId !== vaultId) {
      throw new SallyportError(
        'integrity.vault',
        `The file ${file} was changed, or belongs to another vault.`,
        {
          hint: 'Nothing was recovered yet. Put back the file from a backup, or move it away to go on without that one credential.',
          facts: { file },
        },
      );
    }
    found.push({ name: content.name, value: content.value });
  }
  return found;
}
