import { type AuditQuery, parseAuditQuery } from '../../../shared/domain/audit/query.ts';
import type { EncryptedDatabase, SqlValue } from '../../../shared/node/sqlite/database.ts';

/** Newest entries a query finds: their numbers, and how many there are in all. */
export interface AuditMatches {
  readonly seqs: readonly number[];
  readonly total: number;
}

/** Finds entries numbered below `before` (null: all), newest first. `input.invalid` where the text is no query. */
export function searchAudit(
  db: EncryptedDatabase,
  text: string,
  before: number | null,
  limit: number,
): AuditMatches {
  const query = parseAuditQuery(text);
  const range = rangeOf(db, query);
  if (range === null) return { seqs: [], total: 0 };
  const match = matchOf(query);
  // The index of words is walked by number from its end, so a page stops where it is full.
  const [table, number] = match === null ? ['audit_entries', 'seq'] : ['audit_words', 'rowid'];
  const conditions = [`${number} BETWEEN ? AND ?`];
  const values: SqlValue[] = [range.first, range.last];
  if (match !== null) {
    conditions.push('audit_words MATCH ?');
    values.push(match);
  }
  if (!range.exact) {
    conditions.push(`${number} IN (SELECT t.seq FROM audit_entries t WHERE t.at >= ? AND t.at < ?)`);
    values.push(...bounds(query));
  }
  const where = conditions.join(' AND ');
  const seqs = db
    .all<{ seq: number }>(
      `SELECT ${number} AS seq FROM ${table} WHERE ${where} AND ${number} < ? ORDER BY ${number} DESC LIMIT ?`,
      ...values,
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    )
    .map(({ seq }) => seq);
  // A first page that is not full is all there is.
  const total =
    before === null && seqs.length < limit
      ? seqs.length
      : (db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${where}`, ...values)?.n ?? 0);
  return { seqs, total };
}

/** `at` is text of one form, so that its order is that of time; a bound is a beginning of such a text. */
function bounds({ after, before }: AuditQuery): [string, string] {
  return [after ?? '', before ?? '\u{10ffff}'];
}

/**
 * The numbers between which entries of the time asked for lie; null: there are none. `exact`: all of them are. Only a
 * clock that was set back makes a difference.
 */
function rangeOf(
  db: EncryptedDatabase,
  query: AuditQuery,
): { readonly first: number; readonly last: number; readonly exact: boolean } | null {
  if (query.after === null && query.before === null)
    return { first: Number.MIN_SAFE_INTEGER, last: Number.MAX_SAFE_INTEGER, exact: true };
  const found = db.get<{ first: number | null; last: number | null; n: number }>(
    'SELECT min(seq) AS first, max(seq) AS last, count(*) AS n FROM audit_entries WHERE at >= ? AND at < ?',
    ...bounds(query),
  );
  if (!found || found.first === null || found.last === null) return null;
  return { first: found.first, last: found.last, exact: found.last - found.first + 1 === found.n };
}

/** The query's words, actors and actions in the language of FTS5; null where it has none. */
function matchOf({ terms }: AuditQuery): string | null {
  if (terms.length === 0) return null;
  const of = (negated: boolean): string[] =>
    terms.filter((term) => term.negated === negated).map(({ condition }) => expressionOf(condition));
  const wanted = of(false);
  const unwanted = of(true);
  const all = wanted.length === 0 ? '(facts : "every")' : wanted.join(' AND ');
  return unwanted.length === 0 ? all : `(${all}) NOT (${unwanted.join(' OR ')})`;
}

function expressionOf(condition: AuditQuery['terms'][number]['condition']): string {
  if (condition.kind === 'words') {
    const columns = condition.field === null ? '{subject words}' : 'subject';
    return `(${columns} : "${condition.text.replaceAll('"', '""')}"${condition.whole ? '' : '*'})`;
  }
  // As the trigger writes them: one letter for the kind, then the bytes of the name.
  const token = `${condition.kind === 'actor' ? 'a' : 'x'}${Buffer.from(condition.text, 'utf8').toString('hex')}`;
  return `(facts : "${token}"${condition.begins ? '*' : ''})`;
}
