/**
 * `vault`: adding a model (`vault-add.ts`), and the time to open a vault again against opening its database alone.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AgeArtifacts } from '../electron/adapters/artifacts/age-artifacts.ts';
import { FileSecrets } from '../electron/adapters/keychain/file-secrets.ts';
import { MemorySecrets } from '../electron/adapters/keychain/memory-secrets.ts';
import { createSystem } from '../electron/adapters/system/system.ts';
import { createVaultBackups } from '../electron/adapters/vault/backups.ts';
import { checkpointTools, createKeyTools } from '../electron/adapters/vault/key-tools.ts';
import { createRekeyWorker } from '../electron/adapters/vault/rekey-worker.ts';
import { vaultDirectories } from '../electron/adapters/vault/vault-directory.ts';
import type { VaultAdapters } from '../electron/ports/vault.ts';
import { createVault, openVault } from '../electron/services/vault/index.ts';
import { decodeKeys, isPending, KEYS_SECRET } from '../electron/services/vault/vault-keys.ts';
import { openDatabase } from '../shared/node/sqlite/database.ts';
import { registryRows } from './registry-store.ts';
import { median, sideBySide } from './support/measure.ts';
import { builtWorkers } from './support/program.ts';
import { type Bench, type BenchContext, type BenchRow, row } from './support/row.ts';
import { addFigures } from './vault-add.ts';

const RUNS = 5;

function adapters(): VaultAdapters {
  const keychain = new MemorySecrets();
  const forkWorker = builtWorkers();
  return {
    system: createSystem(),
    keys: createKeyTools(),
    checkpoints: checkpointTools,
    directories: vaultDirectories,
    backups: createVaultBackups(forkWorker),
    keychainSecrets: () => keychain,
    fileSecrets: (path, recipient, identity) =>
      new FileSecrets({ path: join(path, 'secrets.age'), recipient, identity }),
    artifacts: (path, recipients, identity) =>
      new AgeArtifacts({ directory: join(path, 'artifacts'), recipients, identity, forkWorker }),
    rekeyWorker: (path) => createRekeyWorker({ forkWorker, path }),
  };
}

async function openingFigures({ directory, say }: BenchContext): Promise<BenchRow[]> {
  say('opening a vault again');
  const parts = adapters();
  const path = join(directory, 'vault');
  const created = await createVault(parts, path, {
    operator: 'bench',
    person: 'Bench',
    operatorPassphrase: randomBytes(24).toString('base64'),
    keys: { kind: 'keychain' },
  });
  await created.vault.close();
  const keysText = await parts.keychainSecrets(created.vault.id).get(KEYS_SECRET);
  const keys = decodeKeys(keysText ?? '', created.vault.id, 'the keychain');
  const { databaseKey } = isPending(keys) ? keys.current : keys;
  const opening = await sideBySide(RUNS, {
    vault: async () => (await openVault(parts, path)).close(),
    database: () => openDatabase(join(path, 'registry.db'), Buffer.from(databaseKey, 'hex')).close(),
  });
  return [
    row({
      name: 'vault.reopen',
      value: median(opening.vault),
      unit: 'ms',
      limit: { what: 'opening the database alone', value: median(opening.database) },
      goal: { atMost: 250, of: 'value' },
    }),
  ];
}

export const vault: Bench = async (context) => [
  ...(await addFigures(context)),
  ...(await openingFigures(context)),
  ...(await registryRows(context.directory, context.say)),
];
