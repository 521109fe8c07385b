import { z } from 'zod';
import { referenceProfileSchema } from '../../../shared/domain/drift/index.ts';
import { ERROR_CODES, type ErrorCode } from '../../../shared/domain/errors.ts';
import { dataSelectionSchema, datasetRecordSchema } from '../../../shared/domain/evidence/dataset.ts';
import { type EvidenceRef, rowLabelSchema } from '../../../shared/domain/evidence/rows.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { StoredArtifact } from '../../ports/artifacts.ts';
import type { EvidenceReader, EvidenceWriter, StoredRun } from '../../ports/evidence-store.ts';
import { fromJson, toJson } from './json.ts';

const mappingSchema = z.record(z.string(), z.string());
const runRecordSchema = z.object({
  kind: z.enum(['validation', 'comparison']),
  title: z.string(),
  input: z.unknown(),
  digests: z.array(z.string()),
  startedAt: z.string(),
  startedBy: z.string(),
});
const quarantineSchema = z.object({
  digest: z.string(),
  reason: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  crashes: z.number().int(),
});

interface RunRow {
  readonly id: string;
  readonly record: string;
  readonly process: number;
  readonly rows_done: number;
  readonly rows_total: number | null;
  readonly elapsed_ms: number;
  readonly state: string | null;
}
const RUN = 'SELECT id, record, process, rows_done, rows_total, elapsed_ms, state FROM runs';

function runOf(row: RunRow): StoredRun {
  return {
    ...fromJson(runRecordSchema, row.record, 'run'),
    id: row.id,
    process: row.process,
    rowsDone: row.rows_done,
    rowsTotal: row.rows_total,
    elapsedMs: row.elapsed_ms,
    state: row.state,
  };
}

interface ArtifactRow {
  readonly artifact_id: string;
  readonly digest: string;
  readonly size_bytes: number;
}
const artifactOf = (row: ArtifactRow): StoredArtifact => ({
  artifactId: row.artifact_id,
  digest: row.digest,
  sizeBytes: row.size_bytes,
});

export function evidenceReader(db: EncryptedDatabase): EvidenceReader {
  return {
    dataset: (digest) => {
      const row = db.get<{ record: string }>('SELECT record FROM datasets WHERE digest = ?', digest);
      return row ? fromJson(datasetRecordSchema, row.record, 'dataset') : null;
    },
    datasets: () =>
      db
        .all<{ record: string }>('SELECT record FROM datasets ORDER BY position DESC')
        .map((row) => fromJson(datasetRecordSchema, row.record, 'dataset')),
    columnMapping: (model) => {
      const row = db.get<{ columns: string }>('SELECT columns FROM column_mappings WHERE model = ?', model);
      return row ? fromJson(mappingSchema, row.columns, 'column mapping') : null;
    },
    profile: ({ name, version }) => {
      const row = db.get<{ dataset_digest: string; report_id: string; profile: string }>(
        'SELECT dataset_digest, report_id, profile FROM profiles WHERE name = ? AND version = ?',
        name,
        version,
      );
      return row
        ? {
            ref: { name, version },
            datasetDigest: row.dataset_digest,
            reportId: row.report_id,
            profile: fromJson(referenceProfileSchema, row.profile, 'reference profile'),
          }
        : null;
    },
    evidenceData: ({ kind, id }) => {
      const row = db.get<{ selection: string } & { [K in keyof ArtifactRow]: ArtifactRow[K] | null }>(
        'SELECT selection, artifact_id, digest, size_bytes FROM evidence_data WHERE kind = ? AND evidence_id = ?',
        kind,
        id,
      );
      return row
        ? {
            selection: fromJson(dataSelectionSchema, row.selection, 'choice of data'),
            answers: row.artifact_id === null ? null : artifactOf(row as ArtifactRow),
          }
        : null;
    },
    rowLabels: ({ kind, id }) =>
      db
        .all<{ label: string }>(
          'SELECT label FROM row_labels WHERE kind = ? AND evidence_id = ? ORDER BY row',
          kind,
          id,
        )
        .map((row) => fromJson(rowLabelSchema, row.label, 'row label')),
    runs: () => db.all<RunRow>(`${RUN} ORDER BY position DESC`).map(runOf),
    run: (id) => {
      const row = db.get<RunRow>(`${RUN} WHERE id = ?`, id);
      return row ? runOf(row) : null;
    },
    runSegments: (id) =>
      db
        .all<ArtifactRow>(
          'SELECT artifact_id, digest, size_bytes FROM run_segments WHERE run_id = ? ORDER BY position',
          id,
        )
        .map(artifactOf),
    quarantine: () =>
      db
        .all<{ record: string }>('SELECT record FROM quarantine ORDER BY digest')
        .map((row) => fromJson(quarantineSchema, row.record, 'quarantine record')),
    evidenceArtifacts: () =>
      db
        .all<ArtifactRow & { what: string }>(
          `SELECT artifact_id, digest, size_bytes, 'answers of ' || kind || ' ' || evidence_id AS what
             FROM evidence_data WHERE artifact_id IS NOT NULL
           UNION ALL
           SELECT artifact_id, digest, size_bytes, 'answers of the unfinished run ' || run_id FROM run_segments`,
        )
        .map((row) => ({ ...artifactOf(row), what: row.what })),
  };
}

