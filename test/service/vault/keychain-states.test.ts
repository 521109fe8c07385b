/** Every state a keychain can be in, on a real Secret Service: a typed error, nothing changed, and the way back works. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { KEYCHAIN_SERVICE, KeychainSecrets } from '../../../electron/adapters/keychain/keychain-secrets.ts';
import type { ForkWorker } from '../../../electron/ports/processes.ts';
import {
  createVault,
  type OpenVault,
  openVault,
  recoverVault,
} from '../../../electron/services/vault/index.ts';
import { type Keyring, keyringUnavailable, startKeyring } from '../../support/keyring.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { forkWorker, machine, OPERATOR_PASSPHRASE } from '../../support/vault.ts';

const problem = keyringUnavailable();
if (problem !== null) console.warn(`skipped: states of a real Secret Service, because ${problem}`);

const KEYCHAIN = { kind: 'keychain' } as const;
let keyring: Keyring;

function adaptersOf(options: { readonly fork?: ForkWorker } = {}) {
  return machine({
    keychainSecrets: (vaultId) =>
      new KeychainSecrets({
        vaultId,
        forkWorker: options.fork ?? forkWorker,
        env: keyring.env,
        timeoutMs: 20_000,
      }),
  }).adapters;
}

async function newVault(): Promise<{ vault: OpenVault; recoveryKey: string; path: string }> {
  const path = join(temporaryDirectory(), 'vault');
  const made = await createVault(adaptersOf(), path, {
    operator: 'ada',
    person: 'Ada Lovelace',
    operatorPassphrase: OPERATOR_PASSPHRASE,
    keys: KEYCHAIN,
  });
  onTestFinished(() => made.vault.close());
  return { ...made, path };
}

/** Every file of the vault with its content. */
function contentOf(path: string): Map<string, string> {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      // Locks and the log's index hold nothing.
      .filter((file) => !/(lock|open)\.db|-shm$|-wal$/.test(file))
      .map((file): [string, string] => [file, readFileSync(file).toString('base64')]),
  );
}

async function refusedUnchanged(
  path: string,
  code: string,
  attempt: () => Promise<unknown>,
): Promise<string> {
  const before = contentOf(path);
  const error = await attempt().then(
    () => ({ code: 'it worked', hint: '' }),
    (thrown: { code: string; hint: string }) => thrown,
  );
  expect(error.code).toBe(code);
  expect(contentOf(path)).toEqual(before);
  return error.hint;
}

