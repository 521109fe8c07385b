import { type EncryptedDatabase, openDatabase } from '../../../shared/node/sqlite/database.ts';
import { migrate } from '../../../shared/node/sqlite/migrate.ts';
import type { SettingsReader, SettingsWriter, Store, StoreReader, StoreWriter } from '../../ports/stores.ts';
import { auditReader, auditWriter } from './audit-repository.ts';
import { endpointReader, endpointWriter } from './endpoint-repository.ts';
import { environmentReader, environmentWriter } from './environment-repository.ts';
import { MIGRATIONS } from './migrations.ts';
import { operatorReader, operatorWriter } from './operator-repository.ts';
import { registryReader, registryWriter } from './registry-repository.ts';
import { reportReader, reportWriter } from './report-repository.ts';
import { requestReader, requestWriter } from './request-repository.ts';
import { rolloutReader, rolloutWriter } from './rollout-repository.ts';

function settingsReader(db: EncryptedDatabase): SettingsReader {
  return {
    setting: (key) =>
      db.get<{ value: string }>('SELECT value FROM settings WHERE key = ?', key)?.value ?? null,
  };
}

function settingsWriter(db: EncryptedDatabase): SettingsWriter {
  return {
    ...settingsReader(db),
    setSetting: (key, value) => {
      db.run(
        'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
        key,
        value,
      );
    },
  };
}

function storeReader(db: EncryptedDatabase): StoreReader {
  return {
    ...registryReader(db),
    ...reportReader(db),
    ...operatorReader(db),
    ...environmentReader(db),
    ...requestReader(db),
    ...endpointReader(db),
    ...rolloutReader(db),
    ...settingsReader(db),
    audit: auditReader(db),
  };
}

function storeWriter(db: EncryptedDatabase): StoreWriter {
  return {
    ...registryWriter(db),
    ...reportWriter(db),
    ...operatorWriter(db),
    ...environmentWriter(db),
    ...requestWriter(db),
    ...endpointWriter(db),
    ...rolloutWriter(db),
    ...settingsWriter(db),
    audit: auditWriter(db),
  };
}

/**
 * Opens (or with `create` makes) the registry's database and brings its schema forward.
 * Errors: those of `openDatabase`, and `vault.newer`.
 */
export function openStore(path: string, key: Uint8Array, options: { readonly create?: boolean } = {}): Store {
  const db = openDatabase(path, key, options);
  try {
    migrate(db, MIGRATIONS);
  } catch (error) {
    db.close();
    throw error;
  }
  const writer = storeWriter(db);
  // SQLite's counter of commits by other connections; own commits leave it as it is.
  let seen = Number(db.pragma('data_version'));
  return {
    read: storeReader(db),
    transaction: (work) => db.immediate(() => work(writer)),
    changedElsewhere: () => {
      const now = Number(db.pragma('data_version'));
      const changed = now !== seen;
      seen = now;
      return changed;
    },
    close: () => db.close(),
  };
}
