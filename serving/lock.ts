import { join } from 'node:path';
import Database from 'better-sqlite3';
import { SallyportError } from '../shared/domain/errors.ts';

/**
 * Makes this process the only agent of a directory until it ends, however it ends: the system drops the lock of a
 * killed process, which a file with a process id in it would not. `conflict` when another one runs.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const db = new Database(join(directory, 'state', 'agent.lock'), { timeout: 500 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    throw new SallyportError('conflict', `Another agent runs in ${directory}.`, {
      hint: 'Stop it first; this one was not started.',
      cause,
    });
  }
  return async () => {
    db.close();
  };
}
