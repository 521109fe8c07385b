import { z } from 'zod';
import { type AuditEntry, type AuditHead, auditEntrySchema } from '../../../shared/domain/audit/entry.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { AuditReader, AuditWriter } from '../../ports/stores.ts';
import { searchAudit } from './audit-search.ts';
import { fromJson } from './json.ts';

interface EntryRow {
  readonly seq: number;
  readonly canonical: string;
  readonly hash: string;
}
interface CheckpointRow {
  readonly size: number;
  readonly note: string;
  readonly sent: string;
}
const CHECKPOINTS = `SELECT c.size, c.note, (SELECT json_group_array(d.endpoint_id)
  FROM audit_checkpoint_deliveries d WHERE d.size = c.size) AS sent FROM audit_checkpoints c`;
const SELECT = 'SELECT seq, canonical, hash FROM audit_entries';
/** Rows per read while streaming: a statement left open would block writers on this connection. */
const PAGE = 500;
const bodySchema = auditEntrySchema.omit({ hash: true });

/**
 * The entry is what its hashed text says, so a stored row has nothing else that could be edited unnoticed. The
 * sequence of the row and of the text must agree, otherwise a swapped row would read as if it were in place.
 */
function entryOf(row: EntryRow): AuditEntry {
  const body = fromJson(bodySchema, row.canonical, `audit entry ${row.seq}`);
  if (body.seq !== row.seq) {
    throw new SallyportError(
      'integrity.audit',
      `Audit entry ${row.seq} holds the text of entry ${body.seq}.`,
      {
        hint: 'The log was edited. Run `sallyport audit verify`.',
        facts: { seq: row.seq },
      },
    );
  }
  return { ...body, hash: row.hash };
}

function checkpointOf({ size, note, sent }: CheckpointRow): { size: number; note: string; sentTo: string[] } {
  return { size, note, sentTo: fromJson(z.array(z.string()), sent, 'list of endpoints') };
}

export function auditReader(db: EncryptedDatabase): AuditReader {
  function* rows(fromSeq: number): IterableIterator<EntryRow> {
    let next = fromSeq;
    for (;;) {
      const page = db.all<EntryRow>(`${SELECT} WHERE seq >= ? ORDER BY seq LIMIT ${PAGE}`, next);
      yield* page;
      const last = page.at(-1);
      if (!last || page.length < PAGE) return;
      next = last.seq + 1;
    }
  }
  return {
    rows: (fromSeq = 1) => rows(fromSeq),
    head: () => db.get<AuditHead>('SELECT seq, hash FROM audit_entries ORDER BY seq DESC LIMIT 1') ?? null,
    entry: (seq) => {
      const row = db.get<EntryRow>(`${SELECT} WHERE seq = ?`, seq);
      return row ? entryOf(row) : null;
    },
    *entries(fromSeq = 1) {
      for (const row of rows(fromSeq)) yield entryOf(row);
    },
    *lines(fromSeq = 1) {
      for (const row of rows(fromSeq)) yield row.canonical;
    },
    page: ({ before, limit, text }) => {
      if (text.trim() === '') {
        const found = db.all<EntryRow>(
          `${SELECT} WHERE seq < ? ORDER BY seq DESC LIMIT ?`,
          before ?? Number.MAX_SAFE_INTEGER,
          limit,
        );
        // Numbers have no gaps, so the last one is the count; counting rows would read the whole log.
        const total = db.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM audit_entries')?.seq ?? 0;
        return { entries: found.map(entryOf), total };
      }
      const { seqs, total } = searchAudit(db, text, before, limit);
      const found = seqs.flatMap((seq) => db.get<EntryRow>(`${SELECT} WHERE seq = ?`, seq) ?? []);
      return { entries: found.map(entryOf), total };
    },
    newestCheckpoint: () => {
      const newest = db.get<CheckpointRow>(`${CHECKPOINTS} ORDER BY c.size DESC LIMIT 1`);
      return newest ? checkpointOf(newest) : null;
    },
    notes: () =>
      db.all<{ note: string }>('SELECT note FROM audit_checkpoints ORDER BY size').map(({ note }) => note),
    checkpoints: () => db.all<CheckpointRow>(`${CHECKPOINTS} ORDER BY c.size`).map(checkpointOf),
  };
}

export function auditWriter(db: EncryptedDatabase): AuditWriter {
  return {
    ...auditReader(db),
    append: (entry, canonical) => {
      db.run(
        'INSERT INTO audit_entries (seq, canonical, hash) VALUES (?, ?, ?)',
        entry.seq,
        canonical,
        entry.hash,
      );
    },
    saveCheckpoint: (size, note) => {
      db.run('INSERT INTO audit_checkpoints (size, note) VALUES (?, ?) ON CONFLICT DO NOTHING', size, note);
    },
    markCheckpointSent: (size, endpointId) => {
      db.run(
        'INSERT INTO audit_checkpoint_deliveries (size, endpoint_id) VALUES (?, ?) ON CONFLICT DO NOTHING',
        size,
        endpointId,
      );
    },
  };
}
