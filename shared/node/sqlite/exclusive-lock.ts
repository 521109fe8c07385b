import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { SallyportError } from '../../domain/errors.ts';

/**
 * Takes an exclusive transaction on a database file and keeps it open: a lock that the operating system gives back
 * when the process dies, however it dies. Answers the release, or null while somebody else holds it. `disk.read-only`
 * where the file cannot be opened for writing.
 */
export function tryExclusiveLock(path: string): (() => void) | null {
  let connection: InstanceType<typeof Database>;
  try {
    connection = new Database(path, { timeout: 0 });
  } catch (error) {
    if (isUnwritable(error)) throw unwritable(error);
    throw error;
  }
  try {
    connection.pragma('journal_mode=DELETE');
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null;
    if (isNoDatabase(error)) throw noLockFile(path, error);
    if (isUnwritable(error)) throw unwritable(error);
    throw error;
  }
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    connection.exec('ROLLBACK');
    connection.close();
  };
}

/** Longest wait for another process's write, and time between two tries, in milliseconds. */
const LOCK_WAIT_MS = 10_000;
const TRY_EVERY_MS = 20;

/** The same for who writes a file in a moment: others of its kind are waited for. Null where one holds it too long. */
export async function waitForExclusiveLock(path: string): Promise<(() => void) | null> {
  for (let waited = 0; ; waited += TRY_EVERY_MS) {
    const release = tryExclusiveLock(path);
    if (release !== null || waited >= LOCK_WAIT_MS) return release;
    await delay(TRY_EVERY_MS);
  }
}

/** Whether somebody put something else in the place of a lock file. */
export function isNoDatabase(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(error.code);
}

export function noLockFile(path: string, cause: unknown): SallyportError {
  return new SallyportError('integrity.vault', `${basename(path)} is not what this program wrote.`, {
    hint: 'Nothing was changed. It holds nothing, so it can be removed: it is made anew.',
    facts: { path },
    cause,
  });
}

const UNWRITABLE = /^SQLITE_(CANTOPEN|READONLY|FULL|IOERR_(WRITE|LOCK))/;

function isUnwritable(error: unknown): boolean {
  return error instanceof Database.SqliteError && UNWRITABLE.test(error.code);
}

function unwritable(cause: unknown): SallyportError {
  return new SallyportError('disk.read-only', 'The folder cannot be written to: nothing was changed.', {
    hint: 'Make the folder writable and try again.',
    cause,
  });
}
