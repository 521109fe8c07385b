/**
 * Registry: search, counts, collected files.
 *
 * - `version_words`: one document of tokens per version (see `shared/domain/model/search/document.ts`), rowid =
 *   position. Contentless: what it says can be made again from the version at any time.
 * - `version_terms`: the words of these documents that a query may name by their beginning.
 * - `version_numbers`: ordered fields as columns, 480 positions a row (see `number-columns.ts`).
 * - `collected_artifacts`: files that a collection removed. A request that is over may still name one.
 * - `registry_counts`: one row, kept by triggers, so that no count walks through the registry. `indexed` = last
 *   position the search knows; what lies beyond it is indexed on opening.
 */
export const REGISTRY = `
ALTER TABLE versions ADD COLUMN removed_at TEXT;
ALTER TABLE versions ADD COLUMN removed_by TEXT;
ALTER TABLE versions DROP COLUMN words;
DROP INDEX versions_by_state;
DROP TABLE version_tags;
ALTER TABLE version_details ADD COLUMN measured TEXT NOT NULL DEFAULT '{}';
CREATE INDEX versions_by_parent ON versions (name, parent) WHERE parent IS NOT NULL;
CREATE INDEX aliases_by_alias ON aliases (alias, name);

CREATE VIRTUAL TABLE version_words USING fts5(
  tokens, content = '', contentless_delete = 1, detail = none, prefix = '1 2 3', tokenize = "ascii tokenchars '._='"
);
CREATE TABLE version_terms (term TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE version_numbers (
  id INTEGER PRIMARY KEY,
  field TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  data BLOB NOT NULL,
  UNIQUE (field, chunk)
) STRICT;

CREATE TABLE collected_artifacts (artifact_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE registry_counts (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  versions INTEGER NOT NULL,
  models INTEGER NOT NULL,
  artifact_bytes INTEGER NOT NULL,
  indexed INTEGER NOT NULL
) STRICT;
INSERT INTO registry_counts (id, versions, models, artifact_bytes, indexed)
  SELECT 1, count(*), count(DISTINCT name), ifnull(sum(size_bytes), 0), 0 FROM versions;
CREATE TRIGGER versions_counted AFTER INSERT ON versions BEGIN
  UPDATE registry_counts SET
    versions = versions + 1,
    models = models + NOT EXISTS (SELECT 1 FROM versions o WHERE o.name = new.name AND o.version <> new.version),
    artifact_bytes = artifact_bytes + new.size_bytes;
END;
CREATE TRIGGER versions_removal_counted AFTER UPDATE OF removed_at ON versions
  WHEN (old.removed_at IS NULL) <> (new.removed_at IS NULL) BEGIN
  UPDATE registry_counts SET
    artifact_bytes = artifact_bytes + iif(new.removed_at IS NULL, new.size_bytes, -old.size_bytes);
END;
`;
