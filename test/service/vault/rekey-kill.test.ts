/** A rekey and a recovery that are killed at every step: nothing is lost, and some key that was shown opens the vault. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createVault, openVault, recoverVault } from '../../../electron/services/vault/index.ts';
import { fileKeychain } from '../../support/file-keychain.ts';
import { machine } from '../../support/machine.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { OPERATOR_PASSPHRASE, VAULT_PASSPHRASE } from '../../support/vault.ts';
import type { VaultStepsTask } from '../../support/vault-steps-child.ts';

const CHILD = resolve(import.meta.dirname, '../../support/vault-steps-child.ts');
/** Runs at once: as many as there are cores to spare. */
const AT_ONCE = 3;

interface Ran {
  readonly signal: string | null;
  readonly steps: readonly string[];
  readonly stderr: string;
}

function run(task: VaultStepsTask): Promise<Ran> {
  const child = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdin.end(JSON.stringify(task));
  return new Promise((done) =>
    child.once('close', (_code, signal) => done({ signal, steps: stdout.trim().split('\n'), stderr })),
  );
}

interface Template {
  readonly folder: string;
  readonly recoveryKey: string;
  readonly files: readonly { artifactId: string; digest: string }[];
}

function machineOf(folder: string): ReturnType<typeof machine> {
  return machine({ keychainSecrets: (vaultId) => fileKeychain(join(folder, 'keychain'), vaultId) });
}

async function template(passphrase: string | null): Promise<Template> {
  const folder = temporaryDirectory();
  const { vault, recoveryKey } = await createVault(machineOf(folder).adapters, join(folder, 'vault'), {
    operator: 'ada',
    person: 'Ada Lovelace',
    operatorPassphrase: OPERATOR_PASSPHRASE,
    keys: passphrase === null ? { kind: 'keychain' } : { kind: 'passphrase', passphrase },
  });
  const files = [
    await vault.artifacts.putBytes(Buffer.from('first')),
    await vault.artifacts.putBytes(Buffer.alloc(200_000, 7)),
  ];
  await vault.secrets.set('endpoint-token/x', 'a token');
  await vault.close();
  return { folder, recoveryKey, files };
}

/** The vault opens, everything in it is there, nothing half-done is left, and the old recovery key recovers it all. */
async function checkWhole(made: Template, folder: string, passphrase: string | null): Promise<void> {
  const path = join(folder, 'vault');
  const { adapters } = machineOf(folder);
  const vault = await openVault(adapters, path, { passphrase });
  for (const { artifactId, digest } of made.files) await vault.artifacts.getBytes(artifactId, digest);
  expect(await vault.secrets.get('endpoint-token/x')).toBe('a token');
  expect(['agrees', 'absent']).toContain((await vault.ledger.witness()).status);
  expect(existsSync(join(path, 'next-registry.db'))).toBe(false);
  vault.acquireEffectsLock();
  await vault.artifacts.sweepTemporary();
  const names = readdirSync(join(path, 'artifacts'), { recursive: true }).map(String);
  expect(names.filter((name) => name.endsWith('.age'))).toHaveLength(made.files.length);
  expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const { recipient } = vault;
  await vault.close();
  const lost = temporaryDirectory();
  const recovered = await recoverVault(machineOf(lost).adapters, path, {
    recoveryKey: made.recoveryKey,
    keys: { kind: 'keychain' },
  });
  expect(recovered.recipient).toBe(recipient);
  for (const { artifactId, digest } of made.files) await recovered.artifacts.getBytes(artifactId, digest);
  expect(await recovered.secrets.get('endpoint-token/x')).toBe('a token');
  await recovered.close();
}

/** The same when the keychain is lost right then: what a stop left is enough for the recovery key. */
async function checkRecoverable(made: Template, folder: string): Promise<void> {
  const copy = join(temporaryDirectory(), 'vault');
  cpSync(join(folder, 'vault'), copy, { recursive: true });
  const lost = temporaryDirectory();
  const recovered = await recoverVault(machineOf(lost).adapters, copy, {
    recoveryKey: made.recoveryKey,
    keys: { kind: 'keychain' },
  });
  for (const { artifactId, digest } of made.files) await recovered.artifacts.getBytes(artifactId, digest);
  expect(await recovered.secrets.get('endpoint-token/x')).toBe('a token');
  await recovered.close();
}

/** Kills the operation at each passage of each step it has, on a copy of the vault each. */
async function killEverywhere(
  made: Template,
  task: Omit<VaultStepsTask, 'path' | 'keychain' | 'kill'>,
  prepare: (folder: string) => void,
  check: (folder: string, step: string) => Promise<void>,
): Promise<string[]> {
  const room = temporaryDirectory();
  const copyTo = (name: string): string => {
    const folder = join(room, name);
    cpSync(made.folder, folder, { recursive: true });
    prepare(folder);
    return folder;
  };
  const paths = (folder: string) => ({ path: join(folder, 'vault'), keychain: join(folder, 'keychain') });
  const whole = await run({ ...task, ...paths(copyTo('whole')), kill: null });
  expect(whole.stderr).toBe('');
  const steps = whole.steps.slice(0, -1);
  const counted = new Map<string, number>();
  const kills = steps.map((step) => {
    const passage = (counted.get(step) ?? 0) + 1;
    counted.set(step, passage);
    return { step, passage };
  });
  const waiting = kills.map((kill, index) => ({ kill, folder: copyTo(String(index)) }));
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const killed = await run({ ...task, ...paths(next.folder), kill: next.kill });
        expect(killed.signal, `${next.kill.step}: ${killed.stderr}`).toBe('SIGKILL');
        await check(next.folder, next.kill.step).catch((error: unknown) => {
          throw new Error(`killed at ${next.kill.step} #${next.kill.passage}: ${String(error)}`, {
            cause: error,
          });
        });
        rmSync(next.folder, { recursive: true, force: true });
      }
    }),
  );
  return [...counted.keys()];
}

