/** Files that are encrypted once and proved before they are named: written, fsynced, read back, decrypted, hashed. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { writeAll } from '../files/files.ts';
import { AgeWriter, decryptFileStream } from './file.ts';
import { tampered } from './stream.ts';

export interface SealedFile {
  /** SHA-256 of the plaintext, hex. */
  readonly digest: string;
  /** Bytes of plaintext. */
  readonly sizeBytes: number;
  /** Opens this file alone. For reading it back at once; never stored. */
  readonly fileKey: Uint8Array;
}

export interface SealProgress {
  /** Plaintext bytes encrypted or verified so far. */
  readonly onProgress?: (phase: 'encrypting' | 'verifying', bytes: number) => void;
}

/**
 * Encrypts `source` into a new file at `path` (mode 0600, must not exist), and proves it: what is read back from the
 * file decrypts to the bytes that went in. Durable when it resolves, apart from the directory entry. On an error the
 * file may be left behind in part: the caller removes it.
 */
export async function sealToFile(
  recipients: readonly string[],
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  path: string,
  { onProgress }: SealProgress = {},
): Promise<SealedFile> {
  const writer = await AgeWriter.create(recipients, { reuse: true });
  const handle = await open(path, 'wx+', 0o600);
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    await writeAll(handle, writer.begin);
    for await (const piece of source) {
      hash.update(piece);
      sizeBytes += piece.length;
      for (const sealed of writer.update(piece)) await writeAll(handle, sealed);
      onProgress?.('encrypting', sizeBytes);
    }
    await writeAll(handle, writer.final());
    await handle.sync();
    const digest = hash.digest('hex');

    const readBack = createHash('sha256');
    let readBytes = 0;
    for await (const piece of decryptFileStream(handle, writer.fileKey, { reuse: true })) {
      readBack.update(piece);
      readBytes += piece.length;
      onProgress?.('verifying', readBytes);
    }
    if (readBack.digest('hex') !== digest) throw tampered('what was read back is not what was written');
    return { digest, sizeBytes, fileKey: writer.fileKey };
  } finally {
    await handle.close();
  }
}