export function evidenceWriter(db: EncryptedDatabase): EvidenceWriter {
  const place = ({ kind, id }: EvidenceRef): [string, string] => [kind, id];
  return {
    ...evidenceReader(db),
    saveDataset: (record) => {
      db.run(
        `INSERT INTO datasets (digest, record) VALUES (?, ?)
           ON CONFLICT (digest) DO UPDATE SET record = excluded.record`,
        record.digest,
        toJson(record),
      );
    },
    saveColumnMapping: (model, columns) => {
      db.run(
        `INSERT INTO column_mappings (model, columns) VALUES (?, ?)
           ON CONFLICT DO UPDATE SET columns = excluded.columns`,
        model,
        toJson(columns),
      );
    },
    saveProfile: ({ ref, datasetDigest, reportId, profile }) => {
      db.run(
        `INSERT INTO profiles (name, version, dataset_digest, report_id, profile) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (name, version) DO UPDATE SET dataset_digest = excluded.dataset_digest,
             report_id = excluded.report_id, profile = excluded.profile`,
        ref.name,
        ref.version,
        datasetDigest,
        reportId,
        toJson(profile),
      );
    },
    saveEvidenceData: (evidence, { selection, answers }) => {
      db.run(
        `INSERT INTO evidence_data (kind, evidence_id, selection, artifact_id, digest, size_bytes)
           VALUES (?, ?, ?, ?, ?, ?)`,
        ...place(evidence),
        toJson(selection),
        answers?.artifactId ?? null,
        answers?.digest ?? null,
        answers?.sizeBytes ?? null,
      );
    },
    saveRowLabel: (evidence, row, label) => {
      if (label === null)
        db.run(
          'DELETE FROM row_labels WHERE kind = ? AND evidence_id = ? AND row = ?',
          ...place(evidence),
          row,
        );
      else
        db.run(
          `INSERT INTO row_labels (kind, evidence_id, row, label) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET label = excluded.label`,
          ...place(evidence),
          row,
          toJson(label),
        );
    },
    insertRun: ({ id, process, rowsDone, rowsTotal, elapsedMs, state, ...record }) => {
      db.run(
        `INSERT INTO runs (id, record, process, rows_done, rows_total, elapsed_ms, state)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        id,
        toJson(record),
        process,
        rowsDone,
        rowsTotal,
        elapsedMs,
        state,
      );
    },
    setRunProcess: (id, process) => {
      db.run('UPDATE runs SET process = ? WHERE id = ?', process, id);
    },
    addRunSegment: (id, { artifactId, digest, sizeBytes }, checkpoint) => {
      db.run(
        'INSERT INTO run_segments (run_id, artifact_id, digest, size_bytes) VALUES (?, ?, ?, ?)',
        id,
        artifactId,
        digest,
        sizeBytes,
      );
      db.run(
        'UPDATE runs SET rows_done = ?, rows_total = ?, elapsed_ms = ?, state = ? WHERE id = ?',
        checkpoint.rowsDone,
        checkpoint.rowsTotal,
        checkpoint.elapsedMs,
        checkpoint.state,
        id,
      );
    },
    removeRun: (id) => {
      db.run('DELETE FROM run_segments WHERE run_id = ?', id);
      db.run('DELETE FROM runs WHERE id = ?', id);
    },
    saveQuarantine: (records) => {
      for (const record of records)
        db.run(
          `INSERT INTO quarantine (digest, record) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET record = excluded.record`,
          record.digest,
          toJson(record),
        );
    },
    removeQuarantine: (digest) => db.run('DELETE FROM quarantine WHERE digest = ?', digest) > 0,
  };
}
