import Database from 'better-sqlite3';

/**
 * Takes an exclusive transaction on a database file and keeps it open: a lock that the operating system gives back
 * when the process dies, however it dies. Answers the release, or null while somebody else holds it.
 */
export function tryExclusiveLock(path: string): (() => void) | null {
  const connection = new Database(path, { timeout: 0 });
  try {
    connection.pragma('journal_mode=DELETE');
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null;
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
