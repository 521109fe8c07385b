import { type ClassificationMetrics, validationReportSchema } from '../../../shared/domain/metrics/report.ts';
import type { CollectableVersion } from '../../../shared/domain/model/retention.ts';
import type { SearchDocument } from '../../../shared/domain/model/search/document.ts';
import {
  measuredFigures,
  searchDocument,
  worstFinding,
} from '../../../shared/domain/model/search/document.ts';
import {
  type Alias,
  aliasSchema,
  formatRef,
  type ModelVersion,
  type VersionRef,
} from '../../../shared/domain/model/version.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { RegistryReader, RegistryWriter } from '../../ports/stores.ts';
import { fromJson, fromRow, toJson } from './json.ts';
import {
  FULL,
  LIST_COLUMNS,
  type ListRow,
  measuredOf,
  type StoredRow,
  toListRow,
  toVersion,
} from './registry-rows.ts';
import { findVersions } from './search.ts';
import { indexDocument, indexMissing } from './search-index.ts';

/** All names in order by skipping from one to the next in the index: DISTINCT would walk through every version. */
const DISTINCT_NAMES = `WITH RECURSIVE names (name) AS (
  SELECT min(name) FROM versions UNION ALL SELECT (SELECT min(name) FROM versions WHERE name > names.name) FROM names WHERE names.name IS NOT NULL)`;

export function registryReader(db: EncryptedDatabase): RegistryReader {
  const one = (row: StoredRow | undefined): ModelVersion | null => (row ? toVersion(row) : null);
  return {
    version: (ref) => one(rowOf(db, ref)),
    versionByDigest: (name, digest) =>
      one(
        db.get<StoredRow>(
          `${FULL} WHERE v.name = ? AND v.digest = ? ORDER BY v.position LIMIT 1`,
          name,
          digest,
        ),
      ),
    versionsOf: (name) =>
      db.all<StoredRow>(`${FULL} WHERE v.name = ? ORDER BY v.position DESC`, name).map(toVersion),
    children: (ref) =>
      db.column<string>(
        'SELECT version FROM versions WHERE name = ? AND parent = ? ORDER BY position',
        ref.name,
        ref.version,
      ),
    parentOf: (ref) =>
      db.get<{ parent: string | null }>(
        'SELECT parent FROM versions WHERE name = ? AND version = ?',
        ref.name,
        ref.version,
      )?.parent ?? null,
    search: (query) => {
      const { positions, total } = findVersions(db, query);
      if (positions.length === 0) return { rows: [], total };
      const rows = db.all<ListRow>(
        `SELECT ${LIST_COLUMNS} FROM versions v WHERE v.position IN (SELECT value FROM json_each(?)) ORDER BY v.position DESC`,
        toJson(positions),
      );
      return { rows: rows.map(toListRow), total };
    },
    allArtifacts: () =>
      db
        .all<Pick<StoredRow, 'name' | 'version' | 'artifact_id' | 'digest' | 'size_bytes'>>(
          'SELECT name, version, artifact_id, digest, size_bytes FROM versions WHERE removed_at IS NULL ORDER BY position',
        )
        .map((row) => ({
          ref: { name: row.name, version: row.version },
          artifactId: row.artifact_id,
          digest: row.digest,
          sizeBytes: row.size_bytes,
        })),
    collectedArtifacts: () => db.column<string>('SELECT artifact_id FROM collected_artifacts'),
    collectable: (name) =>
      db.all<CollectableVersion>(
        `SELECT version, state, digest, artifact_id AS artifactId, size_bytes AS sizeBytes, removed_at AS removedAt
         FROM versions WHERE name = ?`,
        name,
      ),
    aliases: (name) =>
      db
        .all<Alias>('SELECT name, alias, version FROM aliases WHERE name = ? ORDER BY alias', name)
        .map((row) => fromRow(aliasSchema, row, 'alias')),
    aliasedVersion: (name, alias) =>
      one(
        db.get<StoredRow>(
          `${FULL} JOIN aliases a ON a.name = v.name AND a.version = v.version WHERE a.name = ? AND a.alias = ?`,
          name,
          alias,
        ),
      ),
    names: () => db.column<string>(`${DISTINCT_NAMES} SELECT name FROM names WHERE name IS NOT NULL`),
    aliased: (alias) =>
      db
        .all<ListRow>(
          `SELECT ${LIST_COLUMNS} FROM aliases b JOIN versions v ON v.name = b.name AND v.version = b.version WHERE b.alias = ? ORDER BY v.name`,
          alias,
        )
        .map(toListRow),
    counts: () =>
      db.get<{ models: number; versions: number; artifactBytes: number }>(
        'SELECT models, versions, artifact_bytes AS artifactBytes FROM registry_counts',
      ) ?? { models: 0, versions: 0, artifactBytes: 0 },
  };
}

