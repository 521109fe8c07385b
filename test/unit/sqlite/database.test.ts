import { createDecipheriv, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EncryptedDatabase, openDatabase } from '../../../shared/node/sqlite/database.ts';
import { tryExclusiveLock } from '../../../shared/node/sqlite/exclusive-lock.ts';
import { type Migration, migrate, schemaVersion } from '../../../shared/node/sqlite/migrate.ts';
import { temporaryDirectory } from '../../support/temp.ts';

const KEY = randomBytes(32);

function fresh(): { path: string; db: EncryptedDatabase } {
  const path = join(temporaryDirectory(), 'test.db');
  return { path, db: openDatabase(path, KEY, { create: true }) };
}

describe('the file is in SQLCipher 4 format', () => {
  /**
   * Page 1 as https://www.zetetic.net/sqlcipher/design/ lays it out: 16 bytes of salt in place of SQLite's magic, the
   * page's ciphertext (AES-256-CBC), then in the last 80 bytes the IV and an HMAC-SHA512 over ciphertext, IV and the
   * page number in little-endian. The HMAC key is derived from the key with two rounds of PBKDF2 over salt XOR 0x3a.
   */
  test('page 1 authenticates and decrypts with nothing but node:crypto', () => {
    const { path, db } = fresh();
    db.exec('CREATE TABLE evidence (a TEXT)');
    db.close();
    const page = readFileSync(path).subarray(0, 4096);
    const salt = page.subarray(0, 16);
    const body = page.subarray(16, 4096 - 64);
    const macKey = pbkdf2Sync(
      KEY,
      salt.map((byte) => byte ^ 0x3a),
      2,
      32,
      'sha512',
    );
    const mac = createHmac('sha512', macKey)
      .update(body)
      .update(Uint8Array.of(1, 0, 0, 0))
      .digest();
    expect(mac).toEqual(page.subarray(4096 - 64));

    const decipher = createDecipheriv('aes-256-cbc', KEY, page.subarray(4096 - 80, 4096 - 64)).setAutoPadding(
      false,
    );
    const plain = Buffer.concat([decipher.update(page.subarray(16, 4096 - 80)), decipher.final()]);
    // SQLite's header from byte 16 on: page size 4096, WAL twice, 80 reserved bytes, then the fixed fractions.
    expect([...plain.subarray(0, 8)]).toEqual([0x10, 0x00, 2, 2, 80, 64, 32, 32]);
    expect(plain.toString('latin1')).toContain('CREATE TABLE evidence (a TEXT)');
  });

  test('a flipped bit is noticed', () => {
    const { path, db } = fresh();
    db.exec('CREATE TABLE evidence (a TEXT)');
    db.close();
    const bytes = readFileSync(path);
    bytes[2000] = (bytes[2000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(() => openDatabase(path, KEY)).toThrow(expect.objectContaining({ code: 'integrity.vault' }));
  });
});

describe('opening', () => {
  test('survives a crash-safe set-up: WAL, full synchronisation, temporary data in memory, foreign keys', () => {
    const { db } = fresh();
    expect(
      ['journal_mode', 'synchronous', 'temp_store', 'foreign_keys'].map((name) => db.pragma(name)),
    ).toEqual(['wal', 2, 2, 1]);
    db.close();
  });

  test('of an emptied file is an integrity error: no new database takes its place, and no log beside it is lost', () => {
    const { path, db } = fresh();
    db.exec('CREATE TABLE evidence (a TEXT)');
    const log = readFileSync(`${path}-wal`);
    db.close();
    writeFileSync(path, '');
    writeFileSync(`${path}-wal`, log);
    expect(() => openDatabase(path, KEY)).toThrow(expect.objectContaining({ code: 'integrity.vault' }));
    expect([readFileSync(path), readFileSync(`${path}-wal`)]).toEqual([Buffer.alloc(0), log]);
  });

  test('with another key is an integrity error and leaves the file as it is', () => {
    const { path, db } = fresh();
    db.exec('CREATE TABLE evidence (a TEXT)');
    db.close();
    const before = readFileSync(path);
    expect(() => openDatabase(path, randomBytes(32))).toThrow(
      expect.objectContaining({ code: 'integrity.vault' }),
    );
    expect(readFileSync(path)).toEqual(before);
  });

  test('where there is nothing creates nothing', () => {
    const path = join(temporaryDirectory(), 'absent.db');
    expect(() => openDatabase(path, KEY)).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(existsSync(path)).toBe(false);
  });

  test('to create over an existing database is refused', () => {
    const { path, db } = fresh();
    db.exec('CREATE TABLE evidence (a TEXT)');
    db.close();
    expect(() => openDatabase(path, KEY, { create: true })).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
  });

  test('a plain database is not taken for one of ours', () => {
    const path = join(temporaryDirectory(), 'plain.db');
    writeFileSync(path, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4080)]));
    expect(() => openDatabase(path, KEY)).toThrow(expect.objectContaining({ code: 'integrity.vault' }));
  });
});

