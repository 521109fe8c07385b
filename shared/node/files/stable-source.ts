import type { FileHandle } from 'node:fs/promises';
import { SallyportError } from '../../domain/errors.ts';

/** Bytes read at once. */
const PIECE_BYTES = 1024 * 1024;

/**
 * The bytes of a file somebody else may be writing: ends without an error only if size and time of change were the
 * same after the last byte as before the first, else `input.invalid`. Pieces share one memory, valid until the next.
 */
export async function* readStable(handle: FileHandle, path: string): AsyncGenerator<Buffer, void, undefined> {
  const before = await handle.stat({ bigint: true });
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  const after = await handle.stat({ bigint: true });
  if (BigInt(position) !== before.size || after.size !== before.size || after.mtimeNs !== before.mtimeNs) {
    throw new SallyportError('input.invalid', `The file ${path} changed while it was read.`, {
      hint: 'Nothing of it was kept. Wait until whatever writes it is done, and try again.',
    });
  }
}
