import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDiskRefusal, SallyportError } from '../../domain/errors.ts';
import { connect, type EncryptedDatabase, openDatabase } from './database.ts';

/** A database that could be opened: the file itself, or a copy of it where nothing can be written beside the file. */
export interface ReadableDatabase {
  readonly db: EncryptedDatabase;
  /** Why the file itself could not be opened; null where it is. */
  unwritable(): SallyportError | null;
  /** Goes on with the file itself where it opens by now; throws why it does not. Cheap where it is open already. */
  makeWritable(): void;
  close(): void;
}

const PREFIX = 'sallyport-reading-';
/** Tries at a copy of a file that changes while it is copied. */
const ATTEMPTS = 3;

/**
 * Opens a database for as much as the disk allows. Even reading one with a write-ahead log needs a file beside it; on
 * a full or read-only disk a copy in the temporary folder is read instead, as encrypted as the file is. `prepare`
 * brings whichever was opened to the program's schema. Errors: those of `openDatabase`.
 */
export function openReadable(
  path: string,
  key: () => Uint8Array,
  options: { readonly create?: boolean },
  prepare: (db: EncryptedDatabase) => void,
): ReadableDatabase {
  try {
    const db = prepared(path, key(), options, prepare);
    return { db, unwritable: () => null, makeWritable: () => {}, close: () => db.close() };
  } catch (error) {
    if (options.create === true || !isDiskRefusal(error)) throw error;
    return openCopy(path, key, prepare, error);
  }
}

function prepared(
  path: string,
  key: Uint8Array,
  options: { readonly create?: boolean },
  prepare: (db: EncryptedDatabase) => void,
): EncryptedDatabase {
  const db = openDatabase(path, key, options);
  try {
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function openCopy(
  path: string,
  key: () => Uint8Array,
  prepare: (db: EncryptedDatabase) => void,
  reason: SallyportError,
): ReadableDatabase {
  const folder = copyForReading(path, reason);
  const copy = join(folder, 'registry.db');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  let why: SallyportError | null = reason;
  try {
    const db = prepared(copy, key(), {}, prepare);
    return {
      db,
      unwritable: () => why,
      makeWritable: () => {
        if (why === null) return;
        let failure: unknown = null;
        db.reconnect(() => {
          try {
            return connect(path, key());
          } catch (error) {
            failure = error;
            return connect(copy, key());
          }
        });
        if (failure !== null) throw isDiskRefusal(failure) ? failure : why;
        // Brought forward as any other opening would; a step that the full disk refuses is tried again the next time.
        prepare(db);
        why = null;
        remove();
      },
      close: () => {
        db.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Copies the database with its write-ahead log into a folder of its own; answers the folder. */
function copyForReading(path: string, reason: SallyportError): string {
  for (const parent of [tmpdir(), '/dev/shm']) {
    if (!existsSync(parent)) continue;
    removeLeftCopies(parent);
    let folder: string | null = null;
    try {
      // Mode 0700. The name holds the process id, so that the next copy sees who is gone.
      folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
      copyUnchanged(path, join(folder, 'registry.db'));
      return folder;
    } catch (error) {
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
      if (error instanceof SallyportError) throw error;
      // This folder is full, too: the next one.
    }
  }
  throw reason;
}

function copyUnchanged(path: string, target: string): void {
  const files = ['', '-wal'];
  const state = (): string =>
    files
      .map((end) => statSync(`${path}${end}`, { throwIfNoEntry: false }))
      .map((status) => (status ? `${status.size} ${status.mtimeMs}` : 'none'))
      .join();
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const before = state();
    for (const end of files) {
      rmSync(`${target}${end}`, { force: true });
      if (existsSync(`${path}${end}`)) copyFileSync(`${path}${end}`, `${target}${end}`);
    }
    if (state() === before) return;
  }
  throw new SallyportError('conflict', 'Another program is writing to the vault.', {
    hint: 'Nothing was changed. Try again.',
  });
}

/** Removes copies whose process was killed. */
function removeLeftCopies(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1] ?? 0);
    if (owner === 0 || owner === process.pid) continue;
    try {
      process.kill(owner, 0);
    } catch {
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}
