import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../electron/adapters/sqlite/migrations.ts';
import { openStore } from '../../electron/adapters/sqlite/store.ts';
import type { Store } from '../../electron/ports/stores.ts';
import { type AuditEntryDraft, makeEntry } from '../../shared/domain/audit/chain.ts';
import type { AuditHead } from '../../shared/domain/audit/entry.ts';
import { openDatabase } from '../../shared/node/sqlite/database.ts';
import { migrate } from '../../shared/node/sqlite/migrate.ts';
import { KEY, store } from '../support/store.ts';
import { temporaryDirectory } from '../support/temp.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

const DRAFTS: readonly AuditEntryDraft[] = [
  {
    at: '2026-01-01T08:00:00.000Z',
    actor: 'ada',
    action: 'model.added',
    subject: 'phish-url@1.0.0',
    details: {},
  },
  {
    at: '2026-01-02T08:00:00.000Z',
    actor: 'ada.l',
    action: 'model.revoked',
    subject: 'phish-url@1.0.0',
    details: { reason: 'poisoned Daten: ö' },
  },
  {
    at: '2026-01-03T08:00:00.000Z',
    actor: 'ben',
    action: 'rows.viewed',
    subject: 'malware@2.1.0',
    details: { rows: 12 },
  },
  // The clock was set back.
  {
    at: '2025-12-31T08:00:00.000Z',
    actor: 'ben',
    action: 'model.aliased',
    subject: 'malware@2.1.0',
    details: { alias: 'champion' },
  },
  {
    at: '2026-02-01T08:00:00.000Z',
    actor: 'system',
    action: 'rollout.verdict',
    subject: 'r1',
    details: { of: 'phish-url' },
  },
];

function fill(target: Store): void {
  let head: AuditHead | null = null;
  for (const draft of DRAFTS) {
    const { entry, line } = makeEntry(head, draft, sha256);
    target.transaction((tx) => tx.audit.append(entry, line));
    head = { seq: entry.seq, hash: entry.hash };
  }
}

const QUERIES: readonly [string, readonly number[]][] = [
  ['', [5, 4, 3, 2, 1]],
  ['actor:ada', [1]],
  ['actor:ada*', [2, 1]],
  ['action:model.*', [4, 2, 1]],
  ['action:model.added', [1]],
  ['-action:model.*', [5, 3]],
  ['subject:phish', [2, 1]],
  ['phish', [5, 2, 1]],
  ['phish-url@1.0', [2, 1]],
  ['"phish"', [5, 2, 1]],
  ['"phis"', []],
  ['poison', [2]],
  ['zz', []],
  ['"ö"', [2]],
  ['reason', [2]],
  ['phish -subject:phish', [5]],
  ['after:2026-01-02', [5, 3, 2]],
  ['before:2026-01-02', [4, 1]],
  ['after:2026-01-02 before:2026-01-03', [2]],
  ['actor:ben after:2026', [3]],
  ['after:2027', []],
  ['actor:nobody', []],
];

describe('searching the audit log', () => {
  test.each(QUERIES)('%s', (text, seqs) => {
    const opened = store();
    fill(opened);
    const found = opened.read.audit.page({ before: null, limit: 10, text });
    expect(found.entries.map(({ seq }) => seq)).toEqual(seqs);
    expect(found.total).toBe(seqs.length);
  });

  test('goes on page by page, and counts all of them', () => {
    const opened = store();
    fill(opened);
    const page = (before: number | null) => {
      const { entries, total } = opened.read.audit.page({ before, limit: 2, text: 'phish' });
      return { seqs: entries.map(({ seq }) => seq), total };
    };
    expect(page(null)).toEqual({ seqs: [5, 2], total: 3 });
    expect(page(2)).toEqual({ seqs: [1], total: 3 });
  });

  test('no text of a query reaches the database as anything but words', () => {
    const opened = store();
    fill(opened);
    for (const text of [
      'a" OR "b',
      'words :x*',
      "x'); DROP TABLE audit_entries;",
      'NEAR(a b)',
      'subject:a"b',
    ])
      expect(() => opened.read.audit.page({ before: null, limit: 10, text })).not.toThrow();
    expect(opened.read.audit.page({ before: null, limit: 10, text: '' }).total).toBe(5);
  });

  test('finds what a vault of the first schema wrote, once it is opened', () => {
    const path = join(temporaryDirectory(), 'registry.db');
    const db = openDatabase(path, KEY, { create: true });
    migrate(db, MIGRATIONS.slice(0, 1));
    let head: AuditHead | null = null;
    for (const draft of DRAFTS) {
      const { entry, line } = makeEntry(head, draft, sha256);
      db.run(
        'INSERT INTO audit_entries (seq, canonical, hash) VALUES (?, ?, ?)',
        entry.seq,
        line,
        entry.hash,
      );
      head = { seq: entry.seq, hash: entry.hash };
    }
    db.run(`INSERT INTO audit_entries (seq, canonical, hash) VALUES (6, 'edited by hand', '')`);
    db.close();
    const opened = openStore(path, KEY);
    expect(opened.read.audit.page({ before: null, limit: 10, text: 'poison' }).total).toBe(1);
    opened.close();
  });
});
