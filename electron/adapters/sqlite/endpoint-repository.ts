import { endpointSchema, endpointStatusSchema } from '../../../shared/domain/endpoint/endpoint.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { EndpointReader, EndpointWriter } from '../../ports/stores.ts';
import { fromJson, toJson } from './json.ts';

interface EndpointRow {
  readonly record: string;
}
const endpointOf = (row: EndpointRow) => fromJson(endpointSchema, row.record, 'endpoint');

export function endpointReader(db: EncryptedDatabase): EndpointReader {
  return {
    endpoint: (id) => {
      const row = db.get<EndpointRow>('SELECT record FROM endpoints WHERE id = ?', id);
      return row ? endpointOf(row) : null;
    },
    endpointByName: (name) => {
      const row = db.get<EndpointRow>('SELECT record FROM endpoints WHERE name = ?', name);
      return row ? endpointOf(row) : null;
    },
    endpoints: () => db.all<EndpointRow>('SELECT record FROM endpoints ORDER BY position').map(endpointOf),
    lastStatus: (endpointId) => {
      const row = db.get<{ status: string | null }>('SELECT status FROM endpoints WHERE id = ?', endpointId);
      return row?.status ? fromJson(endpointStatusSchema, row.status, 'endpoint status') : null;
    },
  };
}

export function endpointWriter(db: EncryptedDatabase): EndpointWriter {
  return {
    ...endpointReader(db),
    insertEndpoint: (endpoint) => {
      db.run(
        'INSERT INTO endpoints (id, name, record) VALUES (?, ?, ?)',
        endpoint.id,
        endpoint.name,
        toJson(endpoint),
      );
    },
    removeEndpoint: (id) => {
      db.run('DELETE FROM endpoints WHERE id = ?', id);
    },
    setStatus: (status) => {
      db.run('UPDATE endpoints SET status = ? WHERE id = ?', toJson(status), status.endpointId);
    },
  };
}
