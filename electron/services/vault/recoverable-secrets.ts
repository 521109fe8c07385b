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
  /** Who can open the copies: the recovery key, and the vault itself, so that a rekey can write them again. */
  readonly copyRecipients: () => readonly string[];
  readonly keys: KeyTools;
  readonly system: System;
}

/** A secret store whose secrets outlive a lost keychain. */
export interface RecoverableSecrets extends SecretStore {
  /**
   * Writes every copy anew for those who can open them now. `identities` open copies that exist; one that they do not
   * open (the recovery key alone could) is made again from the secret itself, if its name is among `names`. Answers the
   * files that could not be written anew.
   */
  recopy(identities: readonly string[], names: readonly string[]): Promise<VaultFile[]>;
}

/** The vault's keys have `recovery.age`; a head that comes back from a copy would be no witness. */
const isCopied = (name: string): boolean => name !== KEYS_SECRET && name !== HEAD_SECRET;

function fileOf(name: string, system: System): VaultFile {
  return `recovery/${toHex(system.sha256(utf8(name)))}.age`;
}

/**
 * Each secret is also written to `recovery/`, encrypted to the recovery key and to the vault. The copy comes first, so
 * what was acknowledged can be recovered. Operators' keys in there stay under their own passphrases.
 */
export function recoverableSecrets(inner: SecretStore, deps: RecoverableDeps): RecoverableSecrets {
  const { directory, keys, system } = deps;
  /** One change of the copies after the other: a copy written anew must not undo a change beside it. */
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work, work);
    last = turn.catch(() => {});
    return turn;
  }

  async function writeCopy(name: string, value: string): Promise<void> {
    const content = utf8(JSON.stringify({ vaultId: deps.vaultId, name, value }));
    await directory.write(fileOf(name, system), await keys.encrypt(deps.copyRecipients(), content));
  }

  async function recopyOne(
    file: VaultFile,
    identities: readonly string[],
    nameOf: ReadonlyMap<string, string>,
  ): Promise<boolean> {
    const bytes = await directory.read(file);
    if (bytes === null) return true;
    try {
      const content = await keys.decrypt(identities, bytes);
      await directory.write(file, await keys.encrypt(deps.copyRecipients(), content));
      return true;
    } catch (error) {
      if (!(error instanceof SallyportError) || !['auth.failed', 'integrity.artifact'].includes(error.code))
        throw error;
    }
    const name = nameOf.get(file);
    const value = name === undefined ? null : await inner.get(name);
    if (name === undefined || value === null) return false;
    await writeCopy(name, value);
    return true;
  }

  return {
    kind: inner.kind,
    get: (name) => inner.get(name),
    set: (name, value) =>
      inTurn(async () => {
        if (isCopied(name)) {
          await writeCopy(name, value);
          system.reached('secret.copied');
        }
        await inner.set(name, value);
        if (isCopied(name)) system.reached('secret.kept');
      }),
    delete: (name) =>
      inTurn(async () => {
        await inner.delete(name);
        system.reached('secret.deleted');
        if (isCopied(name)) await directory.remove(fileOf(name, system));
      }),
    recopy: (identities, names) =>
      inTurn(async () => {
        const nameOf = new Map<string, string>(names.map((name) => [fileOf(name, system), name]));
        const left: VaultFile[] = [];
        for (const file of await directory.recoveryFiles())
          if (!(await recopyOne(file, identities, nameOf))) left.push(file);
        return left;
      }),
    close: () => inner.close(),
  };
}

/** Reads all copies back, with the recovery key or any other key that opens them. */
export async function readRecoverable(
  directory: VaultDirectory,
  identities: readonly string[],
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
        JSON.parse(new TextDecoder().decode(await keys.decrypt(identities, bytes))),
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
