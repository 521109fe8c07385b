/** Real vaults in temporary directories: real database, artifacts and workers; the keychain is in memory. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createModelInspector } from '../../electron/adapters/vault/model-inspector.ts';
import type { ModelInspector } from '../../electron/ports/vault.ts';
import { createVault, type KeysChoice, type OpenVault } from '../../electron/services/vault/index.ts';
import type { Actor, Operator, Role } from '../../shared/domain/operator/operator.ts';
import { forkWorker, type Machine, machine } from './machine.ts';
import { temporaryDirectory } from './temp.ts';

export { forkWorker, type Machine, machine } from './machine.ts';

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
  knowTestActors(vault);
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

/**
 * Somebody with these roles, whom the vaults of `testVault` know although no row holds them: tests that count operators
 * see their own alone.
 */
export function actorWith(...roles: Role[]): Actor {
  return { operatorId: `${TEST_ACTOR}${roles.join('+')}`, name: 'somebody', person: 'Some Body', roles };
}

const TEST_ACTOR = 'test-actor:';

/** Lets the vault's reader answer the operators that `actorWith` makes up. */
export function knowTestActors({ store }: OpenVault): void {
  const stored = store.read.operator;
  Object.assign(store.read, {
    operator: (id: string): Operator | null => {
      if (!id.startsWith(TEST_ACTOR)) return stored(id);
      const roles = id.slice(TEST_ACTOR.length).split('+') as Role[];
      const [publicKeyPem, keyFingerprint, createdAt] = ['', '', new Date(0).toISOString()];
      return { id, name: 'somebody', person: 'Some Body', roles, publicKeyPem, keyFingerprint, createdAt };
    },
  });
}
