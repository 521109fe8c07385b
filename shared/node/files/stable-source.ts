import type { FileHandle } from 'node:fs/promises';
import { SallyportError } from '../../domain/errors.ts';
import { readAhead } from './read-ahead.ts';

/** Bytes read at once. */
export const PIECE_BYTES = 1024 * 1024;
/** Pieces that are being read while one is used. */
export const PIECES_AHEAD = 2;

/**
 * The bytes of a file somebody else may be writing: ends without an error only if size and time of change were the
 * same after the last byte as before the first, else `input.invalid`. Pieces of up to 1 MiB lie in `memory` in turn
 * (buffers of 1 MiB, more than `PIECES_AHEAD` of them): one is valid until `memory.length - PIECES_AHEAD` more were
 * asked for, by default until the next.
 */
export async function* readStable(
  handle: FileHandle,
  path: string,
  memory?: readonly Buffer[],
): AsyncGenerator<Buffer, void, undefined> {
  const changed = (): SallyportError =>
    new SallyportError('input.invalid', `The file ${path} changed while it was read.`, {
      hint: 'Nothing of it was kept. Wait until whatever writes it is done, and try again.',
    });
  const before = await handle.stat({ bigint: true });
  const size = Number(before.size);
  const pieces = Math.ceil(size / PIECE_BYTES);
  const buffers =
    memory ??
    Array.from({ length: Math.min(pieces, PIECES_AHEAD + 1) }, () =>
      Buffer.allocUnsafe(Math.min(size, PIECE_BYTES)),
    );
  const read = async (index: number): Promise<Buffer> => {
    const from = index * PIECE_BYTES;
    const piece = (buffers[index % buffers.length] as Buffer).subarray(0, Math.min(PIECE_BYTES, size - from));
    for (let have = 0; have < piece.length; ) {
      const { bytesRead } = await handle.read(piece, have, piece.length - have, from + have);
      if (bytesRead === 0) throw changed();
      have += bytesRead;
    }
    return piece;
  };
  yield* readAhead(pieces, PIECES_AHEAD, read);
  const { bytesRead: beyond } = await handle.read(Buffer.alloc(1), 0, 1, size);
  const after = await handle.stat({ bigint: true });
  if (beyond > 0 || after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw changed();
}
