import { SallyportError } from '../../domain/errors.ts';
import type { EncryptedDatabase } from './database.ts';

/** One step of the schema. Numbers start at 1 and rise by one; a released step never changes. */
export interface Migration {
  readonly number: number;
  readonly title: string;
  readonly sql: string;
}

/** Schema number the database is at; 0 = empty. Kept in SQLite's `user_version`. */
export function schemaVersion(database: EncryptedDatabase): number {
  return Number(database.pragma('user_version'));
}

/**
 * Brings the schema forward, each step in a transaction of its own; answers the numbers of the steps that ran.
 * A database of a newer program is refused with `vault.newer` and not touched.
 */
export function migrate(database: EncryptedDatabase, migrations: readonly Migration[]): number[] {
  migrations.forEach((migration, index) => {
    if (migration.number !== index + 1) throw new Error(`Migration ${migration.number} is out of order.`);
  });
  const newest = migrations.length;
  const found = schemaVersion(database);
  if (found > newest) {
    throw new SallyportError('vault.newer', 'This vault was written by a newer version of Sallyport.', {
      hint: 'Nothing was changed. Open it with that version, or update this one.',
      facts: { found, newest },
    });
  }
  const ran: number[] = [];
  for (const migration of migrations.slice(found)) {
    database.immediate(() => {
      // Another process may have run it while this one waited for the lock.
      if (schemaVersion(database) >= migration.number) return;
      database.exec(migration.sql);
      database.pragma(`user_version=${migration.number}`);
      ran.push(migration.number);
    });
  }
  return ran;
}
