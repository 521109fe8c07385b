import { join } from 'node:path';
import { SallyportError } from '../shared/domain/errors.ts';
import { tryExclusiveLock } from '../shared/node/sqlite/exclusive-lock.ts';

/**
 * Makes this process the only agent of a directory until it ends, however it ends: the system drops the lock of a
 * killed process, which a file with a process id in it would not. `conflict` when another one runs.
 */
export function lockDirectory(directory: string): () => void {
  const release = tryExclusiveLock(join(directory, 'state', 'agent.lock'));
  if (release) return release;
  throw new SallyportError('conflict', `Another agent runs in ${directory}.`, {
    hint: 'Stop it first; this one was not started.',
  });
}
