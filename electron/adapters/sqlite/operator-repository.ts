import { operatorSchema } from '../../../shared/domain/operator/operator.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { OperatorReader, OperatorWriter } from '../../ports/stores.ts';
import { fromJson, toJson } from './json.ts';

interface OperatorRow {
  readonly record: string;
}
const operatorOf = (row: OperatorRow) => fromJson(operatorSchema, row.record, 'operator');

export function operatorReader(db: EncryptedDatabase): OperatorReader {
  return {
    operator: (id) => {
      const row = db.get<OperatorRow>('SELECT record FROM operators WHERE id = ?', id);
      return row ? operatorOf(row) : null;
    },
    operatorByName: (name) => {
      const row = db.get<OperatorRow>('SELECT record FROM operators WHERE name = ?', name);
      return row ? operatorOf(row) : null;
    },
    operators: () => db.all<OperatorRow>('SELECT record FROM operators ORDER BY position').map(operatorOf),
    signInFailures: (operatorId) => {
      const row = db.get<{ failures: number; failed_at: string | null }>(
        'SELECT failures, failed_at FROM operators WHERE id = ?',
        operatorId,
      );
      return { count: row?.failures ?? 0, lastAt: row?.failed_at ?? null };
    },
  };
}

export function operatorWriter(db: EncryptedDatabase): OperatorWriter {
  return {
    ...operatorReader(db),
    insertOperator: (operator) => {
      db.run(
        'INSERT INTO operators (id, name, record) VALUES (?, ?, ?)',
        operator.id,
        operator.name,
        toJson(operator),
      );
    },
    updateOperator: (operator) => {
      db.run(
        'UPDATE operators SET record = ? WHERE id = ? AND name = ?',
        toJson(operator),
        operator.id,
        operator.name,
      );
    },
    setSignInFailures: (operatorId, count, at) => {
      db.run('UPDATE operators SET failures = ?, failed_at = ? WHERE id = ?', count, at, operatorId);
    },
  };
}
