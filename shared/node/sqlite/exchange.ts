import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { SallyportError } from '../../domain/errors.ts';
import { connect, type EncryptedDatabase } from './database.ts';

interface KeyedFile {
  readonly path: string;
  readonly key: Uint8Array;
}

/**
 * Puts a complete database file in the place of an open one, and lets everybody who holds the open one go on with it.
 * A write-ahead log of the old file would be read into the new one, so there must be none left when the name changes
 * hands: closing the last connection empties and removes it. On an error the old file is open again.
 */
export function exchangeDatabase(db: EncryptedDatabase, own: KeyedFile, next: KeyedFile): void {
  let failure: unknown = null;
  db.reconnect(() => {
    try {
      // Refused before anything is moved: another connection still has a log with something in it.
      if (sizeOf(`${own.path}-wal`) > 0) {
        throw new SallyportError('conflict', 'The database is in use by another program.', {
          hint: 'Nothing was changed. Close it and try again.',
        });
      }
      // Proves the key and the file while the old one still has the name. It leaves no log of its own behind.
      connect(next.path, next.key).close();
      for (const end of ['-wal', '-shm']) rmSync(`${own.path}${end}`, { force: true });
      syncFolder(own.path);
      renameSync(next.path, own.path);
      syncFolder(own.path);
    } catch (error) {
      failure = error;
      return connect(own.path, own.key);
    }
    return connect(own.path, next.key);
  });
  if (failure !== null) throw failure;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Makes names in the file's folder durable. Windows has no such call: its renames are journalled. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
