/** Rows of the registry as the domain's records; an edited one is noticed where it is read. */
import { z } from 'zod';
import {
  type ModelVersion,
  modelVersionSchema,
  outputMappingSchema,
  versionMetadataSchema,
} from '../../../shared/domain/model/version.ts';
import { onnxSummarySchema } from '../../../shared/domain/onnx/summary.ts';
import { findingSchema } from '../../../shared/domain/scan/finding.ts';
import { type VersionRow, versionRowSchema } from '../../../shared/domain/view/views.ts';
import { fromJson, fromRow } from './json.ts';

export interface StoredRow {
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
  readonly removed_at: string | null;
  readonly removed_by: string | null;
  readonly measured: string;
  readonly metadata: string;
  readonly onnx: string;
  readonly findings: string;
  readonly rules_run: string;
  readonly mapping: string | null;
}
export interface ListRow {
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

export const FULL = `SELECT v.*, d.metadata, d.onnx, d.findings, d.rules_run, d.mapping, d.measured
  FROM versions v JOIN version_details d USING (position)`;
/** What a row of the models table shows. */
export const LIST_COLUMNS = `v.name, v.version, v.digest, v.size_bytes, v.state, v.owner, v.tags, v.worst_finding, v.roc_auc, v.f1, v.added_by, v.added_at,
  (SELECT json_group_array(a.alias) FROM aliases a WHERE a.name = v.name AND a.version = v.version) AS aliases`;

const stringList = z.array(z.string());
const findingList = z.array(findingSchema);
const figures = z.record(z.string(), z.number());
/** What of a version is a column of its own. */
const plainColumns = modelVersionSchema.omit({
  metadata: true,
  onnx: true,
  findings: true,
  rulesRun: true,
  mapping: true,
});

export function measuredOf(row: StoredRow): Record<string, number> {
  return fromJson(figures, row.measured, `figures of ${row.name}@${row.version}`);
}

export function toVersion(row: StoredRow): ModelVersion {
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
        ...(row.removed_at === null ? {} : { removedAt: row.removed_at, removedBy: row.removed_by }),
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

export function toListRow(row: ListRow): VersionRow {
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
