import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { type ErrorDetails, SallyportError } from '../../domain/errors.ts';

export type SqlValue = string | number | bigint | Buffer | null;
type Connection = InstanceType<typeof Database>;
type Statement = Database.Statement<SqlValue[]>;

/** How long a writer waits for another process's transaction, in milliseconds. */
const BUSY_TIMEOUT_MS = 15_000;
/** Page cache per connection in KiB: decrypting a page costs about 20 µs, so hot tables should stay decrypted. */
const CACHE_KIB = 65_536;
/** Raw key length of SQLCipher 4, in bytes. */
export const DATABASE_KEY_BYTES = 32;

/**
 * An open encrypted database with its prepared statements. Values are text, numbers, buffers or null; callers turn
 * rows into domain types.
 */
export class EncryptedDatabase {
  #connection: Connection;
  readonly #statements = new Map<string, Statement>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return guarded(() => this.#prepare(sql).get(...values)) as Row | undefined;
  }

  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return guarded(() => this.#prepare(sql).all(...values)) as Row[];
  }

  /** The first column of every row: far cheaper than rows where there are many. */
  column<Value>(sql: string, ...values: readonly SqlValue[]): Value[] {
    return guarded(() => {
      // The statement is shared by its text: it is left answering rows.
      const statement = this.#prepare(sql);
      try {
        return statement.pluck(true).all(...values);
      } finally {
        statement.pluck(false);
      }
    }) as Value[];
  }

  /** Answers how many rows changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return guarded(() => this.#prepare(sql).run(...values)).changes;
  }

  /** Several statements without values: migrations. */
  exec(sql: string): void {
    guarded(() => this.#connection.exec(sql));
  }

  pragma(source: string): unknown {
    return guarded(() => this.#connection.pragma(source, { simple: true }));
  }

  /** Runs `work` between BEGIN IMMEDIATE and COMMIT; whatever it throws rolls back. Never nested. */
  immediate<T>(work: () => T): T {
    if (this.#connection.inTransaction) {
      throw new SallyportError('unexpected', 'A transaction was started inside another one.');
    }
    return guarded(() => this.#connection.transaction(work).immediate()) as T;
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  /**
   * Goes on with another connection, without anybody who holds this object having to know: `exchange` runs while
   * neither is open, and opens the next one. Synchronous, so that nothing of this process reads in between.
   */
  reconnect(exchange: () => Connection): void {
    this.#connection.pragma('wal_checkpoint(TRUNCATE)');
    try {
      this.close();
    } catch (cause) {
      // The library's own words for a result that is still being read, row by row; the connection stays open.
      throw new SallyportError('conflict', 'The database is being read at this moment.', {
        hint: 'Nothing was changed. Try again.',
        cause,
      });
    }
    this.#connection = exchange();
  }

  #prepare(sql: string): Statement {
    if (!this.#connection.open) {
      throw new SallyportError('locked', 'The vault was locked.', { hint: 'Unlock it to go on.' });
    }
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#connection.prepare<SqlValue[]>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * Opens a SQLCipher-4 database with a raw 256-bit key (no passphrase derivation): WAL, every commit fsynced, temporary
 * tables in memory only. With `create`, the file must not exist yet; without, it must.
 *
 * Errors: `integrity.vault` (wrong key, or not such a database), `not-found`, `conflict` (exists already), `disk.full`,
 * `disk.read-only`.
 */
export function openDatabase(
  path: string,
  key: Uint8Array,
  options: { readonly create?: boolean } = {},
): EncryptedDatabase {
  return new EncryptedDatabase(connect(path, key, options));
}

/** The connection alone: what `EncryptedDatabase.reconnect` goes on with. Errors as in `openDatabase`. */
export function connect(
  path: string,
  key: Uint8Array,
  options: { readonly create?: boolean } = {},
): Connection {
  if (key.length !== DATABASE_KEY_BYTES)
    throw new SallyportError('unexpected', 'A database key has 32 bytes.');
  // SQLite takes an empty file for a new database, and throws the log beside it away.
  if (!options.create && statSync(path, { throwIfNoEntry: false })?.size === 0) throw damaged({ bytes: 0 });
  let connection: Connection;
  try {
    connection = new Database(path, { fileMustExist: !options.create, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw new SallyportError('not-found', 'The vault has no database.', {
      hint: 'The file registry.db is missing or cannot be opened. Restore it from a backup; nothing was created in its place.',
      facts: { path },
      cause: error,
    });
  }
  try {
    connection.pragma(`cipher='sqlcipher'`);
    connection.pragma('legacy=4');
    connection.pragma(`key="x'${Buffer.from(key).toString('hex')}'"`);
    // The first read decrypts page 1 and checks its HMAC: this is where a wrong key shows.
    const tables = connection.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number };
    if (options.create && tables.n > 0) {
      throw new SallyportError('conflict', 'There is a database here already; it was not touched.', {
        facts: { path },
      });
    }
    connection.pragma('journal_mode=WAL');
    connection.pragma('synchronous=FULL');
    connection.pragma('temp_store=MEMORY');
    connection.pragma('foreign_keys=ON');
    connection.pragma('trusted_schema=OFF');
    connection.pragma(`cache_size=-${CACHE_KIB}`);
    return connection;
  } catch (error) {
    connection.close();
    throw databaseError(error);
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw databaseError(error);
  }
}

function damaged(facts: NonNullable<ErrorDetails['facts']>, cause?: unknown): SallyportError {
  return new SallyportError(
    'integrity.vault',
    'The database does not open with this key, or it is damaged.',
    {
      hint: 'Nothing was changed. If it was copied or edited, restore it from a backup.',
      facts,
      cause,
    },
  );
}

/** SQLite's own error codes in the program's words; anything else is returned as it came. */
function databaseError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const code = error.code;
  const facts = { system: code };
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return damaged(facts, error);
  // SHMSIZE: no room for the index of the write-ahead log, which even reading needs.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_WRITE' || code === 'SQLITE_IOERR_SHMSIZE') {
    return new SallyportError('disk.full', 'The disk is full: nothing of this change was kept.', {
      hint: 'Everything acknowledged before is safe. Free some space and try again.',
      facts,
      cause: error,
    });
  }
  // A log beside the file cannot be made, or not even its index: reading needs both.
  if (
    code.startsWith('SQLITE_READONLY') ||
    code.startsWith('SQLITE_CANTOPEN') ||
    code === 'SQLITE_IOERR_SHMOPEN'
  ) {
    return new SallyportError(
      'disk.read-only',
      "The vault's folder cannot be written to: nothing was changed.",
      {
        hint: 'Everything acknowledged before is safe and can be read. Make the folder writable and try again.',
        facts,
        cause: error,
      },
    );
  }
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') {
    return new SallyportError('conflict', 'There is already a record like this; nothing was changed.', {
      facts,
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new SallyportError(
      'conflict',
      'Another program is writing to the vault and did not finish in time.',
      {
        hint: 'Nothing was changed. Try again.',
        facts,
        cause: error,
      },
    );
  }
  return error;
}
