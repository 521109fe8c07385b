/** Real vaults in temporary directories: real database, artifacts and workers; the keychain is in memory. */
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { AgeArtifacts } from '../../electron/adapters/artifacts/age-artifacts.ts';
import { FileSecrets } from '../../electron/adapters/keychain/file-secrets.ts';
import { MemorySecrets } from '../../electron/adapters/keychain/memory-secrets.ts';
import { createForkWorker } from '../../electron/adapters/system/fork-worker.ts';
import { createSystem } from '../../electron/adapters/system/system.ts';
import { checkpointTools, createKeyTools } from '../../electron/adapters/vault/key-tools.ts';
import { createModelInspector } from '../../electron/adapters/vault/model-inspector.ts';
import { vaultDirectories } from '../../electron/adapters/vault/vault-directory.ts';
import type { SecretStore } from '../../electron/ports/secrets.ts';
import type { System } from '../../electron/ports/system.ts';
import type { ModelInspector, VaultAdapters } from '../../electron/ports/vault.ts';
import { createVault, type KeysChoice, type OpenVault } from '../../electron/services/vault/index.ts';
import type { Actor, Role } from '../../shared/domain/operator/operator.ts';
import { temporaryDirectory } from './temp.ts';

export const forkWorker = createForkWorker((entry) =>
  resolve(import.meta.dirname, `../../electron/workers/${entry}.ts`),
);

/** A machine: one clock that tests move, one keychain that they may wipe. */
export interface Machine {
  readonly adapters: VaultAdapters;
  /** Secrets per vault, as the operating system would keep them. */
  readonly keychain: Map<string, MemorySecrets>;
  /** Milliseconds added to the real clock. */
  clock: { ahead: number };
}

/** scrypt's work factor in tests: 2^10 takes 2 ms, so that a test may sign in a hundred times. */
const WORK_FACTOR = 10;

export function machine(overrides: Partial<VaultAdapters> = {}): Machine {
  const keychain = new Map<string, MemorySecrets>();
  const clock = { ahead: 0 };
  const real = createSystem();
  const system: System = { ...real, now: () => new Date(Date.now() + clock.ahead) };
  const adapters: VaultAdapters = {
    system,
    keys: createKeyTools({ workFactor: WORK_FACTOR }),
    checkpoints: checkpointTools,
    directories: vaultDirectories,
    keychainSecrets: (vaultId): SecretStore => {
      const known = keychain.get(vaultId) ?? new MemorySecrets();
      keychain.set(vaultId, known);
      return known;
    },
    fileSecrets: (path, recipient, identity) =>
      new FileSecrets({ path: join(path, 'secrets.age'), recipient, identity }),
    artifacts: (path, recipients, identity) =>
      new AgeArtifacts({
        directory: join(path, 'artifacts'),
        recipients: () => recipients,
        identity,
        forkWorker,
      }),
    ...overrides,
  };
  return { adapters, keychain, clock };
}

export const OPERATOR_PASSPHRASE = 'correct horse battery';
export const VAULT_PASSPHRASE = 'the vault opens with this';

export interface TestVault extends Machine {
  readonly path: string;
  readonly vault: OpenVault;
  readonly recoveryKey: string;
  readonly inspector: ModelInspector;
  /** The first operator: administrator and analyst. */
  readonly admin: Actor;
}

/** A fresh vault, closed when the test ends. */
export async function testVault(
  options: { readonly keys?: KeysChoice; readonly machine?: Machine } = {},
): Promise<TestVault> {
  const home = options.machine ?? machine();
  const path = join(temporaryDirectory(), 'vault');
  const { vault, recoveryKey } = await createVault(home.adapters, path, {
    operator: 'ada',
    person: 'Ada Lovelace',
    operatorPassphrase: OPERATOR_PASSPHRASE,
    keys: options.keys ?? { kind: 'keychain' },
  });
  onTestFinished(() => vault.close());
  const admin = vault.store.read.operatorByName('ada');
  if (!admin) throw new Error('the vault has no first operator');
  const inspector = createModelInspector({ directory: join(path, 'artifacts'), forkWorker });
  return {
    ...home,
    path,
    vault,
    recoveryKey,
    inspector,
    admin: { operatorId: admin.id, name: admin.name, person: admin.person, roles: admin.roles },
  };
}

/** Somebody with these roles; not stored anywhere. */
export function actorWith(...roles: Role[]): Actor {
  return { operatorId: 'test-actor', name: 'somebody', person: 'Some Body', roles };
}
