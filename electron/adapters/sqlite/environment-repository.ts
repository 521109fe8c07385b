import { type Environment, environmentSchema, policySchema } from '../../../shared/domain/policy/policy.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { EnvironmentReader, EnvironmentWriter } from '../../ports/stores.ts';
import { fromJson, fromRow, toJson } from './json.ts';

interface EnvironmentRow {
  readonly id: string;
  readonly name: string;
  readonly policy: string;
  readonly created_at: string;
}
const SELECT = 'SELECT id, name, policy, created_at FROM environments';

function environmentOf(row: EnvironmentRow): Environment {
  const { id, name, created_at } = row;
  const policy = fromJson(policySchema, row.policy, 'policy');
  return fromRow(environmentSchema, { id, name, policy, createdAt: created_at }, 'environment');
}

export function environmentReader(db: EncryptedDatabase): EnvironmentReader {
  const one = (row: EnvironmentRow | undefined): Environment | null => (row ? environmentOf(row) : null);
  return {
    environment: (id) => one(db.get<EnvironmentRow>(`${SELECT} WHERE id = ?`, id)),
    environmentByName: (name) => one(db.get<EnvironmentRow>(`${SELECT} WHERE name = ?`, name)),
    environments: () => db.all<EnvironmentRow>(`${SELECT} ORDER BY position`).map(environmentOf),
  };
}

export function environmentWriter(db: EncryptedDatabase): EnvironmentWriter {
  return {
    ...environmentReader(db),
    insertEnvironment: (environment) => {
      db.run(
        'INSERT INTO environments (id, name, policy, created_at) VALUES (?, ?, ?, ?)',
        environment.id,
        environment.name,
        toJson(environment.policy),
        environment.createdAt,
      );
    },
    setPolicy: (id, policy) => {
      if (db.run('UPDATE environments SET policy = ? WHERE id = ?', toJson(policy), id) === 0)
        throw new Error(`No environment ${id} to change.`);
    },
  };
}
