/** Files that are encrypted once and proved before they are named: written, fsynced, read back, decrypted, hashed. */
import { open } from 'node:fs/promises';
import { openDirect } from '../files/direct.ts';
import { createHasher, type Hasher } from '../files/hasher.ts';
import { writeBehind } from '../files/write-behind.ts';
import { AgeWriter, decryptFileStream } from './file.ts';
import { tampered } from './stream.ts';

export interface SealedFile {
  /** SHA-256 of the plaintext, hex: of what the file was read back to hold. */
  readonly digest: string;
  /** Bytes of plaintext. */
  readonly sizeBytes: number;
  /** Opens this file alone. For reading it back at once; never stored. */
  readonly fileKey: Uint8Array;
}

export interface SealOptions {
  /** Plaintext bytes encrypted or verified so far. */
  readonly onProgress?: (phase: 'encrypting' | 'verifying', bytes: number) => void;
  /** Compares and hashes; where it has memory, the pieces of the source lie in it in turn. It stays the caller's. */
  readonly hasher?: Hasher;
  /** The file will be large: written and read back past the page cache, where that can be had. */
  readonly large?: boolean;
}

/** Pieces of ciphertext that wait to be written while the next are encrypted. */
const WAITING = 4;

/**
 * Encrypts `source` into a new file at `path` (mode 0600, must not exist), and proves it: what is read back from the
 * file decrypts to the bytes that went in. A tag of both says so; the digest is taken once, of what came back. A piece
 * of `source` is done with when the next is asked for (with a hasher that lags, so many later). Durable when it
 * resolves, apart from the directory entry. On an error the file may be left behind in part: the caller removes it.
 */
export async function sealToFile(
  recipients: readonly string[],
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  path: string,
  options: SealOptions = {},
): Promise<SealedFile> {
  const hasher = options.hasher ?? createHasher();
  const handle = await open(path, 'wx+', 0o600);
  const direct = options.large ? await openDirect(handle, 'writing') : null;
  const queue = writeBehind(handle, WAITING, direct);
  try {
    const writer = await AgeWriter.create(recipients, queue.room);
    let sizeBytes = 0;
    await queue.write(writer.begin);
    for await (const piece of source) {
      // Asked for first: a thread takes it while it is encrypted here.
      const noted = begun(hasher.expect(piece));
      sizeBytes += piece.length;
      for (const sealed of writer.update(piece)) await queue.write(sealed);
      await noted;
      options.onProgress?.('encrypting', sizeBytes);
    }
    await queue.write(writer.final());
    await queue.sync();

    let readBytes = 0;
    const memory = hasher.memory.length > 0 ? { memory: hasher.memory } : { reuse: true };
    const fromDisk = options.large === true;
    for await (const piece of decryptFileStream(handle, writer.fileKey, { ...memory, fromDisk })) {
      await hasher.update(piece);
      readBytes += piece.length;
      options.onProgress?.('verifying', readBytes);
    }
    const { digest, asExpected } = await hasher.digest();
    // Of an empty stream nothing is expected, and nothing may come.
    if (readBytes !== sizeBytes || asExpected === false)
      throw tampered('what was read back is not what was written');
    return { digest, sizeBytes, fileKey: writer.fileKey };
  } finally {
    await queue.settled();
    await direct?.close();
    await handle.close();
  }
}

/** It is waited for later; until then a failure of it is nobody's unhandled rejection. */
function begun<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
