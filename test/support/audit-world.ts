/** Logs to attack: made by the real ledger in a real encrypted database, changed row by row, and put back. */
import { createHash } from 'node:crypto';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { MemorySecrets } from '../../electron/adapters/keychain/memory-secrets.ts';
import { auditReader } from '../../electron/adapters/sqlite/audit-repository.ts';
import { openStore } from '../../electron/adapters/sqlite/store.ts';
import { createSystem } from '../../electron/adapters/system/system.ts';
import { checkpointTools } from '../../electron/adapters/vault/key-tools.ts';
import { readLines, readSmallText } from '../../electron/adapters/vault/read-lines.ts';
import { writeLines } from '../../electron/adapters/vault/write-lines.ts';
import type { Store } from '../../electron/ports/stores.ts';
import type { AuditDeps } from '../../electron/services/audit/index.ts';
import { verifyLog } from '../../electron/services/audit/verify-log.ts';
import { createLedger, type VaultLedger } from '../../electron/services/ledger-impl.ts';
import { SETTINGS } from '../../electron/services/vault/vault-keys.ts';
import type { AuditHead, AuditVerdict } from '../../shared/domain/audit/entry.ts';
import { type EncryptedDatabase, openDatabase } from '../../shared/node/sqlite/database.ts';
import { temporaryDirectory } from './temp.ts';

const KEY = Buffer.alloc(32, 5);
const system = createSystem();

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

export type Random = (below: number) => number;

/** Mulberry32: the same numbers for the same seed, whatever the machine. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export interface Row {
  seq: number;
  canonical: string;
  hash: string;
}

/** What somebody with the database's key can change: rows, stored checkpoints, and the public key in the settings. */
export interface Copy {
  rows: Row[];
  notes: { size: number; note: string }[];
  key: string;
}

export function copyFrom({ rows, notes, key }: Copy): Copy {
  return { rows: rows.map((row) => ({ ...row })), notes: [...notes], key };
}

export interface World {
  readonly vaultId: string;
  readonly path: string;
  readonly keys: { readonly skey: string; readonly vkey: string };
  /** As it is, untouched. */
  readonly log: Copy;
  /** What the keychain holds. */
  readonly head: AuditHead;
}

export interface OpenWorld {
  readonly path: string;
  readonly vaultId: string;
  readonly keys: { readonly skey: string; readonly vkey: string };
  readonly store: Store;
  readonly ledger: VaultLedger;
  readonly secrets: MemorySecrets;
  /** `count` more entries of mixed kinds. */
  write(count: number): Promise<void>;
  /** Goes on from a copy of the database, as a restore does. */
  restoreFrom(path: string): Promise<void>;
  world(): World;
}

const ACTIONS = ['model.described', 'rows.viewed', 'validation.run', 'session.signed-in'] as const;

/** A vault's database with its ledger, and `vault.created` in it. */
export async function openWorld(vaultId: string): Promise<OpenWorld> {
  const path = join(temporaryDirectory(), 'registry.db');
  const keys = checkpointTools.generate(vaultId);
  const secrets = new MemorySecrets();
  let { store, ledger } = connect(true);

  function connect(create = false): { store: Store; ledger: VaultLedger } {
    const opened = openStore(path, KEY, { create });
    onTestFinished(() => opened.close());
    return {
      store: opened,
      ledger: createLedger({
        vaultId,
        store: opened,
        system,
        secrets,
        checkpoints: checkpointTools,
        checkpointKey: keys.skey,
      }),
    };
  }
  await ledger.commit(
    null,
    { action: 'vault.created', subject: vaultId, details: { checkpointKey: keys.vkey } },
    (tx) => tx.setSetting(SETTINGS.checkpointKey, keys.vkey),
  );
  let written = 0;
  return {
    path,
    vaultId,
    keys,
    secrets,
    get store() {
      return store;
    },
    get ledger() {
      return ledger;
    },
    write: async (count) => {
      for (let index = 0; index < count; index++) {
        written++;
        const action = ACTIONS[written % ACTIONS.length] ?? 'model.described';
        const details = { index: written, of: vaultId, words: ['ä', '\n', { nested: written % 7 === 0 }] };
        await ledger.commit(null, { action, subject: `m@1.0.${written}`, details }, () => undefined);
      }
    },
    restoreFrom: async (backup) => {
      store.close();
      for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
      copyFileSync(backup, path);
      ({ store, ledger } = connect());
      await ledger.restored({ createdAt: '2026-01-01T00:00:00.000Z' });
      await ledger.advance();
    },
    world: () => ({
      vaultId,
      path,
      keys,
      log: {
        rows: [...store.read.audit.rows()],
        notes: store.read.audit.checkpoints().map(({ size, note }) => ({ size, note })),
        key: keys.vkey,
      },
      head: store.read.audit.head() ?? { seq: 0, hash: '' },
    }),
  };
}