describe.skipIf(problem !== null)('given a vault whose keys are in the keychain', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    keyring = await startKeyring();
  });
  afterEach(() => keyring.stop());

  test('when the keychain is locked and unlocking it is cancelled, it says so; unlocked again, the vault opens', async () => {
    const { vault, path } = await newVault();
    await vault.close();
    keyring.lock();
    // The service asks to unlock it. Its prompt finds no screen and completes as dismissed, as when a person closes it.
    const hint = await refusedUnchanged(path, 'keychain.locked', () => openVault(adaptersOf(), path));
    expect(hint).toMatch(/unlock/i);
    await keyring.restart();
    await (await openVault(adaptersOf(), path)).close();
  });

  test('when it was wiped, no new key is made: the recovery key puts the old ones back', async () => {
    const { vault, path, recoveryKey } = await newVault();
    const { recipient } = vault;
    await vault.close();
    await keyring.wipe();
    const hint = await refusedUnchanged(path, 'keychain.missing', () => openVault(adaptersOf(), path));
    expect(hint).toContain('sallyport recover');
    await expect(
      createVault(adaptersOf(), path, {
        operator: 'eve',
        person: 'Eve',
        operatorPassphrase: OPERATOR_PASSPHRASE,
        keys: KEYCHAIN,
      }),
    ).rejects.toMatchObject({ code: 'conflict' });
    const back = await recoverVault(adaptersOf(), path, { recoveryKey, keys: KEYCHAIN });
    expect(back.recipient).toBe(recipient);
    await back.close();
  });

  test('when it holds another vault’s keys under this vault’s name, it is told apart and put right', async () => {
    const one = await newVault();
    const two = await newVault();
    const store = new KeychainSecrets({ vaultId: one.vault.id, forkWorker, env: keyring.env });
    const other = new KeychainSecrets({ vaultId: two.vault.id, forkWorker, env: keyring.env });
    const mine = await store.get('vault-keys');
    const theirs = await other.get('vault-keys');
    await Promise.all([one.vault.close(), two.vault.close()]);
    // Once as they are, and once with this vault's name written over: then only the database notices.
    const swaps = [theirs ?? '', (theirs ?? '').replace(two.vault.id, one.vault.id), 'no keys at all'];
    for (const swapped of swaps) {
      await store.set('vault-keys', swapped);
      const hint = await refusedUnchanged(one.path, 'keychain.changed', () =>
        openVault(adaptersOf(), one.path),
      );
      expect(hint).toContain('sallyport recover');
    }
    const back = await recoverVault(adaptersOf(), one.path, { recoveryKey: one.recoveryKey, keys: KEYCHAIN });
    expect(await store.get('vault-keys')).toBe(mine);
    await Promise.all([back.close(), store.close(), other.close()]);
  });

  test('when it is wiped while the vault is open, what is done stays, the next opening tells, and recovery brings all back', async () => {
    const { vault, path, recoveryKey } = await newVault();
    const described = { action: 'model.described', subject: 'phish@1.0.0', details: {} } as const;
    await vault.ledger.commit(null, described, (tx) => tx.setSetting('test', 'before'));
    await keyring.wipe();
    // The keys are in memory and the log's head is only missing: work goes on, and the head is written again.
    await vault.ledger.commit(null, described, (tx) => tx.setSetting('test', 'after'));
    expect((await vault.ledger.witness()).status).toBe('agrees');
    await vault.close();
    await refusedUnchanged(path, 'keychain.missing', () => openVault(adaptersOf(), path));
    const back = await recoverVault(adaptersOf(), path, { recoveryKey, keys: KEYCHAIN });
    expect(back.store.read.setting('test')).toBe('after');
    await back.close();
  });

  test('when the service vanishes in the middle, the change is durable or refused, and it goes on when the service is back', async () => {
    const { vault } = await newVault();
    const described = { action: 'model.described', subject: 'phish@1.0.0', details: {} } as const;
    await vault.ledger.commit(null, described, (tx) => tx.setSetting('test', '0'));
    await keyring.vanish();
    const outcomes = [];
    for (const value of ['1', '2']) {
      outcomes.push(
        await vault.ledger
          .commit(null, described, (tx) => tx.setSetting('test', value))
          .then(
            () => 'kept',
            (error: { code: string }) => error.code,
          ),
      );
    }
    // The first was durable before the keychain was asked; the second is refused before anything is changed. Where the
    // bus starts a service anew, that one is locked.
    const gone = expect.stringMatching(/^keychain\.(missing|locked)$/);
    expect(outcomes).toEqual(['kept', gone]);
    expect(vault.store.read.setting('test')).toBe('1');
    await expect(vault.secrets.set('endpoint-token/x', 'y')).rejects.toMatchObject({ code: gone });
    await keyring.restart();
    // The new service takes the name over in its own time.
    const third = () =>
      vault.ledger
        .commit(null, described, (tx) => tx.setSetting('test', '3'))
        .then(
          () => 'kept',
          (error: { code: string }) => error.code,
        );
    await expect.poll(third, { timeout: 20_000 }).toBe('kept');
    expect(vault.store.read.setting('test')).toBe('3');
    expect((await vault.ledger.witness()).status).toBe('agrees');
  });

  test('when the process that talks to it is killed in the middle of a call, the next call starts another', async () => {
    const workers: number[] = [];
    const watching: ForkWorker = (entry, options) => {
      const worker = forkWorker(entry, options);
      if (entry === 'keychain' && worker.pid !== undefined) workers.push(worker.pid);
      return worker;
    };
    const { path, vault: first } = await newVault();
    await first.close();
    const vault = await openVault(adaptersOf({ fork: watching }), path);
    const pid = workers.at(-1) ?? 0;
    // Stopped, it cannot have answered before it is killed.
    process.kill(pid, 'SIGSTOP');
    const asked = vault.secrets.get('checkpoint-key');
    process.kill(pid, 'SIGSEGV');
    process.kill(pid, 'SIGCONT');
    await expect(asked).rejects.toMatchObject({ code: 'keychain.cancelled' });
    expect(await vault.secrets.get('checkpoint-key')).toMatch(/^PRIVATE\+KEY\+/);
    expect(workers.length).toBeGreaterThan(1);
    await vault.close();
  });

  test('when a rekey finds it locked, the vault keeps its keys', async () => {
    const { vault, path } = await newVault();
    const { recipient } = vault;
    const actor = { operatorId: 'x', name: 'ada', person: 'Ada', roles: ['administrator' as const] };
    keyring.lock();
    await expect(
      vault.rekey(actor, { full: false, newRecoveryKey: false, passphrase: null }),
    ).rejects.toMatchObject({ code: 'keychain.locked' });
    expect(vault.recipient).toBe(recipient);
    await vault.close();
    await keyring.restart();
    const again = await openVault(adaptersOf(), path);
    expect(again.recipient).toBe(recipient);
    await again.close();
  });

  test('its entries are named by vault, and no other program’s entry is touched', async () => {
    const { vault } = await newVault();
    expect(KEYCHAIN_SERVICE).toBe('sallyport');
    const mine = new KeychainSecrets({ vaultId: 'ff'.repeat(16), forkWorker, env: keyring.env });
    expect(await mine.get('vault-keys')).toBeNull();
    await mine.close();
    await vault.close();
  });
});
