import { z } from 'zod';
import {
  type Alias,
  aliasSchema,
  type ModelVersion,
  modelVersionSchema,
  outputMappingSchema,
  type VersionMetadata,
  type VersionRef,
  versionMetadataSchema,
} from '../../../shared/domain/model/version.ts';
import { onnxSummarySchema } from '../../../shared/domain/onnx/summary.ts';
import { type Finding, findingSchema } from '../../../shared/domain/scan/finding.ts';
import { type VersionRow, versionRowSchema } from '../../../shared/domain/view/views.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { RegistryReader, RegistryWriter } from '../../ports/stores.ts';
import { fromJson, fromRow, toJson } from './json.ts';
import { searchCondition } from './search.ts';

interface StoredRow {
  readonly position: number;
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly size_bytes: number;
  readonly artifact_id: string;
  readonly state: ModelVersion['state'];
  readonly parent: string | null;
  readonly added_by: string;
  readonly added_at: string;
  readonly metadata: string;
  readonly onnx: string;
  readonly findings: string;
  readonly rules_run: string;
  readonly mapping: string | null;
}
interface ListRow {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly size_bytes: number;
  readonly state: string;
  readonly owner: string;
  readonly tags: string;
  readonly worst_finding: string;
  readonly roc_auc: number | null;
  readonly f1: number | null;
  readonly added_by: string;
  readonly added_at: string;
  readonly aliases: string;
}

const FULL = `SELECT v.*, d.metadata, d.onnx, d.findings, d.rules_run, d.mapping FROM versions v JOIN version_details d USING (position)`;
/** What a row of the models table shows. */
const LIST_COLUMNS = `v.name, v.version, v.digest, v.size_bytes, v.state, v.owner, v.tags, v.worst_finding, v.roc_auc, v.f1, v.added_by, v.added_at,
  (SELECT json_group_array(a.alias) FROM aliases a WHERE a.name = v.name AND a.version = v.version) AS aliases`;
/** All names in order by skipping from one to the next in the index: DISTINCT would walk through every version. */
const DISTINCT_NAMES = `WITH RECURSIVE names (name) AS (
  SELECT min(name) FROM versions UNION ALL SELECT (SELECT min(name) FROM versions WHERE name > names.name) FROM names WHERE names.name IS NOT NULL)`;
const stringList = z.array(z.string());
const findingList = z.array(findingSchema);
/** What of a version is a column of its own; an edited one is noticed where it is read. */
const plainColumns = modelVersionSchema.omit({
  metadata: true,
  onnx: true,
  findings: true,
  rulesRun: true,
  mapping: true,
});

export function registryReader(db: EncryptedDatabase): RegistryReader {
  const one = (row: StoredRow | undefined): ModelVersion | null => (row ? toVersion(row) : null);
  return {
    version: (ref) =>
      one(db.get<StoredRow>(`${FULL} WHERE v.name = ? AND v.version = ?`, ref.name, ref.version)),
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
    search: ({ text, limit, offset }) => {
      const { where, values } = searchCondition(text);
      const rows = db.all<ListRow>(
        `SELECT ${LIST_COLUMNS} FROM versions v WHERE ${where} ORDER BY v.position DESC LIMIT ? OFFSET ?`,
        ...values,
        limit,
        offset,
      );
      const total =
        db.get<{ n: number }>(`SELECT count(*) AS n FROM versions v WHERE ${where}`, ...values)?.n ?? 0;
      return { rows: rows.map(toListRow), total };
    },
    allArtifacts: () =>
      db
        .all<Pick<StoredRow, 'name' | 'version' | 'artifact_id' | 'digest' | 'size_bytes'>>(
          'SELECT name, version, artifact_id, digest, size_bytes FROM versions ORDER BY position',
        )
        .map((row) => ({
          ref: { name: row.name, version: row.version },
          artifactId: row.artifact_id,
          digest: row.digest,
          sizeBytes: row.size_bytes,
        })),
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
    names: () =>
      db
        .all<{ name: string }>(`${DISTINCT_NAMES} SELECT name FROM names WHERE name IS NOT NULL`)
        .map(({ name }) => name),
    aliased: (alias) =>
      db
        .all<ListRow>(
          `SELECT ${LIST_COLUMNS} FROM aliases b JOIN versions v ON v.name = b.name AND v.version = b.version WHERE b.alias = ? ORDER BY v.name`,
          alias,
        )
        .map(toListRow),
    counts: () =>
      db.get<{ models: number; versions: number }>(
        `${DISTINCT_NAMES} SELECT (SELECT count(name) FROM names) AS models, (SELECT count(*) FROM versions) AS versions`,
      ) ?? { models: 0, versions: 0 },
  };
}