/** A copy of the database that holds everything committed so far. */
export function backupOf({ path, store }: OpenWorld): string {
  const target = join(temporaryDirectory(), 'backup.db');
  const db = openDatabase(path, KEY);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  copyFileSync(path, target);
  // Still open and unharmed.
  store.read.audit.head();
  return target;
}

/** A log of `size` entries. */
export async function makeWorld(vaultId: string, size: number): Promise<World> {
  const open = await openWorld(vaultId);
  await open.write(size - 1);
  const world = open.world();
  open.store.close();
  return world;
}

export interface Held {
  /** What the keychain holds; null where there is none. */
  readonly keychain: AuditHead | null;
  /** What an agent holds; null where there is no agent. */
  readonly agent: readonly string[] | null;
}

/** Verifies copies in the real database of a world; each is written, proved and taken back. */
export class DatabaseVerifier {
  readonly #world: World;
  readonly #db: EncryptedDatabase;

  constructor(world: World) {
    this.#world = world;
    this.#db = openDatabase(world.path, KEY);
    onTestFinished(() => this.close());
  }

  close(): void {
    this.#db.close();
  }

  async verify(copy: Copy, held: Held): Promise<AuditVerdict> {
    this.#db.exec('BEGIN');
    try {
      this.#write(copy);
      return await verifyLog(this.#deps(held));
    } finally {
      this.#db.exec('ROLLBACK');
    }
  }

  #write({ rows, notes, key }: Copy): void {
    const db = this.#db;
    const { log } = this.#world;
    const same = new Set(log.rows.map((row) => JSON.stringify(row)));
    const kept = new Set(rows.map((row) => JSON.stringify(row)).filter((row) => same.has(row)));
    for (const row of log.rows)
      if (!kept.has(JSON.stringify(row))) db.run('DELETE FROM audit_entries WHERE seq = ?', row.seq);
    for (const row of rows)
      if (!kept.has(JSON.stringify(row)))
        db.run(
          'INSERT INTO audit_entries (seq, canonical, hash) VALUES (?, ?, ?)',
          row.seq,
          row.canonical,
          row.hash,
        );
    db.run('DELETE FROM audit_checkpoints');
    for (const { size, note } of notes)
      db.run('INSERT INTO audit_checkpoints (size, note) VALUES (?, ?)', size, note);
    db.run('UPDATE settings SET value = ? WHERE key = ?', key, SETTINGS.checkpointKey);
  }

  #deps({ keychain, agent }: Held): AuditDeps {
    const { vaultId, keys } = this.#world;
    const db = this.#db;
    const setting = (key: string): string | null =>
      db.get<{ value: string }>('SELECT value FROM settings WHERE key = ?', key)?.value ?? null;
    // Reading is all that proving a log does.
    const store = { read: { audit: auditReader(db), setting }, unwritable: () => null } as unknown as Store;
    const secrets = new MemorySecrets();
    if (keychain) void secrets.set('audit-head', JSON.stringify(keychain));
    return {
      vaultId,
      store,
      system,
      checkpoints: checkpointTools,
      checkpointVerifier: setting(SETTINGS.checkpointKey) ?? '',
      writeLines,
      signatureChecks: () => [],
      fetchCheckpoints: async () => (agent ? [{ endpoint: 'edge', notes: agent }] : []),
      ledger: createLedger({
        vaultId,
        store,
        system,
        secrets,
        checkpoints: checkpointTools,
        checkpointKey: keys.skey,
      }),
    };
  }
}

/** The file an export of this copy is, where whoever changed the rows made its last line fit. */
export function exportOf(world: World, { rows, notes, key }: Copy): string {
  const last = rows.at(-1);
  const trailer = {
    format: 'sallyport-audit/1',
    vaultId: world.vaultId,
    from: 1,
    entries: rows.length,
    head: { seq: rows.length, hash: last?.hash ?? '0'.repeat(64) },
    before: null,
    checkpoint: notes.at(-1)?.note ?? '',
    checkpointKey: key,
    how: '',
  };
  return [...rows.map(({ canonical }) => canonical), JSON.stringify(trailer), ''].join('\n');
}

export const FILE_DEPS = { system, checkpoints: checkpointTools, readLines, readText: readSmallText };
