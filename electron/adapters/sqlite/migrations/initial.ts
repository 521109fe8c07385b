/**
 * Long JSON (the ONNX summary, reports) lives apart from what lists and search read: a list of 100,000 versions then
 * touches a few MB. `position` columns give the order of insertion.
 */
export const INITIAL = `
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE versions (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  artifact_id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  parent TEXT,
  added_by TEXT NOT NULL,
  added_at TEXT NOT NULL,
  owner TEXT NOT NULL,
  tags TEXT NOT NULL,
  worst_finding TEXT NOT NULL,
  roc_auc REAL,
  f1 REAL,
  words TEXT NOT NULL,
  UNIQUE (name, version)
) STRICT;
CREATE INDEX versions_by_digest ON versions (name, digest);
CREATE INDEX versions_by_state ON versions (state);
CREATE TABLE version_details (
  position INTEGER PRIMARY KEY REFERENCES versions (position),
  metadata TEXT NOT NULL,
  onnx TEXT NOT NULL,
  findings TEXT NOT NULL,
  rules_run TEXT NOT NULL,
  mapping TEXT
) STRICT;
CREATE TABLE version_tags (
  tag TEXT NOT NULL,
  position INTEGER NOT NULL REFERENCES versions (position),
  PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_tags_by_version ON version_tags (position);
CREATE TABLE aliases (
  name TEXT NOT NULL,
  alias TEXT NOT NULL,
  version TEXT NOT NULL,
  PRIMARY KEY (name, alias),
  FOREIGN KEY (name, version) REFERENCES versions (name, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_version ON aliases (name, version);

CREATE TABLE validations (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  report TEXT NOT NULL
) STRICT;
CREATE INDEX validations_by_version ON validations (name, version);
CREATE TABLE comparisons (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  champion_name TEXT NOT NULL,
  champion_version TEXT NOT NULL,
  challenger_name TEXT NOT NULL,
  challenger_version TEXT NOT NULL,
  report TEXT NOT NULL
) STRICT;
CREATE INDEX comparisons_by_champion ON comparisons (champion_name, champion_version);
CREATE INDEX comparisons_by_challenger ON comparisons (challenger_name, challenger_version);

CREATE TABLE operators (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  failed_at TEXT
) STRICT;

CREATE TABLE environments (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  policy TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE requests (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  environment_id TEXT NOT NULL,
  serial INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  record TEXT NOT NULL,
  files TEXT NOT NULL,
  UNIQUE (environment_id, serial)
) STRICT;
CREATE TABLE approvals (
  position INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id),
  kind TEXT NOT NULL,
  key_fingerprint TEXT NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (request_id, kind, key_fingerprint)
) STRICT;

CREATE TABLE endpoints (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL,
  status TEXT
) STRICT;

CREATE TABLE rollouts (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  finished INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX rollouts_unfinished ON rollouts (position) WHERE finished = 0;
CREATE TABLE rollout_points (
  position INTEGER PRIMARY KEY,
  rollout_id TEXT NOT NULL REFERENCES rollouts (id),
  point TEXT NOT NULL
) STRICT;
CREATE INDEX rollout_points_by_rollout ON rollout_points (rollout_id, position);

CREATE TABLE audit_entries (
  seq INTEGER PRIMARY KEY,
  canonical TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE audit_checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE audit_checkpoint_deliveries (
  size INTEGER NOT NULL REFERENCES audit_checkpoints (size),
  endpoint_id TEXT NOT NULL,
  PRIMARY KEY (size, endpoint_id)
) STRICT, WITHOUT ROWID;
`;
