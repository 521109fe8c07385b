/** Files that are encrypted once and proved before they are named: written, fsynced, read back, decrypted, hashed. */
import { open } from 'node:fs/promises';
import { createHasher, type Hasher } from '../files/hasher.ts';
import { createStreamTags, sameTag } from '../files/same-bytes.ts';
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
  /** Hashes what comes back; its memory holds those pieces. It stays the caller's. */
  readonly hasher?: Hasher | Promise<Hasher>;
}

/** Pieces of ciphertext that wait to be written while the next are encrypted. */
const WAITING = 4;

/**
 * Encrypts `source` into a new file at `path` (mode 0600, must not exist), and proves it: what is read back from the
 * file decrypts to the bytes that went in. A tag of both says so; the digest is taken once, of what came back. A piece
 * of `source` is done with when the next is asked for. Durable when it resolves, apart from the directory entry. On an error the
 * file may be left behind in part: the caller removes it.
 */
export async function sealToFile(
  recipients: readonly string[],
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  path: string,
  options: SealOptions = {},
): Promise<SealedFile> {
  // Each answer of the writer is one piece of the queue, which may hold `WAITING` while one more is made.
  const writer = await AgeWriter.create(recipients, { reuse: WAITING + 1 });
  const newTag = createStreamTags();
  const went = newTag();
  const came = newTag();
  const handle = await open(path, 'wx+', 0o600);
  const queue = writeBehind(handle, WAITING);
  try {
    let sizeBytes = 0;
    await queue.write(writer.begin);
    for await (const piece of source) {
      went.update(piece);
      sizeBytes += piece.length;
      for (const sealed of writer.update(piece)) await queue.write(sealed);
      options.onProgress?.('encrypting', sizeBytes);
    }
    await queue.write(writer.final());
    await queue.sync();

    let readBytes = 0;
    const hasher = (await options.hasher) ?? createHasher();
    const memory = hasher.memory.length > 0 ? { memory: hasher.memory } : { reuse: true };
    for await (const piece of decryptFileStream(handle, writer.fileKey, memory)) {
      // Asked for first: a thread hashes the piece while more is done here.
      const hashed = hasher.update(piece);
      hashed.catch(() => {});
      came.update(piece);
      await hashed;
      readBytes += piece.length;
      options.onProgress?.('verifying', readBytes);
    }
    const digest = await hasher.digest();
    if (readBytes !== sizeBytes || !sameTag(went, came))
      throw tampered('what was read back is not what was written');
    return { digest, sizeBytes, fileKey: writer.fileKey };
  } finally {
    await queue.settled();
    await handle.close();
  }
}
