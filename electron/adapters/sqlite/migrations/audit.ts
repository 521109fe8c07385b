/**
 * Audit log: search.
 *
 * - `audit_words`: what each entry says, for full-text search; rowid = seq. Contentless, because the entry itself is
 *   what is read and proved. `facts` holds actor and action as one token each, in hexadecimal, so that they are found
 *   exactly and by their beginning, and one token that every entry has, from which others are taken away.
 * - `at`: read out of the hashed text, so there is no second copy that could be edited.
 *
 * Nothing here is hashed or trusted: proving the log reads the rows alone.
 */
export const AUDIT = `
ALTER TABLE audit_entries ADD COLUMN at TEXT
  GENERATED ALWAYS AS (iif(json_valid(canonical), json_extract(canonical, '$.at'), NULL)) VIRTUAL;
CREATE INDEX audit_by_at ON audit_entries (at);

CREATE VIRTUAL TABLE audit_words USING fts5(
  subject, words, facts, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER audit_entries_indexed AFTER INSERT ON audit_entries WHEN json_valid(new.canonical) BEGIN
  INSERT INTO audit_words (rowid, subject, words, facts) VALUES (
    new.seq,
    json_extract(new.canonical, '$.subject'),
    concat_ws(' ', json_extract(new.canonical, '$.actor'), json_extract(new.canonical, '$.action'),
      json_extract(new.canonical, '$.details')),
    'every a' || hex(json_extract(new.canonical, '$.actor')) || ' x' || hex(json_extract(new.canonical, '$.action'))
  );
END;
INSERT INTO audit_words (rowid, subject, words, facts)
  SELECT seq, json_extract(canonical, '$.subject'),
    concat_ws(' ', json_extract(canonical, '$.actor'), json_extract(canonical, '$.action'),
      json_extract(canonical, '$.details')),
    'every a' || hex(json_extract(canonical, '$.actor')) || ' x' || hex(json_extract(canonical, '$.action'))
  FROM audit_entries WHERE json_valid(canonical);
`;
