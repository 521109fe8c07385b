import type { FileHandle } from 'node:fs/promises';
import { alignedMemory, BLOCK_BYTES, isUnsuitable } from './direct.ts';
import { writeAll } from './files.ts';

/** Bytes after which what was written is sent to the disk, so that the last `sync` finds little left to do. */
const FLUSH_BYTES = 32 * 1024 * 1024;

/** Largest piece that is written from where it was made: 1 MiB of plaintext with its tags. A larger one is copied in parts. */
const ROOM_BYTES = 1024 * 1024 + 1024;

/** Appends to a file from its beginning while the caller makes what comes next. */
export interface WriteBehind {
  /** Memory to make the next piece in, `bytes` long: what is made here is written without a copy. */
  room(bytes: number): Buffer;
  /**
   * Appends `piece`, the last room or the beginning of it, or bytes from elsewhere, which are copied. Resolves when
   * fewer than `waiting` pieces are still to be written; rejects with the first error of any earlier piece.
   */
  write(piece: Uint8Array): Promise<void>;
  /** Resolves when everything is written and on the disk. Rejects with the first error of any piece. */
  sync(): Promise<void>;
  /** Resolves when nothing is under way any more, failed or not. For before the handle is closed. */
  settled(): Promise<void>;
}

/**
 * One write at a time, in order; at most `waiting` pieces are held. With `direct`, the same file from `openDirect`,
 * whole blocks go past the page cache and only the end goes through `handle`. Both stay the caller's.
 */
export function writeBehind(
  handle: FileHandle,
  waiting: number,
  direct: FileHandle | null = null,
): WriteBehind {
  const slotBytes = Math.ceil((ROOM_BYTES + BLOCK_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  // One is filled while the others wait.
  const slots = waiting + 1;
  const aligned = direct && alignedMemory(slots * slotBytes);
  let way = aligned ? direct : null;
  const block = way ? BLOCK_BYTES : 1;
  const memory = Array.from({ length: slots }, (_, index) =>
    aligned ? Buffer.from(aligned, index * slotBytes, slotBytes) : Buffer.alloc(0),
  );
  let slot = 0;
  /** Bytes at the start of the slot that did not fill a block. */
  let carried = 0;
  /** Where the slot's first byte belongs in the file. */
  let position = 0;

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

  const put = async (bytes: Uint8Array, at: number): Promise<void> => {
    if (way) {
      try {
        return await writeAll(way, bytes, at);
      } catch (error) {
        if (!isUnsuitable(error)) throw error;
        way = null;
      }
    }
    await writeAll(handle, bytes, at);
    unflushed += bytes.length;
    if (unflushed < FLUSH_BYTES || flushing) return;
    unflushed = 0;
    flush();
  };

  const settled = async (): Promise<void> => {
    await last;
    await flushing;
  };

  /** The slot with at least `bytes` behind what is carried. Only ordinary memory is made larger, and only as needed. */
  const current = (bytes: number): Buffer => {
    const have = memory[slot] as Buffer;
    if (have.length >= carried + bytes) return have;
    const larger = Buffer.allocUnsafeSlow(carried + bytes);
    larger.set(have.subarray(0, carried));
    memory[slot] = larger;
    return larger;
  };

  const append = async (bytes: number): Promise<void> => {
    const filled = memory[slot] as Buffer;
    const end = carried + bytes;
    const whole = end - (end % block);
    if (whole === 0) {
      carried = end;
      return;
    }
    const at = position;
    last = last
      // After a failed write nothing may follow it.
      .then(() => (failure ? undefined : put(filled.subarray(0, whole), at)))
      .catch(fail);
    pending.push(last);
    position += whole;
    slot = (slot + 1) % slots;
    carried = 0;
    current(end - whole).set(filled.subarray(whole, end));
    carried = end - whole;
    while (pending.length >= waiting) await pending.shift();
    check();
  };

  return {
    room: (bytes) =>
      bytes > ROOM_BYTES ? Buffer.allocUnsafeSlow(bytes) : current(bytes).subarray(carried, carried + bytes),
    async write(piece) {
      check();
      const { buffer, byteOffset } = memory[slot] as Buffer;
      if (piece.buffer === buffer && piece.byteOffset === byteOffset + carried) return append(piece.length);
      for (let done = 0; done < piece.length; ) {
        const part = piece.subarray(done, done + ROOM_BYTES);
        current(part.length).set(part, carried);
        await append(part.length);
        done += part.length;
      }
    },
    async sync() {
      await settled();
      check();
      if (carried > 0) await writeAll(handle, (memory[slot] as Buffer).subarray(0, carried), position);
      await handle.sync();
    },
    settled,
  };
}
