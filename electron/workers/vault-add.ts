/** Taking a model file in: encrypted, proved, inspected and scanned, in a worker of the vault. */
import { closeSync, openSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { SallyportError } from '../../shared/domain/errors.ts';
import { readOnnx } from '../../shared/domain/onnx/reader.ts';
import { scanModel } from '../../shared/domain/scan/scan.ts';
import { createAgeByteSource, sealToFile } from '../../shared/node/age/index.ts';
import { LARGE_FILE_BYTES } from '../../shared/node/files/direct.ts';
import { openRegularFile, systemCode } from '../../shared/node/files/files.ts';
import { readStable } from '../../shared/node/files/stable-source.ts';
import { hasherFor, progressOf } from './vault-hashing.ts';
import type { AddModelRequest, VaultJobReply } from './vault-messages.ts';

/** A person gave this path: a link is theirs to give. Anything without bytes of its own is refused at once. */
async function openSource(path: string): Promise<FileHandle> {
  try {
    return await openRegularFile(path, { follow: true });
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR')
      throw new SallyportError('not-found', `There is no file ${path}.`, { hint: 'Check the path.', cause });
    throw new SallyportError('input.invalid', `The file ${path} cannot be read (${systemCode(cause)}).`, {
      hint: 'Check its permissions.',
      cause,
    });
  }
}

/** Encrypts `sourcePath` into `targetPath`, proves it, and judges what is stored. */
export async function addModel(
  request: AddModelRequest,
  post: (reply: VaultJobReply) => void,
): Promise<VaultJobReply> {
  const source = await openSource(request.sourcePath);
  try {
    const { size } = await source.stat();
    const hasher = await hasherFor(size);
    const memory = hasher.memory.length > 0 ? hasher.memory : undefined;
    try {
      const sealed = await sealToFile(
        request.recipients,
        readStable(source, request.sourcePath, memory),
        request.targetPath,
        { hasher, large: size >= LARGE_FILE_BYTES, onProgress: progressOf(size, post) },
      );
      post({ kind: 'progress', phase: 'inspecting', done: 0, total: sealed.sizeBytes });
      // What is inspected is what is stored: the reader sees the decrypted file, not the source a second time.
      const fd = openSync(request.targetPath, 'r');
      try {
        const reading = readOnnx(createAgeByteSource(fd, sealed.fileKey));
        const { rulesRun, findings } = scanModel(reading);
        return {
          kind: 'added',
          digest: sealed.digest,
          sizeBytes: sealed.sizeBytes,
          summary: reading.summary,
          rulesRun,
          findings,
        };
      } finally {
        closeSync(fd);
        sealed.fileKey.fill(0);
      }
    } finally {
      await hasher.close();
    }
  } finally {
    await source.close();
  }
}
