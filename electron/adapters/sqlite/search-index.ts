/** Keeps the search's index beside the versions: in the same transaction, so that it never tells of what is not there. */
import type { SearchDocument } from '../../../shared/domain/model/search/document.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import { writeNumber } from './number-columns.ts';

/** Brings what is indexed of one position from `before` (null: nothing) to `after`. */
export function indexDocument(
  db: EncryptedDatabase,
  position: number,
  before: SearchDocument | null,
  after: SearchDocument,
): void {
  const words = after.tokens.join(' ');
  if (before?.tokens.join(' ') !== words) {
    if (before) db.run('DELETE FROM version_words WHERE rowid = ?', position);
    db.run('INSERT INTO version_words (rowid, tokens) VALUES (?, ?)', position, words);
    // Whole values (`=`) are never looked for by their beginning. A word that no version has any more does no harm.
    for (const token of after.tokens)
      if (!token.includes('=')) db.run('INSERT OR IGNORE INTO version_terms (term) VALUES (?)', token);
  }
  for (const field of before?.numbers.keys() ?? [])
    if (!after.numbers.has(field)) writeNumber(db, field, position, null);
  for (const [field, value] of after.numbers)
    if (before?.numbers.get(field) !== value) writeNumber(db, field, position, value);
}

const AT_ONCE = 500;

/**
 * Indexes the versions that a vault had before it had this index; answers how many. `documentOf` makes a version's
 * document. A stop in between loses nothing: each transaction notes how far it came.
 */
export function indexMissing(
  db: EncryptedDatabase,
  documentOf: (position: number) => SearchDocument,
): number {
  let done = 0;
  for (;;) {
    const positions = db.immediate(() => {
      const next = db.column<number>(
        'SELECT position FROM versions WHERE position > (SELECT indexed FROM registry_counts) ORDER BY position LIMIT ?',
        AT_ONCE,
      );
      for (const position of next) indexDocument(db, position, null, documentOf(position));
      const last = next.at(-1);
      if (last !== undefined) db.run('UPDATE registry_counts SET indexed = ?', last);
      return next;
    });
    done += positions.length;
    if (positions.length < AT_ONCE) return done;
  }
}
