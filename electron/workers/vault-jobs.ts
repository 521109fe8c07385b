/**
 * Entry of the process that does a vault's heavy work. It gets public keys and paths, makes the file key itself, and
 * parses what somebody handed in: a crash of the reader costs this process and nothing else.
 */
import { closeSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ErrorCode } from '../../shared/domain/errors.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { readOnnx } from '../../shared/domain/onnx/reader.ts';
import type { OnnxSummary } from '../../shared/domain/onnx/summary.ts';
import type { Finding } from '../../shared/domain/scan/finding.ts';
import { scanModel } from '../../shared/domain/scan/scan.ts';
import { createAgeByteSource, sealToFile } from '../../shared/node/age/index.ts';
import { diskError, systemCode } from '../../shared/node/files/files.ts';
import { createHasher, createThreadHasher, type Hasher } from '../../shared/node/files/hasher.ts';
import { PIECE_BYTES, PIECES_AHEAD, readStable } from '../../shared/node/files/stable-source.ts';
import { parentPort } from './parent-port.ts';

export interface AddModelRequest {
  readonly kind: 'add-model';
  readonly sourcePath: string;
  /** Where the encrypted file is written; it must not exist. The parent names or removes it afterwards. */
  readonly targetPath: string;
  readonly recipients: readonly string[];
}

export type VaultJobReply =
  | { readonly kind: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | {
      readonly kind: 'added';
      readonly digest: string;
      readonly sizeBytes: number;
      readonly summary: OnnxSummary;
      readonly rulesRun: readonly string[];
      readonly findings: readonly Finding[];
    }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | null;
      readonly facts: Readonly<Record<string, string | number | boolean | null>>;
    };

/** A progress message for so many bytes: about 50 a second at full speed. */
const PROGRESS_BYTES = 8 * 1024 * 1024;

/** From this size on, starting a thread costs less than hashing beside the encryption saves. */
const THREAD_BYTES = 32 * 1024 * 1024;
/** Pieces of 1 MiB that may wait for that thread: as many as are encrypted while it starts, and to even out its pace. */
const HASH_LAG = 8;

function hasherFor(sizeBytes: number): Promise<Hasher> {
  if (sizeBytes < THREAD_BYTES) return Promise.resolve(createHasher());
  // One buffer for the piece at hand, beside those that wait and those being read.
  const threaded = createThreadHasher(HASH_LAG + PIECES_AHEAD + 1, PIECE_BYTES, HASH_LAG);
  // A runtime or a limit that allows no thread costs time, nothing else.
  return threaded.catch(() => createHasher());
}

async function* stablePieces(
  source: FileHandle,
  path: string,
  hasher: Promise<Hasher>,
): AsyncGenerator<Buffer, void, undefined> {
  const { memory } = await hasher;
  yield* readStable(source, path, memory.length > 0 ? memory : undefined);
}

async function openSource(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT')
      throw new SallyportError('not-found', `There is no file ${path}.`, { hint: 'Check the path.', cause });
    throw new SallyportError('input.invalid', `The file ${path} cannot be read (${systemCode(cause)}).`, {
      hint: 'Check its permissions.',
      cause,
    });
  }
}

async function addModel(
  request: AddModelRequest,
  post: (reply: VaultJobReply) => void,
): Promise<VaultJobReply> {
  const source = await openSource(request.sourcePath);
  let hasher: Promise<Hasher> | null = null;
  try {
    const status = await source.stat();
    if (!status.isFile())
      throw new SallyportError('input.invalid', `${request.sourcePath} is not a file.`, {
        hint: 'Give the path of one ONNX file.',
      });
    let reported = 0;
    let reportedPhase = '';
    // Started here and waited for after the header is made: both take about as long.
    hasher = hasherFor(status.size);
    const sealed = await sealToFile(
      request.recipients,
      stablePieces(source, request.sourcePath, hasher),
      request.targetPath,
      {
        hasher,
        onProgress: (phase, done) => {
          if (phase === reportedPhase && done - reported < PROGRESS_BYTES && done !== status.size) return;
          reported = done;
          reportedPhase = phase;
          post({ kind: 'progress', phase, done, total: status.size });
        },
      },
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
    await (await hasher)?.close();
    await source.close();
  }
}

function failure(thrown: unknown): VaultJobReply {
  const error = diskError(thrown);
  if (error instanceof SallyportError) {
    return {
      kind: 'failed',
      code: error.code,
      message: error.message,
      hint: error.hint ?? null,
      facts: error.facts,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'failed',
    code: 'unexpected',
    message: `The model could not be added: ${message}`,
    hint: 'Nothing was kept.',
    facts: {},
  };
}

const port = parentPort();
port.onMessage((message) => {
  const request = message as AddModelRequest;
  void addModel(request, (reply) => port.postMessage(reply)).then(
    (reply) => port.postMessage(reply),
    (error: unknown) => port.postMessage(failure(error)),
  );
});