function rowOf(db: EncryptedDatabase, ref: VersionRef): StoredRow | undefined {
  return db.get<StoredRow>(`${FULL} WHERE v.name = ? AND v.version = ?`, ref.name, ref.version);
}

/** What the search knows of a version as its rows are now. */
function documentOf(db: EncryptedDatabase, row: StoredRow): SearchDocument {
  const aliases = db.column<string>(
    'SELECT alias FROM aliases WHERE name = ? AND version = ? ORDER BY alias',
    row.name,
    row.version,
  );
  return searchDocument({ version: toVersion(row), aliases, measured: measuredOf(row) });
}

/** Makes `change` to a version's rows and brings what the search knows of it along. */
function changeVersion(db: EncryptedDatabase, ref: VersionRef, change: (position: number) => void): void {
  const before = rowOf(db, ref);
  if (!before) throw new Error(`No version ${formatRef(ref)} to change.`);
  const known = documentOf(db, before);
  change(before.position);
  indexDocument(db, before.position, known, documentOf(db, rowOf(db, ref) ?? before));
}

/** The newest validation's figures: what the models table shows and `metric.` looks at. */
export function setMeasured(db: EncryptedDatabase, ref: VersionRef, metrics: ClassificationMetrics): void {
  // A report may be of a version that another vault registered.
  if (!rowOf(db, ref)) return;
  changeVersion(db, ref, (position) => {
    db.run(
      'UPDATE versions SET roc_auc = ?, f1 = ? WHERE position = ?',
      metrics.roc_auc,
      metrics.f1,
      position,
    );
    db.run(
      'UPDATE version_details SET measured = ? WHERE position = ?',
      toJson(measuredFigures(metrics)),
      position,
    );
  });
}

/** Brings the search up to versions registered by a program that did not have it; answers how many there were. */
export function indexRegistry(db: EncryptedDatabase): number {
  return indexMissing(db, (position) => {
    const where =
      'SELECT report FROM validations WHERE name = ? AND version = ? ORDER BY position DESC LIMIT 1';
    const row = db.get<StoredRow>(`${FULL} WHERE v.position = ?`, position);
    if (!row) throw new Error(`There is no version at ${position}.`);
    const newest = db.get<{ report: string }>(where, row.name, row.version);
    if (!newest) return documentOf(db, row);
    const { metrics } = fromJson(validationReportSchema, newest.report, 'validation report');
    const measured = toJson(measuredFigures(metrics));
    db.run('UPDATE version_details SET measured = ? WHERE position = ?', measured, position);
    return documentOf(db, { ...row, measured });
  });
}