test('neither the database nor its write-ahead log holds plaintext, also while it is open', () => {
  const { path, db } = fresh();
  db.exec('CREATE TABLE evidence (a TEXT)');
  for (let row = 0; row < 100; row++) db.run('INSERT INTO evidence VALUES (?)', `marker-of-plaintext-${row}`);
  const log = readFileSync(`${path}-wal`);
  expect(log.length).toBeGreaterThan(4096);
  expect(log.includes('marker-of-plaintext')).toBe(false);
  expect(readFileSync(path).includes('marker-of-plaintext')).toBe(false);
  db.close();
});

describe('a transaction', () => {
  test('on a full disk keeps nothing of itself and everything from before', () => {
    const { db } = fresh();
    db.exec('CREATE TABLE t (a TEXT) STRICT');
    db.run('INSERT INTO t VALUES (?)', 'before');
    // A database that may not grow says the same as a disk that is full.
    db.pragma('max_page_count=4');
    const write = (): void => {
      for (let row = 0; row < 100; row++) db.run('INSERT INTO t VALUES (?)', 'x'.repeat(3000));
    };
    expect(() => db.immediate(write)).toThrow(expect.objectContaining({ code: 'disk.full' }));
    expect(db.all('SELECT a FROM t')).toEqual([{ a: 'before' }]);
    db.pragma('max_page_count=1000000');
    db.immediate(write);
    expect(db.all('SELECT a FROM t')).toHaveLength(101);
    db.close();
  });

  test('keeps nothing of work that throws', () => {
    const { db } = fresh();
    db.exec('CREATE TABLE t (a TEXT UNIQUE) STRICT');
    expect(() =>
      db.immediate(() => {
        db.run('INSERT INTO t VALUES (?)', 'x');
        throw new Error('changed my mind');
      }),
    ).toThrow('changed my mind');
    expect(db.all('SELECT * FROM t')).toEqual([]);
    db.close();
  });

  test('says which record is there already', () => {
    const { db } = fresh();
    db.exec('CREATE TABLE t (a TEXT UNIQUE) STRICT');
    db.run('INSERT INTO t VALUES (?)', 'x');
    expect(() => db.run('INSERT INTO t VALUES (?)', 'x')).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    );
    db.close();
  });
});

describe('migrations', () => {
  const one: Migration = { number: 1, title: 'one', sql: 'CREATE TABLE a (x TEXT)' };
  const two: Migration = { number: 2, title: 'two', sql: 'CREATE TABLE b (x TEXT)' };

  test('run forward, each once', () => {
    const { db } = fresh();
    expect(migrate(db, [one])).toEqual([1]);
    expect(migrate(db, [one, two])).toEqual([2]);
    expect(migrate(db, [one, two])).toEqual([]);
    expect(schemaVersion(db)).toBe(2);
    db.close();
  });

  test('of a newer program are refused, and nothing is changed', () => {
    const { db } = fresh();
    migrate(db, [one, two]);
    expect(() => migrate(db, [one])).toThrow(expect.objectContaining({ code: 'vault.newer' }));
    expect(schemaVersion(db)).toBe(2);
    db.close();
  });

  test('that fail leave the schema at the step before', () => {
    const { db } = fresh();
    expect(() =>
      migrate(db, [
        one,
        { number: 2, title: 'broken', sql: 'CREATE TABLE b (x TEXT); CREATE TABLE a (y TEXT)' },
      ]),
    ).toThrow();
    expect(schemaVersion(db)).toBe(1);
    expect(db.all(`SELECT name FROM sqlite_schema WHERE name = 'b'`)).toEqual([]);
    db.close();
  });
});

test('an exclusive lock is held by one, and free after its release', () => {
  const path = join(temporaryDirectory(), 'lock.db');
  const release = tryExclusiveLock(path);
  expect(release).not.toBeNull();
  expect(tryExclusiveLock(path)).toBeNull();
  release?.();
  release?.();
  const again = tryExclusiveLock(path);
  expect(again).not.toBeNull();
  again?.();
});
