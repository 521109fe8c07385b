/** Files that get other recipients: a new header around the same payload, or everything encrypted again. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LARGE_FILE_BYTES, openDirect, slotReader } from '../files/direct.ts';
import { diskError, fsyncDirectory, openRegularFile, temporaryPath } from '../files/files.ts';
import { readAhead } from '../files/read-ahead.ts';
import { PIECE_BYTES, PIECES_AHEAD } from '../files/stable-source.ts';
import { writeBehind } from '../files/write-behind.ts';
import { decryptFileStream, readHeader } from './file.ts';
import { checkHeaderRecipients, makeHeader, openHeader } from './header.ts';
import { sealToFile } from './sealed-file.ts';
import { tampered } from './stream.ts';

export interface RewrappedFile {
  /** False where the header was for exactly these recipients already: nothing was written. */
  readonly rewrapped: boolean;
  /** Size of the file on disk, ciphertext and header. */
  readonly fileBytes: number;
}

/** Pieces of 1 MiB that wait to be written while the next are read. */
const WAITING = 4;

async function isLarge(file: FileHandle): Promise<boolean> {
  return (await file.stat()).size >= LARGE_FILE_BYTES;
}

/** Copies `source` from byte `from` to its end. */
async function copyRest(
  source: FileHandle,
  from: number,
  write: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const { size } = await source.stat();
  const pieces = Math.ceil((size - from) / PIECE_BYTES);
  const slots = Math.min(pieces, PIECES_AHEAD + 1);
  const readSlot = slotReader(source, null, slots, PIECE_BYTES);
  const read = async (index: number): Promise<Buffer> => {
    const at = from + index * PIECE_BYTES;
    const length = Math.min(PIECE_BYTES, size - at);
    const piece = await readSlot(index % slots, length, at);
    if (piece.length < length) throw tampered('it became shorter while it was read');
    return piece;
  };
  for await (const piece of readAhead(pieces, PIECES_AHEAD, read)) await write(piece);
}

/**
 * Gives an age file the header of other recipients; payload and file key stay. The new file is written beside it,
 * fsynced, decrypted to its last tag and only then renamed over the old one, so that a stop at any moment leaves one
 * or the other, whole. Done again with the same recipients it changes nothing. `identities`: any of them may open it.
 * Errors: `auth.failed` (none of them fits), `integrity.artifact`, `disk.full`, `disk.read-only`; the file is then as
 * it was.
 */
export async function rewrapHeader(
  path: string,
  identities: string | readonly string[],
  recipients: readonly string[],
): Promise<RewrappedFile> {
  const source = await openRegularFile(path);
  const temporary = temporaryPath(path);
  try {
    const before = await readHeader(source);
    const fileKey = await openHeader(identities, before);
    try {
      if ((await checkHeaderRecipients(before, fileKey, recipients)) === 'confirmed')
        return { rewrapped: false, fileBytes: (await source.stat()).size };
      const header = await makeHeader(recipients, fileKey);
      const target = await open(temporary, 'wx+', 0o600);
      const fromDisk = await isLarge(source);
      const direct = fromDisk ? await openDirect(target, 'writing') : null;
      const queue = writeBehind(target, WAITING, direct);
      try {
        await queue.write(header.bytes);
        await copyRest(source, before.length, (piece) => queue.write(piece));
        await queue.sync();
        // The old file is about to go: what takes its place is proved, not assumed.
        for await (const _ of decryptFileStream(target, fileKey, { reuse: true, fromDisk }));
        const { size } = await target.stat();
        await rename(temporary, path);
        await fsyncDirectory(dirname(path));
        return { rewrapped: true, fileBytes: size };
      } finally {
        await queue.settled();
        await direct?.close();
        await target.close();
      }
    } finally {
      fileKey.fill(0);
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskError(error);
  } finally {
    await source.close();
  }
}

export interface ResealedFile {
  /** SHA-256 of the plaintext, hex, as it went in and as it was read back. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/**
 * Encrypts an age file again: fresh file key, fresh header, proved as in `sealToFile`, then renamed over the old one.
 * `expectedDigest` is checked before the old file goes. Errors as in `rewrapHeader`.
 */
export async function resealFile(
  path: string,
  identities: string | readonly string[],
  recipients: readonly string[],
  expectedDigest: string | null,
): Promise<ResealedFile> {
  const source = await openRegularFile(path);
  const temporary = temporaryPath(path);
  try {
    const fileKey = await openHeader(identities, await readHeader(source));
    try {
      const plaintext = decryptFileStream(source, fileKey, { reuse: true });
      const sealed = await sealToFile(recipients, plaintext, temporary, {
        large: await isLarge(source),
      });
      sealed.fileKey.fill(0);
      if (expectedDigest !== null && sealed.digest !== expectedDigest)
        throw tampered('its content is not the one that was registered');
      await rename(temporary, path);
      await fsyncDirectory(dirname(path));
      return { digest: sealed.digest, sizeBytes: sealed.sizeBytes };
    } finally {
      fileKey.fill(0);
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskError(error);
  } finally {
    await source.close();
  }
}
