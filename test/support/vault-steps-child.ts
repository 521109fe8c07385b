/**
 * Child process that rekeys or recovers a vault and ends itself by SIGKILL at a step. Prints the steps it passed, a
 * line each, and what came of it. The task comes as JSON on standard input, for it holds secrets.
 */
import { readFileSync, writeSync } from 'node:fs';
import { openVault, recoverVault } from '../../electron/services/vault/index.ts';
import { fileKeychain } from './file-keychain.ts';
import { machine } from './machine.ts';

export interface VaultStepsTask {
  readonly path: string;
  readonly keychain: string;
  /** The n-th passage of this step is the last thing the process does, or where it stands still; null lets it come to its end. */
  readonly kill: { readonly step: string; readonly passage: number; readonly signal?: 'SIGSTOP' } | null;
  readonly passphrase: string | null;
  readonly operation:
    | { readonly kind: 'rekey'; readonly full: boolean; readonly newRecoveryKey: boolean }
    /** Opens the vault and stays. */
    | { readonly kind: 'hold' }
    | { readonly kind: 'recover'; readonly recoveryKey: string };
}

const task = JSON.parse(readFileSync(0, 'utf8')) as VaultStepsTask;
const parts = machine({ keychainSecrets: (vaultId) => fileKeychain(task.keychain, vaultId) });
const passed = new Map<string, number>();
const system = {
  ...parts.adapters.system,
  reached: (step: string): void => {
    if (!/^(rekey|recover)\./.test(step)) return;
    const passage = (passed.get(step) ?? 0) + 1;
    passed.set(step, passage);
    writeSync(1, `${step}\n`);
    if (task.kill?.step === step && task.kill.passage === passage)
      process.kill(process.pid, task.kill.signal ?? 'SIGKILL');
  },
};
const adapters = { ...parts.adapters, system };
const { operation, passphrase } = task;
if (operation.kind === 'hold') {
  await openVault(adapters, task.path, { passphrase });
  writeSync(1, 'open\n');
  setInterval(() => {}, 60_000);
} else if (operation.kind === 'rekey') {
  const vault = await openVault(adapters, task.path, { passphrase });
  const actor = { operatorId: 'x', name: 'ada', person: 'Ada Lovelace', roles: ['administrator' as const] };
  const { recoveryKey } = await vault.rekey(actor, { ...operation, passphrase });
  writeSync(1, `done ${recoveryKey ?? ''}\n`);
  await vault.close();
} else {
  const keys =
    passphrase === null ? { kind: 'keychain' as const } : { kind: 'passphrase' as const, passphrase };
  const vault = await recoverVault(adapters, task.path, { recoveryKey: operation.recoveryKey, keys });
  writeSync(1, 'done\n');
  await vault.close();
}
