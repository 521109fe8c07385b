import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeLines } from '../../../electron/adapters/vault/write-lines.ts';
import { createAuditService } from '../../../electron/services/audit/index.ts';
import { verifyArtifacts } from '../../../electron/services/registry/verify-artifacts.ts';
import { createVault, type OpenVault, openVault } from '../../../electron/services/vault/index.ts';
import { namedArtifacts } from '../../../electron/services/vault/named-artifacts.ts';
import { fileKeychain } from '../../support/file-keychain.ts';
import { logisticRegression, model } from '../../support/onnx-builder.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, knowTestActors, machine, OPERATOR_PASSPHRASE } from '../../support/vault.ts';

interface Said {
  readonly entry?: string;
  readonly version?: string;
  readonly lock?: boolean;
}

async function shared() {
  const folder = temporaryDirectory();
  const path = join(folder, 'vault');
  const keychain = join(folder, 'keychain');
  const modelFile = join(folder, 'model.onnx');
  writeFileSync(modelFile, model(logisticRegression(3)));
  const { adapters } = machine({ keychainSecrets: (vaultId) => fileKeychain(keychain, vaultId) });
  const { vault } = await createVault(adapters, path, {
    operator: 'ada',
    person: 'Ada Lovelace',
    operatorPassphrase: OPERATOR_PASSPHRASE,
    keys: { kind: 'keychain' },
  });
  await vault.close();
  return { path, keychain, modelFile, adapters };
}
type Shared = Awaited<ReturnType<typeof shared>>;

/** Runs a writer; kills it with SIGKILL once it has acknowledged `killAfter` things. Answers what it acknowledged. */
function runWriter(
  home: Shared,
  name: string,
  rounds: number,
  options: { readonly killAfter?: number; readonly models?: boolean } = {},
): Promise<{ said: Said[]; code: number | null; signal: string | null }> {
  const script = resolve(import.meta.dirname, 'writer.ts');
  const child = spawn(
    process.execPath,
    [script, home.path, home.keychain, name, String(rounds), options.models ? home.modelFile : ''],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return new Promise((done, failed) => {
    let text = '';
    const lines = (): string[] => text.split('\n').slice(0, -1);
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (options.killAfter !== undefined && lines().length >= options.killAfter) child.kill('SIGKILL');
    });
    child.on('error', failed);
    child.on('close', (code, signal) =>
      done({ said: lines().map((line) => JSON.parse(line) as Said), code, signal }),
    );
  });
}

async function expectSound(home: Shared, vault: OpenVault): Promise<void> {
  knowTestActors(vault);
  const audit = createAuditService({
    vaultId: vault.id,
    ledger: vault.ledger,
    store: vault.store,
    system: home.adapters.system,
    checkpoints: home.adapters.checkpoints,
    checkpointVerifier: vault.checkpointVerifier,
    writeLines,
    signatureChecks: () => [],
    fetchCheckpoints: async () => [],
  });
  const verdict = await audit.verify(actorWith('auditor'));
  expect(verdict.problems).toEqual([]);
  expect(['agrees', 'behind']).toContain(verdict.witnesses[0]?.status);
}

describe('a writer killed with SIGKILL', () => {
  // A fixed sequence of moments: early, within models being added, between entry and secret.
  const KILLS = [2, 3, 5, 6, 7, 9, 11, 14];

  test(`at ${KILLS.length} moments loses nothing that it acknowledged`, async () => {
    const home = await shared();
    const entries = new Set<string>();
    const versions = new Set<string>();
    for (const killAfter of KILLS) {
      const { said, signal } = await runWriter(home, 'w', 1000, { killAfter, models: true });
      expect(signal).toBe('SIGKILL');
      // The lock of the one that was killed before is free again.
      expect(said[0]).toEqual({ lock: true });
      for (const { entry, version } of said) {
        if (entry) entries.add(entry);
        if (version) versions.add(version);
      }

      const vault = await openVault(home.adapters, home.path);
      await expectSound(home, vault);
      const logged = new Set([...vault.store.read.audit.entries()].map(({ subject }) => subject));
      expect([...entries].filter((subject) => !logged.has(subject))).toEqual([]);
      expect([...entries].filter((subject) => vault.store.read.setting(`test.${subject}`) === null)).toEqual(
        [],
      );
      expect(
        [...versions].filter((version) => vault.store.read.version({ name: 'phish', version }) === null),
      ).toEqual([]);
      expect((await verifyArtifacts(vault.artifacts, namedArtifacts(vault.store.read))).bad).toEqual([]);
      await vault.artifacts.sweepTemporary();
      await vault.close();
    }
    expect(versions.size).toBeGreaterThan(0);
  });
});

describe('several processes', () => {
  test('commit at once and lose nothing; the chain is one chain', async () => {
    const home = await shared();
    const writers = ['a', 'b', 'c'];
    const rounds = 40;
    const outcomes = await Promise.all(writers.map((name) => runWriter(home, name, rounds)));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    // Only one of them may run effects at a time; all of them may commit.
    expect(outcomes.some(({ said }) => said[0]?.lock === true)).toBe(true);

    const vault = await openVault(home.adapters, home.path);
    await expectSound(home, vault);
    expect(vault.store.read.audit.head()?.seq).toBe(2 + writers.length * rounds);
    const subjects = new Set([...vault.store.read.audit.entries()].map(({ subject }) => subject));
    for (const { said } of outcomes)
      for (const { entry } of said) if (entry) expect(subjects).toContain(entry);
    expect(vault.store.read.audit.checkpoints().map(({ size }) => size)).toEqual(
      Array.from({ length: 12 }, (_, index) => (index + 1) * 10),
    );
    await vault.close();
  });

  test('create a vault in one place at once: one of them wins, whole', async () => {
    const folder = temporaryDirectory();
    const path = join(folder, 'vault');
    const input = {
      operator: 'ada',
      person: 'Ada Lovelace',
      operatorPassphrase: OPERATOR_PASSPHRASE,
      keys: { kind: 'passphrase', passphrase: 'a vault passphrase' } as const,
    };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 4 }, () => createVault(machine().adapters, path, input)),
    );
    const made = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value.vault] : []));
    expect(made).toHaveLength(1);
    expect(
      outcomes.filter((each) => each.status === 'rejected' && each.reason.code === 'conflict'),
    ).toHaveLength(3);
    await made[0]?.close();
    await (await openVault(machine().adapters, path, { passphrase: 'a vault passphrase' })).close();
  });
});
