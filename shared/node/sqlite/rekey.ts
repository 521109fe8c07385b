import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { SallyportError } from '../../domain/errors.ts';
import { openDatabase } from './database.ts';

/**
 * Copies an encrypted database to the new file `target`, which is under `nextKey` when this returns: one consistent
 * moment of the source, every page checked, fsynced. `VACUUM INTO` writes the copy encrypted under the source's own
 * key, so no plaintext page reaches the disk; the key is changed outside of write-ahead logging, which SQLCipher's
 * format does not allow in it. On an error nothing is left at `target`. Blocks: for a worker process.
 */
export function copyUnderNextKey(source: string, target: string, key: Uint8Array, nextKey: Uint8Array): void {
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${target}${end}`, { force: true });
  try {
    const original = openDatabase(source, key);
    try {
      // The path is a value, never part of a URI: options in it would be taken for a key.
      original.run('VACUUM INTO ?', target);
    } finally {
      original.close();
    }
    const copy = openDatabase(target, key);
    try {
      copy.pragma('journal_mode=DELETE');
      copy.pragma(`rekey="x'${Buffer.from(nextKey).toString('hex')}'"`);
    } finally {
      copy.close();
    }
    const changed = openDatabase(target, nextKey);
    try {
      const found = changed.pragma('integrity_check');
      if (found !== 'ok') {
        throw new SallyportError('integrity.vault', 'The database is damaged: its copy does not check out.', {
          hint: 'The vault keeps its keys. Restore it from a backup first.',
        });
      }
      changed.pragma('journal_mode=DELETE');
    } finally {
      changed.close();
    }
    const file = openSync(target, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${target}${end}`, { force: true });
    throw error;
  }
}
