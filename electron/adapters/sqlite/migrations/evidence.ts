/**
 * Evidence.
 *
 * - `datasets`: data by its digest; the files stay where they are.
 * - `column_mappings`: model feature → column of a file, as last used for a model.
 * - `profiles`: what a version's data looked like when it was judged; counts and bins, no rows.
 * - `evidence_data`: how the data of a report was chosen, and the stored file with every row's answers where one is kept.
 * - `row_labels`: what analysts say rows really are.
 * - `runs`, `run_segments`: runs under way, and the answers they have so far. Rows go with the run that ends.
 * - `quarantine`: digests that ended the process they ran in.
 */
export const EVIDENCE = `
CREATE TABLE datasets (
  position INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL
) STRICT;
CREATE TABLE column_mappings (model TEXT PRIMARY KEY, columns TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE profiles (
  position INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  dataset_digest TEXT NOT NULL,
  report_id TEXT NOT NULL,
  profile TEXT NOT NULL,
  UNIQUE (name, version)
) STRICT;
CREATE TABLE evidence_data (
  position INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  evidence_id TEXT NOT NULL,
  selection TEXT NOT NULL,
  artifact_id TEXT UNIQUE,
  digest TEXT,
  size_bytes INTEGER,
  UNIQUE (kind, evidence_id)
) STRICT;
CREATE TABLE row_labels (
  kind TEXT NOT NULL,
  evidence_id TEXT NOT NULL,
  row INTEGER NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (kind, evidence_id, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL,
  process INTEGER NOT NULL,
  rows_done INTEGER NOT NULL DEFAULT 0,
  rows_total INTEGER,
  elapsed_ms INTEGER NOT NULL DEFAULT 0,
  state TEXT
) STRICT;
CREATE TABLE run_segments (
  position INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs (id),
  artifact_id TEXT NOT NULL UNIQUE,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX run_segments_by_run ON run_segments (run_id, position);
CREATE TABLE quarantine (digest TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;
