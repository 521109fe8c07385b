/** The parts a vault is made of in tests; free of the test runner, so that child processes use it too. */
import { join, resolve } from 'node:path';
import { AgeArtifacts } from '../../electron/adapters/artifacts/age-artifacts.ts';
import { FileSecrets } from '../../electron/adapters/keychain/file-secrets.ts';
import { MemorySecrets } from '../../electron/adapters/keychain/memory-secrets.ts';
import { createForkWorker } from '../../electron/adapters/system/fork-worker.ts';
import { createSystem } from '../../electron/adapters/system/system.ts';
import { createVaultBackups } from '../../electron/adapters/vault/backups.ts';
import { checkpointTools, createKeyTools } from '../../electron/adapters/vault/key-tools.ts';
import { createRekeyWorker } from '../../electron/adapters/vault/rekey-worker.ts';
import { vaultDirectories } from '../../electron/adapters/vault/vault-directory.ts';
import type { SecretStore } from '../../electron/ports/secrets.ts';
import type { System } from '../../electron/ports/system.ts';
import type { VaultAdapters } from '../../electron/ports/vault.ts';

export const forkWorker = createForkWorker((entry) =>
  resolve(import.meta.dirname, `../../electron/workers/${entry}.ts`),
);

/** A machine: one clock that tests move, one keychain that they may wipe. */
export interface Machine {
  readonly adapters: VaultAdapters;
  /** Secrets per vault, as the operating system would keep them. */
  readonly keychain: Map<string, MemorySecrets>;
  /** Milliseconds added to the real clock, or to the moment at which it is held. */
  readonly clock: { ahead: number; heldAt: number | null };
}

/** scrypt's work factor in tests: 2^10 takes 2 ms, so that a test may sign in a hundred times. */
const WORK_FACTOR = 10;

export function machine(overrides: Partial<VaultAdapters> = {}): Machine {
  const keychain = new Map<string, MemorySecrets>();
  const clock: Machine['clock'] = { ahead: 0, heldAt: null };
  const now = (): Date => new Date((clock.heldAt ?? Date.now()) + clock.ahead);
  const system: System = { ...createSystem(), now };
  const adapters: VaultAdapters = {
    system,
    keys: createKeyTools({ workFactor: WORK_FACTOR }),
    checkpoints: checkpointTools,
    directories: vaultDirectories,
    backups: createVaultBackups(forkWorker),
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
        recipients,
        identity,
        forkWorker,
      }),
    rekeyWorker: (path) => createRekeyWorker({ forkWorker, path }),
    ...overrides,
  };
  return { adapters, keychain, clock };
}