export function registryWriter(db: EncryptedDatabase): RegistryWriter {
  const position = (ref: VersionRef): number => {
    const row = db.get<{ position: number }>(
      'SELECT position FROM versions WHERE name = ? AND version = ?',
      ref.name,
      ref.version,
    );
    if (!row) throw new Error(`No version ${ref.name}@${ref.version} to change.`);
    return row.position;
  };
  const writeTags = (at: number, metadata: VersionMetadata): void => {
    db.run('DELETE FROM version_tags WHERE position = ?', at);
    for (const tag of new Set((metadata.tags ?? []).map((one) => one.toLowerCase())))
      db.run('INSERT INTO version_tags (tag, position) VALUES (?, ?)', tag, at);
  };
  return {
    ...registryReader(db),
    insertVersion: (version) => {
      const { metadata } = version;
      db.run(
        `INSERT INTO versions (id, name, version, digest, size_bytes, artifact_id, state, parent, added_by, added_at, owner, tags, worst_finding, words)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
        searchWords(version, metadata),
      );
      const at = position(version);
      db.run(
        'INSERT INTO version_details (position, metadata, onnx, findings, rules_run, mapping) VALUES (?, ?, ?, ?, ?, ?)',
        at,
        toJson(metadata),
        toJson(version.onnx),
        toJson(version.findings),
        toJson(version.rulesRun),
        version.mapping ? toJson(version.mapping) : null,
      );
      writeTags(at, metadata);
    },
    setState: (ref, state) => {
      db.run('UPDATE versions SET state = ? WHERE position = ?', state, position(ref));
    },
    setMapping: (ref, mapping) => {
      db.run('UPDATE version_details SET mapping = ? WHERE position = ?', toJson(mapping), position(ref));
    },
    setMetadata: (ref, metadata) => {
      const at = position(ref);
      db.run(
        'UPDATE versions SET owner = ?, tags = ?, words = ? WHERE position = ?',
        metadata.owner ?? '',
        toJson(metadata.tags ?? []),
        searchWords(ref, metadata),
        at,
      );
      db.run('UPDATE version_details SET metadata = ? WHERE position = ?', toJson(metadata), at);
      writeTags(at, metadata);
    },
    setAlias: ({ name, alias, version }) => {
      db.run(
        'INSERT INTO aliases (name, alias, version) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
        name,
        alias,
        version,
      );
    },
  };
}

/** What a free word of a search is looked for in, lower case; one line per field so that a word cannot span two. */
function searchWords(ref: VersionRef, metadata: VersionMetadata): string {
  return [`${ref.name}@${ref.version}`, metadata.owner ?? '', ...(metadata.tags ?? [])]
    .join('\n')
    .toLowerCase();
}

const SEVERITY_ORDER = ['info', 'low', 'medium', 'high', 'critical'] as const;

function worstFinding(findings: readonly Finding[]): VersionRow['worstFinding'] {
  const worst = Math.max(-1, ...findings.map((finding) => SEVERITY_ORDER.indexOf(finding.severity)));
  return SEVERITY_ORDER[worst] ?? 'none';
}

function toVersion(row: StoredRow): ModelVersion {
  const what = `version ${row.name}@${row.version}`;
  return {
    ...fromRow(
      plainColumns,
      {
        id: row.id,
        name: row.name,
        version: row.version,
        digest: row.digest,
        sizeBytes: row.size_bytes,
        artifactId: row.artifact_id,
        state: row.state,
        parent: row.parent,
        addedBy: row.added_by,
        addedAt: row.added_at,
      },
      what,
    ),
    metadata: fromJson(versionMetadataSchema, row.metadata, what),
    onnx: fromJson(onnxSummarySchema, row.onnx, what),
    findings: fromJson(findingList, row.findings, what),
    rulesRun: fromJson(stringList, row.rules_run, what),
    mapping: row.mapping === null ? null : fromJson(outputMappingSchema, row.mapping, what),
  };
}

function toListRow(row: ListRow): VersionRow {
  const shown = {
    name: row.name,
    version: row.version,
    digest: row.digest,
    sizeBytes: row.size_bytes,
    state: row.state,
    aliases: fromJson(stringList, row.aliases, 'alias list').sort(),
    owner: row.owner,
    tags: fromJson(stringList, row.tags, 'tag list'),
    worstFinding: row.worst_finding,
    rocAuc: row.roc_auc,
    f1: row.f1,
    addedBy: row.added_by,
    addedAt: row.added_at,
  };
  return fromRow(versionRowSchema, shown, `version ${row.name}@${row.version}`);
}
