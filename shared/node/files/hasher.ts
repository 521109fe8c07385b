/** SHA-256 of a stream of pieces: here, or in a thread beside whoever makes the pieces. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Hasher {
  /** Buffers for the pieces, to be filled in turn. What `update` is given may lie elsewhere only if `lag` is 0. */
  readonly memory: readonly Buffer[];
  /** Pieces that may still be read after `update` resolved: the last so many must stay untouched. */
  readonly lag: number;
  /** Adds a piece. Rejects where hashing failed, also that of an earlier piece. */
  update(piece: Uint8Array): Promise<void>;
  /** The digest of all pieces since the start or the last `digest`, hex. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** In the calling thread: a piece is done with when `update` returns. */
export function createHasher(memory: readonly Buffer[] = []): Hasher {
  let hash = createHash('sha256');
  return {
    memory,
    lag: 0,
    update: async (piece) => {
      hash.update(piece);
    },
    digest: async () => {
      const digest = hash.digest('hex');
      hash = createHash('sha256');
      return digest;
    },
    close: async () => {},
  };
}

/** A piece by its place in the shared memory, or null: answer the digest and begin anew. */
type ToThread = { readonly from: number; readonly length: number } | null;
/** The digest, or null: one more piece is done. */
type FromThread = string | null;

/**
 * The thread's side. It runs from its source text, so that it needs no file of its own in any build: it may use
 * nothing but its argument and globals.
 */
function hashThread(require: NodeJS.Require): void {
  const { parentPort, workerData } = require('node:worker_threads') as typeof import('node:worker_threads');
  const { createHash } = require('node:crypto') as typeof import('node:crypto');
  const memory = workerData as SharedArrayBuffer;
  let hash = createHash('sha256');
  parentPort?.on('message', (message: ToThread) => {
    if (message) {
      hash.update(new Uint8Array(memory, message.from, message.length));
      parentPort.postMessage(null satisfies FromThread);
      return;
    }
    parentPort.postMessage(hash.digest('hex') satisfies FromThread);
    hash = createHash('sha256');
  });
}

/**
 * In a thread of its own, which reads the pieces where they lie: they must lie in `memory`, `buffers` buffers of
 * `bytes` each that both threads share. Up to `lag` pieces wait to be hashed while the caller goes on. Resolves when
 * the thread runs; rejects where none can be started.
 */
export async function createThreadHasher(buffers: number, bytes: number, lag: number): Promise<Hasher> {
  const shared = new SharedArrayBuffer(buffers * bytes);
  const memory = Array.from({ length: buffers }, (_, index) => Buffer.from(shared, index * bytes, bytes));
  const thread = new Worker(`(${hashThread.toString()})(require)`, {
    eval: true,
    workerData: shared,
    execArgv: [],
    env: {},
    // It makes only small messages: no reason to let them gather in memory.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  let failure: Error | null = null;
  let outstanding = 0;
  let digest: string | null = null;
  let wake = (): void => {};

  thread.on('message', (message: FromThread) => {
    if (message === null) outstanding--;
    else digest = message;
    wake();
  });
  thread.on('error', (error) => {
    failure ??= error instanceof Error ? error : new Error(String(error));
    wake();
  });
  thread.on('exit', () => {
    failure ??= new Error('The thread that hashes ended.');
    wake();
  });

  await once(thread, 'online');

  const until = async (done: () => boolean): Promise<void> => {
    while (!failure && !done()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure) throw failure;
  };

  return {
    memory,
    lag,
    async update(piece) {
      if (piece.buffer !== shared) throw new TypeError('The piece does not lie in the memory of the hasher.');
      outstanding++;
      thread.postMessage({ from: piece.byteOffset, length: piece.length } satisfies ToThread);
      await until(() => outstanding <= lag);
    },
    async digest() {
      digest = null;
      thread.postMessage(null satisfies ToThread);
      await until(() => digest !== null);
      return digest ?? '';
    },
    async close() {
      await thread.terminate();
    },
  };
}
