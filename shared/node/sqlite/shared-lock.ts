import Database from 'better-sqlite3';
import { isNoDatabase, noLockFile } from './exclusive-lock.ts';

/** Nothing can be written here, so nobody can take the lock for themselves either. */
const READ_ONLY = ['SQLITE_CANTOPEN', 'SQLITE_READONLY', 'SQLITE_IOERR'];

/**
 * Takes part in a lock file's shared lock, which any number of processes hold at once and which keeps
 * `tryExclusiveLock` on the same file away. Given back by the operating system when the process dies. Answers the
 * release, or null while somebody holds it exclusively. On a read-only disk it answers a release of nothing.
 */
export function trySharedLock(path: string): (() => void) | null {
  let connection: InstanceType<typeof Database>;
  try {
    connection = new Database(path, { timeout: 0 });
  } catch (error) {
    if (isReadOnly(error)) return () => {};
    throw error;
  }
  try {
    // An open read transaction is a shared lock on the file as long as there is no write-ahead log.
    connection.exec('BEGIN');
    connection.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    connection.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null;
    if (isNoDatabase(error)) throw noLockFile(path, error);
    if (isReadOnly(error)) return () => {};
    throw error;
  }
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    connection.close();
  };
}

function isReadOnly(error: unknown): boolean {
  if (error instanceof TypeError) return false;
  return error instanceof Database.SqliteError && READ_ONLY.some((code) => error.code.startsWith(code));
}
