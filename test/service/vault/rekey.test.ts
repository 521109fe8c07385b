import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RekeyWorker } from '../../../electron/ports/vault.ts';
import { createSessionService } from '../../../electron/services/session/index.ts';
import { type OpenVault, openVault, recoverVault } from '../../../electron/services/vault/index.ts';
import { decryptBytes, encryptBytes, recipientOf } from '../../../shared/node/age/index.ts';
import { openDatabase } from '../../../shared/node/sqlite/database.ts';
import { copyUnderNextKey } from '../../../shared/node/sqlite/rekey.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import {
  type Machine,
  machine,
  OPERATOR_PASSPHRASE,
  testVault,
  VAULT_PASSPHRASE,
} from '../../support/vault.ts';

const PLAIN = { full: false, newRecoveryKey: false, passphrase: null };
const CONTENT = Buffer.from('the dossier, as it was stored'.repeat(5000));

function artifactFile(path: string, artifactId: string): string {
  return join(path, 'artifacts', artifactId.slice(0, 2), `${artifactId}.age`);
}

/** Everything after the header. */
function payloadOf(file: string): Buffer {
  const bytes = readFileSync(file);
  return bytes.subarray(bytes.indexOf('\n', bytes.indexOf('\n--- ') + 1) + 1);
}

async function reopened(home: Machine, path: string, passphrase: string | null = null): Promise<OpenVault> {
  const vault = await openVault(home.adapters, path, { passphrase });
  onTestFinished(() => vault.close());
  return vault;
}

