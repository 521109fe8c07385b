import { z } from 'zod';
import {
  approvalRecordSchema,
  type RequestRecord,
  requestRecordSchema,
  requestStateSchema,
} from '../../../shared/domain/approval/request.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { RequestReader, RequestWriter } from '../../ports/stores.ts';
import { fromJson, fromRow, toJson } from './json.ts';

interface RequestRow {
  readonly record: string;
  readonly state: string;
  readonly reason: string;
}
const SELECT = 'SELECT record, state, reason FROM requests';
const filesSchema = z.object({
  files: z.array(
    z.object({ name: z.string(), artifactId: z.string(), digest: z.string(), sizeBytes: z.number().int() }),
  ),
});

/** The record as submitted; only state and reason move. */
function requestOf(row: RequestRow): RequestRecord {
  return {
    ...fromJson(requestRecordSchema, row.record, 'request'),
    state: fromRow(requestStateSchema, row.state, 'request'),
    reason: row.reason,
  };
}

export function requestReader(db: EncryptedDatabase): RequestReader {
  return {
    request: (id) => {
      const row = db.get<RequestRow>(`${SELECT} WHERE id = ?`, id);
      return row ? requestOf(row) : null;
    },
    requestFiles: (id) => {
      const row = db.get<{ files: string }>('SELECT files FROM requests WHERE id = ?', id);
      return row ? fromJson(filesSchema, row.files, 'list of release files') : null;
    },
    requests: () => db.all<RequestRow>(`${SELECT} ORDER BY position DESC`).map(requestOf),
    approvals: (requestId) =>
      db
        .all<{ record: string }>(
          'SELECT record FROM approvals WHERE request_id = ? ORDER BY position',
          requestId,
        )
        .map((row) => fromJson(approvalRecordSchema, row.record, 'approval')),
    lastSerial: (environmentId) =>
      db.get<{ serial: number | null }>(
        'SELECT max(serial) AS serial FROM requests WHERE environment_id = ?',
        environmentId,
      )?.serial ?? 0,
  };
}

export function requestWriter(db: EncryptedDatabase): RequestWriter {
  return {
    ...requestReader(db),
    insertRequest: (record, files) => {
      db.run(
        'INSERT INTO requests (id, environment_id, serial, state, reason, record, files) VALUES (?, ?, ?, ?, ?, ?, ?)',
        record.id,
        record.request.environmentId,
        record.request.serial,
        record.state,
        record.reason,
        toJson(record),
        toJson(files),
      );
    },
    setRequestState: (id, state, reason) => {
      if (db.run('UPDATE requests SET state = ?, reason = ? WHERE id = ?', state, reason, id) === 0)
        throw new Error(`No request ${id} to change.`);
    },
    insertApproval: (approval) => {
      db.run(
        'INSERT INTO approvals (request_id, kind, key_fingerprint, record) VALUES (?, ?, ?, ?)',
        approval.requestId,
        approval.kind,
        approval.keyFingerprint,
        toJson(approval),
      );
    },
  };
}
