import { SallyportError } from '../../../shared/domain/errors.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import { exchangeDatabase } from '../../../shared/node/sqlite/exchange.ts';
import { migrate } from '../../../shared/node/sqlite/migrate.ts';
import { openReadable } from '../../../shared/node/sqlite/reading-copy.ts';
import type { SettingsReader, SettingsWriter, Store, StoreReader, StoreWriter } from '../../ports/stores.ts';
import { auditReader, auditWriter } from './audit-repository.ts';
import { endpointReader, endpointWriter } from './endpoint-repository.ts';
import { environmentReader, environmentWriter } from './environment-repository.ts';
import { evidenceReader, evidenceWriter } from './evidence-repository.ts';
import { MIGRATIONS } from './migrations.ts';
import { operatorReader, operatorWriter } from './operator-repository.ts';
import { indexRegistry, registryReader, registryWriter } from './registry-repository.ts';
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
    ...evidenceReader(db),
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
    ...evidenceWriter(db),
    ...operatorWriter(db),
    ...environmentWriter(db),
    ...requestWriter(db),
    ...endpointWriter(db),
    ...rolloutWriter(db),
    ...settingsWriter(db),
    audit: auditWriter(db),
  };
}

function beingReplaced(): SallyportError {
  return new SallyportError('conflict', 'The vault gets new keys at this moment.', {
    hint: 'Nothing was changed. Try again in some seconds.',
  });
}

/**
 * Opens (or with `create` makes) the registry's database and brings its schema forward.
 * On a full or read-only disk it opens a copy for reading. Errors: those of `openDatabase`, and `vault.newer`.
 */
export function openStore(path: string, key: Uint8Array, options: { readonly create?: boolean } = {}): Store {
  let currentKey = key;
  const opened = openReadable(
    path,
    () => currentKey,
    options,
    (database) => {
      migrate(database, MIGRATIONS);
      indexRegistry(database);
    },
  );
  const { db } = opened;
  const writer = storeWriter(db);
  // SQLite's counter of commits by other connections; own commits leave it as it is.
  let seen = Number(db.pragma('data_version'));
  let holding: { readonly done: Promise<void>; readonly release: () => void } | null = null;
  return {
    read: storeReader(db),
    transaction: (work) => {
      if (holding !== null) throw beingReplaced();
      opened.makeWritable();
      return db.immediate(() => work(writer));
    },
    hold: () => {
      if (holding !== null) throw beingReplaced();
      const { promise, resolve } = Promise.withResolvers<void>();
      holding = {
        done: promise,
        release: () => {
          holding = null;
          resolve();
        },
      };
      return holding.release;
    },
    held: () => holding?.done ?? null,
    replaceBy: (next, nextKey) => {
      exchangeDatabase(db, { path, key: currentKey }, { path: next, key: nextKey });
      currentKey = nextKey;
      seen = Number(db.pragma('data_version'));
    },
    changedElsewhere: () => {
      const now = Number(db.pragma('data_version'));
      const changed = now !== seen;
      seen = now;
      return changed;
    },
    unwritable: () => opened.unwritable(),
    close: () => opened.close(),
  };
}
