import { isAlive } from '../system/process-numbers.ts';

/** Temporary files that this process, or a worker for it, is writing now, by path. */
export const beingWritten = new Set<string>();

/** Whether the process `owner` may be at work on the temporary file `path`. */
export function mayBeWriting(path: string, owner: number): boolean {
  // Our own number on a file we are not writing is that of an earlier process.
  return beingWritten.has(path) || (owner !== process.pid && isAlive(owner));
}