test('given a full rekey with a new recovery key in a keychain, wherever it is killed, the vault is whole', async () => {
  const made = await template(null);
  const steps = await killEverywhere(
    made,
    { passphrase: null, operation: { kind: 'rekey', full: true, newRecoveryKey: true } },
    () => undefined,
    async (folder, step) => {
      // Between this step and the last write the new key is the only one; it takes the loss of the keychain in that
      // moment as well to need it.
      if (step !== 'rekey.recovery-done') await checkRecoverable(made, folder);
      await checkWhole(made, folder, null);
    },
  );
  expect(steps).toEqual([
    'rekey.recovery-written',
    'rekey.keys-written',
    'rekey.copied',
    'rekey.exchanged',
    'rekey.told',
    'rekey.artifact',
    'rekey.moved',
    'rekey.done',
    'rekey.copies',
    'rekey.recovery-done',
  ]);
}, 120_000);

test('given a plain rekey under a passphrase, wherever it is killed, the vault is whole', async () => {
  const made = await template(VAULT_PASSPHRASE);
  const steps = await killEverywhere(
    made,
    { passphrase: VAULT_PASSPHRASE, operation: { kind: 'rekey', full: false, newRecoveryKey: false } },
    () => undefined,
    (folder) => checkWhole(made, folder, VAULT_PASSPHRASE),
  );
  expect(steps).toContain('rekey.secrets');
}, 120_000);

test.each([
  ['into the keychain', null],
  ['under a passphrase', VAULT_PASSPHRASE],
] as const)(
  'given a recovery %s after everything else was lost, wherever it is killed, it can be done again',
  async (_where, passphrase) => {
    // From the other way of keeping keys, so that the old way in has to go.
    const made = await template(passphrase === null ? 'the passphrase that was lost' : null);
    await killEverywhere(
      made,
      { passphrase, operation: { kind: 'recover', recoveryKey: made.recoveryKey } },
      (folder) => rmSync(join(folder, 'keychain'), { recursive: true, force: true }),
      async (folder) => {
        const again = await run({
          path: join(folder, 'vault'),
          keychain: join(folder, 'keychain'),
          kill: null,
          passphrase,
          operation: { kind: 'recover', recoveryKey: made.recoveryKey },
        });
        expect(again.steps.at(-1), again.stderr).toBe('done');
        await checkWhole(made, folder, passphrase);
      },
    );
  },
  120_000,
);

/** A child that stands still somewhere with the vault; resolves when it has said so. */
async function standing(task: VaultStepsTask, said: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(stop);
  child.stdin.end(JSON.stringify(task));
  let text = '';
  await new Promise<void>((done) => {
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.split('\n').includes(said)) done();
    });
  });
  return stop;
}

/** The machine of a folder, whose waiting takes no time. */
function impatient(folder: string): ReturnType<typeof machine>['adapters'] {
  const { adapters } = machineOf(folder);
  const sleep = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { ...adapters, system: { ...adapters.system, sleep } };
}

const ADA = { operatorId: 'x', name: 'ada', person: 'Ada Lovelace', roles: ['administrator'] } as const;

test('given another process has the vault open, a rekey is refused; when that one is killed, it goes through', async () => {
  const { folder } = await template(null);
  const paths = { path: join(folder, 'vault'), keychain: join(folder, 'keychain') };
  const stop = await standing(
    { ...paths, kill: null, passphrase: null, operation: { kind: 'hold' } },
    'open',
  );
  const vault = await openVault(impatient(folder), paths.path);
  onTestFinished(() => vault.close());
  const input = { full: false, newRecoveryKey: false, passphrase: null };
  await expect(vault.rekey(ADA, input)).rejects.toMatchObject({ code: 'conflict' });
  await stop();
  expect(await vault.rekey(ADA, input)).toMatchObject({ artifacts: 2 });
});

test('given a rekey under way in another process, nobody opens the vault; when that one is killed, it is undone', async () => {
  const { folder } = await template(null);
  const paths = { path: join(folder, 'vault'), keychain: join(folder, 'keychain') };
  const before = await openVault(impatient(folder), paths.path);
  const { recipient } = before;
  await before.close();
  const stop = await standing(
    {
      ...paths,
      kill: { step: 'rekey.copied', passage: 1, signal: 'SIGSTOP' },
      passphrase: null,
      operation: { kind: 'rekey', full: false, newRecoveryKey: false },
    },
    'rekey.copied',
  );
  await expect(openVault(impatient(folder), paths.path)).rejects.toMatchObject({ code: 'conflict' });
  await stop();
  const vault = await openVault(impatient(folder), paths.path);
  expect(vault.recipient).toBe(recipient);
  await vault.close();
});