describe('giving a vault new keys', () => {
  test('the old keys open nothing that is there, the new ones everything; nothing else has changed', async () => {
    const home = await testVault();
    const { vault, path, admin, recoveryKey } = home;
    const stored = await vault.artifacts.putBytes(CONTENT);
    const file = artifactFile(path, stored.artifactId);
    const before = {
      key: vault.databaseKey(),
      identity: vault.identity(),
      recipient: vault.recipient,
      payload: payloadOf(file),
    };
    const phases = new Set<string>();
    const outcome = await vault.rekey(admin, PLAIN, {
      signal: new AbortController().signal,
      progress: (phase) => phases.add(phase),
    });

    expect(outcome).toMatchObject({ artifacts: 1, damaged: 0, full: false, recoveryKey: null });
    expect([...phases]).toEqual(['keys', 'database', 'artifacts', 'recovery']);
    expect(vault.recipient).not.toBe(before.recipient);
    expect(vault.identity()).not.toBe(before.identity);
    // The open vault goes on as it is.
    expect((await vault.artifacts.getBytes(stored.artifactId, stored.digest)).equals(CONTENT)).toBe(true);
    await vault.secrets.set('endpoint-token/x', 'written afterwards');
    expect((await vault.ledger.witness()).status).toBe('agrees');
    await vault.close();

    expect(() => openDatabase(join(path, 'registry.db'), before.key)).toThrow(
      expect.objectContaining({ code: 'integrity.vault' }),
    );
    await expect(decryptBytes([before.identity], readFileSync(file))).rejects.toMatchObject({
      code: 'auth.failed',
    });
    for (const name of readdirSync(join(path, 'recovery')))
      await expect(
        decryptBytes([before.identity], readFileSync(join(path, 'recovery', name))),
      ).rejects.toMatchObject({ code: 'auth.failed' });
    // Said in the help: the file keys stay, so only the header is another.
    expect(payloadOf(file).equals(before.payload)).toBe(true);
    expect((await decryptBytes([recoveryKey], readFileSync(file))).equals(CONTENT)).toBe(true);
    expect(readdirSync(path).sort()).toEqual(
      ['artifacts', 'lock.db', 'open.db', 'recovery', 'recovery.age', 'registry.db', 'vault.json'].sort(),
    );

    const again = await reopened(home, path);
    expect([...again.store.read.audit.entries()].map(({ action }) => action)).toEqual([
      'vault.created',
      'operator.added',
      'vault.rekeyed',
      'vault.rekeyed',
    ]);
    const [keys, artifacts] = [...again.store.read.audit.entries()].slice(-2);
    expect(keys).toMatchObject({
      actor: 'ada',
      details: { step: 'keys', recipient: again.recipient, checkpointKey: again.checkpointVerifier },
    });
    expect(artifacts).toMatchObject({
      details: {
        step: 'artifacts',
        recipient: again.recipient,
        recoveryRecipient: await recipientOf(recoveryKey),
        artifacts: 1,
        full: false,
        resumed: false,
      },
    });
    const session = createSessionService({
      ...home.adapters,
      ledger: again.ledger,
      store: again.store,
      secrets: again.secrets,
    });
    expect(await session.signIn({ operator: 'ada', passphrase: OPERATOR_PASSPHRASE })).toMatchObject({
      name: 'ada',
    });
    expect(await again.secrets.get('endpoint-token/x')).toBe('written afterwards');
  });

  test('in full, every stored file is under a fresh file key', async () => {
    const { vault, path, admin } = await testVault();
    const stored = await vault.artifacts.putBytes(CONTENT);
    const file = artifactFile(path, stored.artifactId);
    const before = payloadOf(file);
    expect(await vault.rekey(admin, { ...PLAIN, full: true })).toMatchObject({ artifacts: 1, full: true });
    expect(payloadOf(file).subarray(0, 64).equals(before.subarray(0, 64))).toBe(false);
    expect((await vault.artifacts.getBytes(stored.artifactId, stored.digest)).equals(CONTENT)).toBe(true);
  });

  test('with a new recovery key, the one before recovers nothing and the new one everything', async () => {
    const home = await testVault();
    const { vault, path, admin, recoveryKey } = home;
    const stored = await vault.artifacts.putBytes(CONTENT);
    await vault.secrets.set('endpoint-token/x', 'a token');
    const { recoveryKey: fresh } = await vault.rekey(admin, { ...PLAIN, newRecoveryKey: true });
    expect(fresh).toMatch(/^AGE-SECRET-KEY-1/);
    expect(await vault.isRecoveryKey(fresh ?? '')).toBe(true);
    expect(await vault.isRecoveryKey(recoveryKey)).toBe(false);
    await vault.close();
    const file = readFileSync(artifactFile(path, stored.artifactId));
    await expect(decryptBytes([recoveryKey], file)).rejects.toMatchObject({ code: 'auth.failed' });
    expect((await decryptBytes([fresh ?? ''], file)).equals(CONTENT)).toBe(true);
    for (const name of readdirSync(join(path, 'recovery')))
      await expect(
        decryptBytes([recoveryKey], readFileSync(join(path, 'recovery', name))),
      ).rejects.toMatchObject({ code: 'auth.failed' });

    home.keychain.clear();
    const lost = machine();
    const keys = { kind: 'keychain' } as const;
    await expect(recoverVault(lost.adapters, path, { recoveryKey, keys })).rejects.toMatchObject({
      code: 'auth.failed',
    });
    const recovered = await recoverVault(lost.adapters, path, { recoveryKey: fresh ?? '', keys });
    expect(await recovered.secrets.get('endpoint-token/x')).toBe('a token');
    await recovered.close();
  });

  test('copies that only the recovery key opened, as an earlier version wrote them, are made again from the secrets', async () => {
    const home = await testVault();
    const { vault, path, admin, recoveryKey } = home;
    const recipient = await recipientOf(recoveryKey);
    for (const name of readdirSync(join(path, 'recovery'))) {
      const file = join(path, 'recovery', name);
      const plain = await decryptBytes([recoveryKey], readFileSync(file));
      writeFileSync(file, await encryptBytes([recipient], plain));
    }
    const { recoveryKey: fresh } = await vault.rekey(admin, { ...PLAIN, newRecoveryKey: true });
    await vault.close();
    const recovered = await recoverVault(machine().adapters, path, {
      recoveryKey: fresh ?? '',
      keys: { kind: 'keychain' },
    });
    await recovered.close();
  });

  test('a vault under a passphrase needs one, keeps it, or goes on with another', async () => {
    const home = await testVault({ keys: { kind: 'passphrase', passphrase: VAULT_PASSPHRASE } });
    const { vault, path, admin } = home;
    await expect(vault.rekey(admin, PLAIN)).rejects.toMatchObject({ code: 'locked' });
    await expect(vault.rekey(admin, { ...PLAIN, passphrase: 'short' })).rejects.toMatchObject({
      code: 'input.invalid',
    });
    await vault.rekey(admin, { ...PLAIN, passphrase: VAULT_PASSPHRASE });
    await vault.close();
    const again = await reopened(home, path, VAULT_PASSPHRASE);
    const identity = again.identity();
    await again.rekey(admin, { ...PLAIN, passphrase: 'another one, long enough' });
    await again.close();
    await expect(openVault(home.adapters, path, { passphrase: VAULT_PASSPHRASE })).rejects.toMatchObject({
      code: 'auth.failed',
    });
    const third = await reopened(home, path, 'another one, long enough');
    expect(third.identity()).not.toBe(identity);
    await expect(decryptBytes([identity], readFileSync(join(path, 'secrets.age')))).rejects.toMatchObject({
      code: 'auth.failed',
    });
  });

  test('what is committed and stored meanwhile waits or is moved along: all of it is kept', async () => {
    const home = await testVault();
    const { vault, path, admin } = home;
    const kept: { artifactId: string; digest: string }[] = [];
    let going = true;
    const writer = (async () => {
      for (let round = 0; going; round++) {
        const stored = await vault.artifacts.putBytes(Buffer.from(`file ${round}`));
        await vault.ledger.commit(
          admin,
          { action: 'model.described', subject: `phish@1.0.${round}`, details: {} },
          (tx) => tx.setSetting(`test.${round}`, stored.artifactId),
        );
        kept.push(stored);
      }
    })();
    await vault.rekey(admin, PLAIN);
    going = false;
    await writer;
    await vault.close();
    expect(kept.length).toBeGreaterThan(5);
    const again = await reopened(home, path);
    for (const [round, { artifactId, digest }] of kept.entries()) {
      expect(again.store.read.setting(`test.${round}`)).toBe(artifactId);
      expect((await again.artifacts.getBytes(artifactId, digest)).toString()).toBe(`file ${round}`);
    }
    expect((await again.ledger.witness()).status).toBe('agrees');
  });

  test('a log that is being read at the moment of the exchange is waited for', async () => {
    const { vault, admin } = await testVault();
    const rows = vault.store.read.audit.rows();
    rows.next();
    const rekeyed = vault.rekey(admin, PLAIN);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(rows.next().done).toBe(false);
    rows.return?.();
    expect(await rekeyed).toMatchObject({ full: false });
  });

  test('a damaged file is left as it is and told; the others get their keys', async () => {
    const { vault, path, admin } = await testVault();
    const good = await vault.artifacts.putBytes(CONTENT);
    const bad = await vault.artifacts.putBytes(CONTENT);
    writeFileSync(artifactFile(path, bad.artifactId), 'nothing of an age file');
    const outcome = await vault.rekey(admin, { ...PLAIN, full: true });
    expect(outcome).toMatchObject({ artifacts: 1, damaged: 1 });
    expect(readFileSync(artifactFile(path, bad.artifactId), 'utf8')).toBe('nothing of an age file');
    expect((await vault.artifacts.getBytes(good.artifactId, good.digest)).equals(CONTENT)).toBe(true);
  });
});

