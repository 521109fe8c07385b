/** Checking a stored file, in a worker of the vault. */
import type { FileHandle } from 'node:fs/promises';
import { SallyportError } from '../../shared/domain/errors.ts';
import { decryptFileStream, payloadBytesOf } from '../../shared/node/age/index.ts';
import { LARGE_FILE_BYTES } from '../../shared/node/files/direct.ts';
import { openRegularFile, systemCode } from '../../shared/node/files/files.ts';
import { hasherFor, progressOf } from './vault-hashing.ts';
import type { VaultJobReply, VerifyFileRequest } from './vault-messages.ts';

/** Decrypts and hashes all of it; answers what it holds. `integrity.artifact` where it cannot be read to its last tag. */
export async function verifyFile(
  request: VerifyFileRequest,
  post: (reply: VaultJobReply) => void,
): Promise<VaultJobReply> {
  let handle: FileHandle | null = null;
  try {
    handle = await openRegularFile(request.path);
    return await readToEnd(handle, request.fileKey, post);
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'integrity.artifact') throw error;
    // A bad sector, or a file that was exchanged since its header was read: of this file, not of the sweep.
    const system = error instanceof SallyportError ? '' : systemCode(error);
    const why = system || (error instanceof Error ? error.message : String(error));
    throw new SallyportError('integrity.artifact', `A stored file cannot be read (${why}).`, {
      hint: 'Check the disk. Restore the file from a backup of the vault, or add the model again.',
      cause: error,
    });
  } finally {
    request.fileKey.fill(0);
    await handle?.close();
  }
}

async function readToEnd(
  handle: FileHandle,
  fileKey: Uint8Array,
  post: (reply: VaultJobReply) => void,
): Promise<VaultJobReply> {
  const total = await payloadBytesOf(handle);
  const hasher = await hasherFor(total);
  try {
    const progress = progressOf(total, post);
    const memory = hasher.memory.length > 0 ? { memory: hasher.memory } : { reuse: true };
    const fromDisk = total >= LARGE_FILE_BYTES;
    let sizeBytes = 0;
    for await (const piece of decryptFileStream(handle, fileKey, { ...memory, fromDisk })) {
      await hasher.update(piece);
      sizeBytes += piece.length;
      progress('verifying', sizeBytes);
    }
    return { kind: 'verified', digest: (await hasher.digest()).digest, sizeBytes };
  } finally {
    await hasher.close();
  }
}