export function registryWriter(db: EncryptedDatabase): RegistryWriter {
  const setAliasRow = ({ name, alias, version }: Alias): void => {
    db.run(
      'INSERT INTO aliases (name, alias, version) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
      name,
      alias,
      version,
    );
  };
  const holderOf = (name: string, alias: string): VersionRef | null => {
    const version = db.get<{ version: string }>(
      'SELECT version FROM aliases WHERE name = ? AND alias = ?',
      name,
      alias,
    )?.version;
    return version === undefined ? null : { name, version };
  };
  return {
    ...registryReader(db),
    insertVersion: (version) => {
      const { metadata } = version;
      db.run(
        `INSERT INTO versions (id, name, version, digest, size_bytes, artifact_id, state, parent, added_by, added_at, owner, tags, worst_finding)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        version.id,
        version.name,
        version.version,
        version.digest,
        version.sizeBytes,
        version.artifactId,
        version.state,
        version.parent,
        version.addedBy,
        version.addedAt,
        metadata.owner ?? '',
        toJson(metadata.tags ?? []),
        worstFinding(version.findings),
      );
      const at = db.get<{ position: number }>('SELECT last_insert_rowid() AS position')?.position ?? 0;
      db.run(
        'INSERT INTO version_details (position, metadata, onnx, findings, rules_run, mapping) VALUES (?, ?, ?, ?, ?, ?)',
        at,
        toJson(metadata),
        toJson(version.onnx),
        toJson(version.findings),
        toJson(version.rulesRun),
        version.mapping ? toJson(version.mapping) : null,
      );
      indexDocument(db, at, null, searchDocument({ version, aliases: [], measured: {} }));
      db.run('UPDATE registry_counts SET indexed = ?', at);
    },
    setState: (ref, state) =>
      changeVersion(db, ref, (at) => {
        db.run('UPDATE versions SET state = ? WHERE position = ?', state, at);
      }),
    setMapping: (ref, mapping) => {
      // How outputs are read is not searched.
      const changed = db.run(
        'UPDATE version_details SET mapping = ? WHERE position = (SELECT position FROM versions WHERE name = ? AND version = ?)',
        toJson(mapping),
        ref.name,
        ref.version,
      );
      if (changed === 0) throw new Error(`No version ${formatRef(ref)} to change.`);
    },
    setMetadata: (ref, metadata) =>
      changeVersion(db, ref, (at) => {
        db.run(
          'UPDATE versions SET owner = ?, tags = ? WHERE position = ?',
          metadata.owner ?? '',
          toJson(metadata.tags ?? []),
          at,
        );
        db.run('UPDATE version_details SET metadata = ? WHERE position = ?', toJson(metadata), at);
      }),
    setAlias: (alias) => {
      const from = holderOf(alias.name, alias.alias);
      if (from?.version === alias.version) return;
      // Two documents change; the row moves once, while the second one is brought along.
      if (from)
        changeVersion(db, from, () => {
          db.run('DELETE FROM aliases WHERE name = ? AND alias = ?', alias.name, alias.alias);
        });
      if (rowOf(db, alias)) changeVersion(db, alias, () => setAliasRow(alias));
      else setAliasRow(alias);
    },
    removeAlias: ({ name, alias }) => {
      const from = holderOf(name, alias);
      if (from)
        changeVersion(db, from, () => {
          db.run('DELETE FROM aliases WHERE name = ? AND alias = ?', name, alias);
        });
      return from?.version ?? null;
    },
    markRemoved: (ref, { at, by }) => {
      db.run(
        'INSERT OR IGNORE INTO collected_artifacts SELECT artifact_id FROM versions WHERE name = ? AND version = ?',
        ref.name,
        ref.version,
      );
      db.run(
        'UPDATE versions SET removed_at = ?, removed_by = ? WHERE name = ? AND version = ? AND removed_at IS NULL',
        at,
        by,
        ref.name,
        ref.version,
      );
    },
    restoreArtifact: (ref, artifactId) => {
      db.run(
        'UPDATE versions SET removed_at = NULL, removed_by = NULL, artifact_id = ? WHERE name = ? AND version = ?',
        artifactId,
        ref.name,
        ref.version,
      );
    },
  };
}