/** A machine whose rekey worker fails where it is told to. */
function failingMachine(fail: Partial<RekeyWorker>): { home: Machine; repair(): void } {
  let broken = true;
  const home = machine();
  const { rekeyWorker, system } = home.adapters;
  const adapters = {
    ...home.adapters,
    system: { ...system, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) },
    rekeyWorker: (path: string) => {
      const worker = rekeyWorker(path);
      return broken ? { ...worker, ...fail } : worker;
    },
  };
  return {
    home: { ...home, adapters },
    repair: () => {
      broken = false;
    },
  };
}

describe('a rekey that fails', () => {
  const crash = (): Promise<never> => Promise.reject(new Error('the disk went away'));

  test('before the exchange: the vault keeps its keys, open and closed', async () => {
    const { home } = failingMachine({ copyDatabase: crash });
    const { vault, path, admin, recoveryKey } = await testVault({ machine: home });
    const { recipient } = vault;
    await expect(vault.rekey(admin, { ...PLAIN, newRecoveryKey: true })).rejects.toThrow('went away');
    expect(vault.recipient).toBe(recipient);
    await vault.ledger.commit(
      admin,
      { action: 'model.described', subject: 'x', details: {} },
      () => undefined,
    );
    await vault.close();
    expect(existsSync(join(path, 'next-registry.db'))).toBe(false);
    expect((await reopened(home, path)).recipient).toBe(recipient);
    const recovered = await recoverVault(machine().adapters, path, {
      recoveryKey,
      keys: { kind: 'keychain' },
    });
    expect(recovered.recipient).toBe(recipient);
    await recovered.close();
  });

  test('after the exchange: the vault works on, and the next rekey or opening brings it to its end', async () => {
    const { home, repair } = failingMachine({ moveArtifact: crash });
    const { vault, path, admin, recoveryKey } = await testVault({ machine: home });
    const stored = await vault.artifacts.putBytes(CONTENT);
    const { recipient } = vault;
    await expect(vault.rekey(admin, { ...PLAIN, newRecoveryKey: true })).rejects.toThrow('went away');
    expect(vault.recipient).not.toBe(recipient);
    expect((await vault.artifacts.getBytes(stored.artifactId, stored.digest)).equals(CONTENT)).toBe(true);
    await vault.secrets.set('endpoint-token/x', 'meanwhile');
    // A second attempt that fails as well must not lose the first keys: the file is still theirs.
    await expect(vault.rekey(admin, PLAIN)).rejects.toThrow('went away');
    repair();
    await vault.close();

    const again = await reopened(home, path);
    expect((await again.artifacts.getBytes(stored.artifactId, stored.digest)).equals(CONTENT)).toBe(true);
    const last = [...again.store.read.audit.entries()].at(-1);
    expect(last).toMatchObject({
      action: 'vault.rekeyed',
      actor: 'system',
      details: { resumed: true, by: 'ada' },
    });
    // Nobody saw the new recovery key: the one before still recovers everything.
    await again.close();
    const recovered = await recoverVault(machine().adapters, path, {
      recoveryKey,
      keys: { kind: 'keychain' },
    });
    expect(await recovered.secrets.get('endpoint-token/x')).toBe('meanwhile');
    await recovered.close();
  });

  test('cancelled while the database is copied: the vault keeps its keys', async () => {
    const { vault, path, admin } = await testVault();
    const { recipient } = vault;
    const controller = new AbortController();
    const job = {
      signal: controller.signal,
      progress: (phase: string) => {
        if (phase === 'database') setTimeout(() => controller.abort(), 20);
      },
    };
    await expect(vault.rekey(admin, PLAIN, job)).rejects.toMatchObject({ code: 'cancelled' });
    expect(vault.recipient).toBe(recipient);
    expect(existsSync(join(path, 'next-registry.db'))).toBe(false);
    expect(await vault.rekey(admin, PLAIN)).toMatchObject({ full: false });
  });

  test('is refused while another process has the vault open, and beside another rekey', async () => {
    const { home } = failingMachine({});
    const { vault, path, admin } = await testVault({ machine: home });
    const other = await reopened(home, path);
    await expect(vault.rekey(admin, PLAIN)).rejects.toMatchObject({ code: 'conflict' });
    // Both go on as before.
    await other.ledger.commit(
      admin,
      { action: 'model.described', subject: 'x', details: {} },
      () => undefined,
    );
    await other.close();
    const first = vault.rekey(admin, PLAIN);
    await expect(vault.rekey(admin, PLAIN)).rejects.toMatchObject({ code: 'conflict' });
    await expect(openVault(home.adapters, path)).rejects.toMatchObject({ code: 'conflict' });
    await first;
  });
});

