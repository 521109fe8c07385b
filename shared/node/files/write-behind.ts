import type { FileHandle } from 'node:fs/promises';
import { writeAll } from './files.ts';

/** Bytes after which what was written is sent to the disk, so that the last `sync` finds little left to do. */
const FLUSH_BYTES = 32 * 1024 * 1024;

/** Appends to a file while the caller makes what comes next. */
export interface WriteBehind {
  /**
   * Takes `bytes`, which stay untouched until written. Resolves when fewer than `waiting` pieces are still to be
   * written; rejects with the first error of any earlier piece.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything is written and on the disk. Rejects with the first error of any piece. */
  sync(): Promise<void>;
  /** Resolves when nothing is under way any more, failed or not. For before the handle is closed. */
  settled(): Promise<void>;
}

/** One write at a time, in order, at the position of `handle`; at most `waiting` pieces are held. */
export function writeBehind(handle: FileHandle, waiting: number): WriteBehind {
  let failure: { readonly error: unknown } | null = null;
  let unflushed = 0;
  let flushing: Promise<void> | null = null;
  let last: Promise<void> = Promise.resolve();
  const pending: Promise<void>[] = [];
  const fail = (error: unknown): void => {
    failure ??= { error };
  };
  const check = (): void => {
    if (failure) throw failure.error;
  };

  const flush = (): void => {
    // The kernel tells of a failed write-back once only: an error here must not be lost before the last `sync`.
    flushing = handle
      .datasync()
      .catch(fail)
      .finally(() => {
        flushing = null;
      });
  };

  const settled = async (): Promise<void> => {
    await last;
    await flushing;
  };

  return {
    async write(bytes) {
      check();
      last = last.then(async () => {
        // After a failed write the position is unknown: nothing may follow it.
        if (failure) return;
        try {
          await writeAll(handle, bytes);
        } catch (error) {
          return fail(error);
        }
        unflushed += bytes.length;
        if (unflushed < FLUSH_BYTES || flushing) return;
        unflushed = 0;
        flush();
      });
      pending.push(last);
      while (pending.length >= waiting) await pending.shift();
      check();
    },
    async sync() {
      await settled();
      check();
      await handle.sync();
    },
    settled,
  };
}
