import { utf8 } from '../../../shared/domain/audit/bytes.ts';
import type { SecretStore } from '../../ports/secrets.ts';
import type { VaultAdapters, VaultDirectory } from '../../ports/vault.ts';
import { createLedger, HEAD_SECRET } from '../ledger-impl.ts';
import { makeOperator, operatorKeySecret } from '../operators/make-operator.ts';
import { checkVaultPassphrase, type KeysChoice } from './keys-choice.ts';
import { openVault } from './open-vault.ts';
import type { OpenVault } from './opened-vault.ts';
import { recoverableSecrets } from './recoverable-secrets.ts';
import { writeRecoveryFile } from './recovery-file.ts';
import { CHECKPOINT_SECRET, encodeKeys, KEYS_SECRET, SETTINGS, type VaultKeys } from './vault-keys.ts';

export interface CreateVaultInput {
  readonly operator: string;
  readonly person: string;
  readonly operatorPassphrase: string;
  readonly keys: KeysChoice;
}

/**
 * Creates a vault with its first operator (administrator and analyst) and opens it. `recoveryKey` is shown once and
 * kept nowhere: it is the only other way to the vault's keys.
 *
 * All or nothing: built beside `path` and renamed into place; never over anything that is there (`conflict`).
 */
export async function createVault(
  adapters: VaultAdapters,
  path: string,
  input: CreateVaultInput,
): Promise<{ vault: OpenVault; recoveryKey: string }> {
  checkVaultPassphrase(input.keys);
  const { system, keys: tools } = adapters;
  const vaultId = Buffer.from(system.randomBytes(16)).toString('hex');
  const own = await tools.generateIdentity();
  const recovery = await tools.generateIdentity();
  const vaultKeys: VaultKeys = {
    format: 1,
    vaultId,
    databaseKey: Buffer.from(system.randomBytes(32)).toString('hex'),
    identity: own.identity,
  };
  const { operator, keyFile } = await makeOperator(adapters, {
    name: input.operator,
    person: input.person,
    roles: ['administrator', 'analyst'],
    passphrase: input.operatorPassphrase,
  });
  const keychain = input.keys.kind === 'keychain' ? adapters.keychainSecrets(vaultId) : null;
  try {
    await adapters.directories.create(path, async (staging) => {
      await writeKeyFiles(adapters, staging, vaultKeys, recovery.recipient, input.keys, keychain);
      await staging.write('vault.json', `${JSON.stringify({ id: vaultId, format: 1 })}\n`);
      const plain =
        keychain ??
        adapters.fileSecrets(
          staging.path,
          () => own.recipient,
          () => own.identity,
        );
      const secrets = recoverableSecrets(plain, {
        vaultId,
        directory: staging,
        copyRecipients: () => [recovery.recipient, own.recipient],
        keys: tools,
        system,
      });
      const checkpoint = adapters.checkpoints.generate(vaultId);
      await secrets.set(CHECKPOINT_SECRET, checkpoint.skey);
      await secrets.set(operatorKeySecret(operator.id), keyFile);

      const store = staging.openStore(Buffer.from(vaultKeys.databaseKey, 'hex'), { create: true });
      try {
        const ledger = createLedger({
          vaultId,
          store,
          system,
          secrets,
          checkpoints: adapters.checkpoints,
          checkpointKey: checkpoint.skey,
        });
        const details = {
          recipient: own.recipient,
          recoveryRecipient: recovery.recipient,
          checkpointKey: checkpoint.vkey,
          keys: input.keys.kind,
        };
        await ledger.commit(null, { action: 'vault.created', subject: vaultId, details }, (tx) => {
          tx.setSetting(SETTINGS.id, vaultId);
          tx.setSetting(SETTINGS.recipient, own.recipient);
          tx.setSetting(SETTINGS.recoveryRecipient, recovery.recipient);
          tx.setSetting(SETTINGS.checkpointKey, checkpoint.vkey);
        });
        const { name, person, roles, keyFingerprint } = operator;
        await ledger.commit(
          null,
          { action: 'operator.added', subject: name, details: { person, roles, keyFingerprint } },
          (tx) => tx.insertOperator(operator),
        );
      } finally {
        store.close();
      }
    });
  } catch (error) {
    // Nothing of a vault that does not exist stays in the keychain; the reason for the failure is what is reported.
    if (keychain)
      for (const name of [KEYS_SECRET, CHECKPOINT_SECRET, operatorKeySecret(operator.id), HEAD_SECRET])
        await keychain.delete(name).catch(() => {});
    throw error;
  } finally {
    await keychain?.close();
  }
  const vault = await openVault(
    adapters,
    path,
    input.keys.kind === 'passphrase' ? { passphrase: input.keys.passphrase } : {},
  );
  return { vault, recoveryKey: recovery.identity };
}

async function writeKeyFiles(
  adapters: VaultAdapters,
  staging: VaultDirectory,
  vaultKeys: VaultKeys,
  recoveryRecipient: string,
  choice: KeysChoice,
  keychain: SecretStore | null,
): Promise<void> {
  const text = encodeKeys(vaultKeys);
  await writeRecoveryFile(staging, adapters.keys, [recoveryRecipient], vaultKeys);
  if (choice.kind === 'passphrase')
    await staging.write(
      'passphrase.age',
      await adapters.keys.encryptWithPassphrase(choice.passphrase, utf8(text)),
    );
  else await keychain?.set(KEYS_SECRET, text);
}
