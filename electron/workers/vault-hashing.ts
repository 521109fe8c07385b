/** What the vault's jobs share: a digest beside the cipher, and progress that does not flood the parent. */
import { LARGE_FILE_BYTES } from '../../shared/node/files/direct.ts';
import { createHasher, createThreadHasher, type Hasher } from '../../shared/node/files/hasher.ts';
import { PIECE_BYTES, PIECES_AHEAD } from '../../shared/node/files/stable-source.ts';
import type { VaultJobReply } from './vault-messages.ts';

/** A progress message for so many bytes: about 50 a second at full speed. */
const PROGRESS_BYTES = 8 * 1024 * 1024;

/** Pieces of 1 MiB that may wait for that thread, to even out its pace. */
const HASH_LAG = 4;

/** The hasher for so many bytes. The caller closes it. */
export function hasherFor(sizeBytes: number): Promise<Hasher> {
  if (sizeBytes < LARGE_FILE_BYTES) return Promise.resolve(createHasher());
  // One buffer for the piece at hand, beside those that wait and those being read.
  const threaded = createThreadHasher(HASH_LAG + PIECES_AHEAD + 1, PIECE_BYTES, HASH_LAG);
  // A runtime or a limit that allows no thread costs time, nothing else.
  return threaded.catch(() => createHasher());
}

/** Reports every 8 MiB of a phase, and its end. */
export function progressOf(
  total: number,
  post: (reply: VaultJobReply) => void,
): (phase: string, done: number) => void {
  let reported = 0;
  let reportedPhase = '';
  return (phase, done) => {
    if (phase === reportedPhase && done - reported < PROGRESS_BYTES && done !== total) return;
    reported = done;
    reportedPhase = phase;
    post({ kind: 'progress', phase, done, total });
  };
}