describe('the copy of a database under its next key', () => {
  test('has no plaintext page at any moment, keeps row numbers, and opens with the next key alone', () => {
    const directory = temporaryDirectory();
    const [source, target] = [join(directory, 'a.db'), join(directory, 'b.db')];
    const [key, next] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const db = openDatabase(source, key, { create: true });
    db.exec('CREATE TABLE t (name TEXT PRIMARY KEY, value TEXT)');
    for (const name of ['gone', 'first', 'second'])
      db.run('INSERT INTO t VALUES (?, ?)', name, 'the secret of a row');
    db.run('DELETE FROM t WHERE name = ?', 'gone');
    // With the log not yet written back.
    copyUnderNextKey(source, target, key, next);
    db.close();
    expect(readFileSync(target).includes('the secret of a row')).toBe(false);
    expect(readFileSync(target).subarray(0, 15).toString('latin1')).not.toBe('SQLite format 3');
    expect(() => openDatabase(target, key)).toThrow(expect.objectContaining({ code: 'integrity.vault' }));
    const copy = openDatabase(target, next);
    expect(copy.all('SELECT rowid, name FROM t ORDER BY rowid')).toEqual([
      { rowid: 2, name: 'first' },
      { rowid: 3, name: 'second' },
    ]);
    copy.close();
  });

  test('leaves nothing where the key does not fit', () => {
    const directory = temporaryDirectory();
    const source = join(directory, 'a.db');
    openDatabase(source, Buffer.alloc(32, 1), { create: true }).close();
    expect(() =>
      copyUnderNextKey(source, join(directory, 'b.db'), Buffer.alloc(32, 3), Buffer.alloc(32, 2)),
    ).toThrow();
    expect(readdirSync(directory)).toEqual(['a.db']);
  });
});
