import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openVault } from '../../../electron/services/vault/index.ts';
import { lineOf, parseLine } from '../../../shared/domain/audit/chain.ts';
import { type EncryptedDatabase, openDatabase } from '../../../shared/node/sqlite/database.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, knowTestActors, type TestVault, testVault } from '../../support/vault.ts';
import { auditOf, write } from './support.ts';

const auditor = actorWith('auditor');

/** The database as somebody with its key sees it. */
async function tamper(home: TestVault, edit: (db: EncryptedDatabase) => void): Promise<void> {
  const keys = JSON.parse((await home.keychain.get(home.vault.id)?.get('vault-keys')) ?? '{}') as {
    databaseKey: string;
  };
  const db = openDatabase(join(home.path, 'registry.db'), Buffer.from(keys.databaseKey, 'hex'));
  edit(db);
  db.close();
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** Rewrites all entries from `from` on so that the chain holds again: what an attacker with the key would do. */
function rechain(db: EncryptedDatabase, from: number, change: (subject: string) => string): void {
  let previous =
    db.get<{ hash: string }>('SELECT hash FROM audit_entries WHERE seq = ?', from - 1)?.hash ?? '';
  for (const { seq, canonical } of db.all<{ seq: number; canonical: string }>(
    'SELECT seq, canonical FROM audit_entries WHERE seq >= ? ORDER BY seq',
    from,
  )) {
    const entry = parseLine(canonical, sha256);
    const line = lineOf({ ...entry, subject: change(entry.subject), previous });
    previous = createHash('sha256').update(line).digest('hex');
    db.run('UPDATE audit_entries SET canonical = ?, hash = ? WHERE seq = ?', line, previous, seq);
  }
}

test('an honest log of 25 entries proves itself, and agrees with the keychain', async () => {
  const home = await testVault();
  await write(home, 23);
  const verdict = await auditOf(home).verify(auditor);
  expect(verdict).toMatchObject({ ok: true, entries: 25, problems: [], checkpointsChecked: 2 });
  expect(verdict.witnesses).toEqual([
    {
      name: 'keychain',
      status: 'agrees',
      detail: 'entry 25',
      proves: expect.stringContaining('The log ends where it ended'),
    },
  ]);
  expect(verdict.unproven).toEqual([]);
});

describe('an edited log is found, and the first bad entry is named', () => {
  test.each<[string, (db: EncryptedDatabase) => void, number]>([
    [
      'an edited text',
      (db) =>
        db.run(`UPDATE audit_entries SET canonical = replace(canonical, '"ada"', '"bob"') WHERE seq = 7`),
      7,
    ],
    ['a text that is no entry', (db) => db.run(`UPDATE audit_entries SET canonical = '{}' WHERE seq = 7`), 7],
    [
      'a text with a space in it',
      (db) =>
        db.run(
          `UPDATE audit_entries SET canonical = replace(canonical, '"action":', '"action": ') WHERE seq = 7`,
        ),
      7,
    ],
    [
      'an edited hash',
      (db) => db.run(`UPDATE audit_entries SET hash = '${'a'.repeat(64)}' WHERE seq = 7`),
      7,
    ],
    ['a hash that is none', (db) => db.run(`UPDATE audit_entries SET hash = 'x' WHERE seq = 7`), 7],
    ['a deleted entry', (db) => db.run('DELETE FROM audit_entries WHERE seq = 7'), 7],
    ['the first entry deleted', (db) => db.run('DELETE FROM audit_entries WHERE seq = 1'), 1],
    ['the last entry deleted', (db) => db.run('DELETE FROM audit_entries WHERE seq = 25'), 25],
    ['the end cut off at a checkpoint', (db) => db.run('DELETE FROM audit_entries WHERE seq > 20'), 21],
    ['everything deleted', (db) => db.run('DELETE FROM audit_entries'), 1],
    [
      'two entries swapped',
      (db) => {
        db.run('UPDATE audit_entries SET seq = 1000 WHERE seq = 7');
        db.run('UPDATE audit_entries SET seq = 7 WHERE seq = 8');
        db.run('UPDATE audit_entries SET seq = 8 WHERE seq = 1000');
      },
      7,
    ],
    [
      'a copy inserted at the end',
      (db) => db.run('INSERT INTO audit_entries SELECT 26, canonical, hash FROM audit_entries WHERE seq = 7'),
      7,
    ],
    [
      'an entry before the first',
      (db) => db.run('INSERT INTO audit_entries SELECT 0, canonical, hash FROM audit_entries WHERE seq = 7'),
      0,
    ],
    ['the end re-chained', (db) => rechain(db, 22, (subject) => `${subject}!`), 25],
    ['everything re-chained from entry 7 on', (db) => rechain(db, 7, (subject) => `${subject}!`), 10],
  ])('%s', async (_what, edit, firstBad) => {
    const home = await testVault();
    await write(home, 23);
    await tamper(home, (db) => {
      edit(db);
    });
    const verdict = await auditOf(home).verify(auditor);
    expect(verdict.ok).toBe(false);
    expect(verdict.problems[0]?.seq).toBe(firstBad);
  });

  test.each(['vault.recipient', 'vault.recovery-recipient', 'vault.checkpoint-key'])(
    'an exchanged setting, %s',
    async (key) => {
      const home = await testVault();
      const { recipient } = await home.adapters.keys.generateIdentity();
      await tamper(home, (db) => {
        db.run('UPDATE settings SET value = ? WHERE key = ?', recipient, key);
      });
      const verdict = await auditOf(home).verify(auditor);
      expect(verdict).toMatchObject({
        ok: false,
        problems: [{ seq: 1, problem: expect.stringContaining(key) }],
      });
    },
  );

  test('and nothing more is written over a log that the keychain contradicts', async () => {
    const home = await testVault();
    await write(home, 10);
    await home.vault.close();
    await tamper(home, (db) => db.run('DELETE FROM audit_entries WHERE seq > 8'));
    const again = await openVault(home.adapters, home.path);
    await expect(
      again.ledger.commit(null, { action: 'model.described', subject: 'x', details: {} }, () => undefined),
    ).rejects.toMatchObject({ code: 'integrity.audit' });
    expect(again.store.read.audit.head()?.seq).toBe(8);
    expect(JSON.parse((await home.keychain.get(again.id)?.get('audit-head')) ?? '{}')).toMatchObject({
      seq: 12,
    });
    await again.close();
  });

  test('a whole older copy of the database is found by the keychain', async () => {
    const home = await testVault();
    await write(home, 5);
    await home.vault.close();
    const older = readFileSync(join(home.path, 'registry.db'));
    const again = await openVault(home.adapters, home.path);
    await again.ledger.commit(
      null,
      { action: 'model.described', subject: 'x', details: {} },
      () => undefined,
    );
    await again.close();
    writeFileSync(join(home.path, 'registry.db'), older);
    const rolledBack = await openVault(home.adapters, home.path);
    knowTestActors(rolledBack);
    const verdict = await auditOf({ ...home, vault: rolledBack }).verify(auditor);
    expect(verdict.witnesses[0]).toMatchObject({ status: 'contradicts' });
    expect(verdict.problems[0]?.seq).toBe(8);
    await rolledBack.close();
  });
});

describe('witnesses', () => {
  test('a database ahead of the keychain is sound, and the next commit advances it', async () => {
    const home = await testVault();
    await write(home, 3);
    const secrets = home.keychain.get(home.vault.id);
    const third = home.vault.store.read.audit.entry(3);
    await secrets?.set('audit-head', JSON.stringify({ seq: 3, hash: third?.hash }));
    expect((await auditOf(home).verify(auditor)).witnesses[0]).toMatchObject({ status: 'behind' });
    await write(home, 1);
    expect((await auditOf(home).verify(auditor)).witnesses[0]).toMatchObject({ status: 'agrees' });
  });

  test('a vault whose secrets are a file has no local witness, and says so', async () => {
    const home = await testVault({ keys: { kind: 'passphrase', passphrase: 'a long enough passphrase' } });
    await write(home, 1);
    const verdict = await auditOf(home).verify(auditor);
    expect(verdict.ok).toBe(true);
    expect(verdict.witnesses[0]).toMatchObject({
      status: 'absent',
      detail: expect.stringContaining('no local witness'),
    });
  });

  test("an agent's checkpoint shows a log that was re-chained together with keychain and local checkpoints", async () => {
    const home = await testVault();
    await write(home, 10);
    const held = home.vault.store.read.audit.checkpoints().map(({ note }) => note);
    await home.vault.close();
    await tamper(home, (db) => {
      rechain(db, 5, (subject) => `${subject}!`);
      db.run('DELETE FROM audit_checkpoints');
    });
    await home.keychain.get(home.vault.id)?.delete('audit-head');
    const again = await openVault(home.adapters, home.path);
    knowTestActors(again);
    const blind = await auditOf({ ...home, vault: again }).verify(auditor);
    expect(blind.ok).toBe(true);
    const verdict = await auditOf(
      { ...home, vault: again },
      { fetchCheckpoints: async () => [{ endpoint: 'edge', notes: held }] },
    ).verify(auditor);
    expect(verdict.ok).toBe(false);
    expect(verdict.problems[0]).toMatchObject({ seq: 10, problem: expect.stringContaining('edge') });
    expect(verdict.witnesses[1]).toMatchObject({ name: 'endpoint edge', status: 'contradicts' });
    await again.close();
  });

  test('an endpoint that does not answer accuses nobody; a foreign note does', async () => {
    const home = await testVault();
    const other = await testVault();
    await write(other, 10);
    const foreign = other.vault.store.read.audit.checkpoints().map(({ note }) => note);
    const silent = await auditOf(home, {
      fetchCheckpoints: async () => [{ endpoint: 'edge', notes: [], problem: 'it does not answer' }],
    }).verify(auditor);
    expect(silent).toMatchObject({
      ok: true,
      witnesses: [{}, { status: 'absent', detail: 'it does not answer' }],
    });
    expect(
      await auditOf(home, { fetchCheckpoints: async () => [{ endpoint: 'edge', notes: foreign }] }).verify(
        auditor,
      ),
    ).toMatchObject({ ok: false });
  });

  test('a broken signature is named by its subject', async () => {
    const home = await testVault();
    const checks = [
      { subject: 'phish@1.0.0 by ada', check: () => {} },
      {
        subject: 'phish@1.1.0 by bob',
        check: () => {
          throw new Error('not his key');
        },
      },
    ];
    const verdict = await auditOf(home, { signatureChecks: () => checks }).verify(auditor);
    expect(verdict).toMatchObject({
      ok: false,
      signaturesChecked: 2,
      problems: [{ seq: null, problem: 'phish@1.1.0 by bob: not his key' }],
    });
  });
});

describe('checkpoints', () => {
  test('are made at least every ten entries, and each endpoint is sent the newest once', async () => {
    const home = await testVault();
    const audit = auditOf(home);
    expect(audit.checkpointDue('e1')).toBeNull();
    await write(home, 30);
    const sizes = home.vault.store.read.audit.checkpoints().map(({ size }) => size);
    expect(sizes).toEqual([10, 20, 30]);
    const due = audit.checkpointDue('e1');
    expect(due).toMatchObject({ size: 30, vaultId: home.vault.id });
    audit.checkpointSent(30, 'e1');
    expect(audit.checkpointDue('e1')).toBeNull();
    expect(audit.checkpointDue('e2')).toMatchObject({ size: 30 });
  });

  test('go on in another process where the last one ended', async () => {
    const home = await testVault();
    await write(home, 12);
    const second = await openVault(home.adapters, home.path);
    await write({ ...home, vault: second }, 12);
    await write(home, 12);
    expect(await auditOf(home).verify(auditor)).toMatchObject({ ok: true, checkpointsChecked: 3 });
    await second.close();
  });
});

describe('an export', () => {
  test('is checked by hashing lines alone', async () => {
    const home = await testVault();
    await write(home, 20);
    const path = join(temporaryDirectory(), 'audit.jsonl');
    const exported = await auditOf(home).export(auditor, { path });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const trailer = JSON.parse(lines.pop() ?? '') as {
      head: { seq: number; hash: string };
      checkpoint: string;
    };
    let previous = '0'.repeat(64);
    for (const line of lines) {
      expect((JSON.parse(line) as { previous: string }).previous).toBe(previous);
      previous = createHash('sha256').update(line).digest('hex');
    }
    expect(trailer.head).toEqual({ seq: lines.length, hash: previous });
    expect(exported).toEqual({ path, entries: 23, head: previous });
    expect(trailer.checkpoint).toContain(`sallyport/${home.vault.id}\n23\n`);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ action: 'audit.exported', actor: 'somebody' });
  });

  test('does not overwrite, and is for auditors and administrators', async () => {
    const home = await testVault();
    const path = join(temporaryDirectory(), 'audit.jsonl');
    await auditOf(home).export(auditor, { path });
    await expect(auditOf(home).export(auditor, { path })).rejects.toMatchObject({ code: 'conflict' });
    await expect(auditOf(home).export(actorWith('analyst'), { path })).rejects.toMatchObject({
      code: 'refused.role',
    });
    await expect(auditOf(home).export(auditor, { path: '/nowhere/at/all/x' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
