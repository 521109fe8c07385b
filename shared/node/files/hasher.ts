/** SHA-256 of a stream of pieces, compared with an earlier one: here, or in a thread beside whoever makes the pieces. */
import crypto from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createStreamDigest, type DigestResult } from './stream-digest.ts';

export interface Hasher {
  /** Buffers for the pieces, to be filled in turn. What it is given may lie elsewhere only if `lag` is 0. */
  readonly memory: readonly Buffer[];
  /** Pieces that may still be read after `expect` or `update` resolved: the last so many must stay untouched. */
  readonly lag: number;
  /** Notes a piece of the stream that the hashed one should equal; all of them before the first `update`. */
  expect(piece: Uint8Array): Promise<void>;
  /** Adds a piece. Rejects where hashing failed, also that of an earlier piece. */
  update(piece: Uint8Array): Promise<void>;
  /** Of all pieces since the start or the last `digest`. */
  digest(): Promise<DigestResult>;
  close(): Promise<void>;
}

/** In the calling thread: a piece is done with when the call returns. */
export function createHasher(memory: readonly Buffer[] = []): Hasher {
  const digest = createStreamDigest(crypto);
  return {
    memory,
    lag: 0,
    expect: async (piece) => digest.expect(piece),
    update: async (piece) => digest.update(piece),
    digest: async () => digest.finish(),
    close: async () => {},
  };
}

/** A piece by its place in the shared memory and what to do with it, or null: answer the digest and begin anew. */
type ToThread = { readonly as: 'expect' | 'update'; readonly from: number; readonly length: number } | null;
/** The digest, or null: one more piece is done. */
type FromThread = DigestResult | null;

/**
 * The thread's side. It runs from its source text, so that it needs no file of its own in any build: it may use
 * nothing but its arguments and globals.
 */
function hashThread(require: NodeJS.Require, create: typeof createStreamDigest): void {
  const { parentPort, workerData } = require('node:worker_threads') as typeof import('node:worker_threads');
  const digest = create(require('node:crypto') as typeof import('node:crypto'));
  const memory = workerData as SharedArrayBuffer;
  parentPort?.on('message', (message: ToThread) => {
    if (message) digest[message.as](new Uint8Array(memory, message.from, message.length));
    parentPort.postMessage((message ? null : digest.finish()) satisfies FromThread);
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
  const thread = new Worker(`(${hashThread.toString()})(require, ${createStreamDigest.toString()})`, {
    eval: true,
    workerData: shared,
    execArgv: [],
    env: {},
    // It makes only small messages: no reason to let them gather in memory.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  let failure: Error | null = null;
  let outstanding = 0;
  let result: DigestResult | null = null;
  let wake = (): void => {};

  thread.on('message', (message: FromThread) => {
    if (message === null) outstanding--;
    else result = message;
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
  const hand = async (as: 'expect' | 'update', piece: Uint8Array): Promise<void> => {
    if (piece.buffer !== shared) throw new TypeError('The piece does not lie in the memory of the hasher.');
    outstanding++;
    thread.postMessage({ as, from: piece.byteOffset, length: piece.length } satisfies ToThread);
    await until(() => outstanding <= lag);
  };

  return {
    memory,
    lag,
    expect: (piece) => hand('expect', piece),
    update: (piece) => hand('update', piece),
    async digest() {
      result = null;
      thread.postMessage(null satisfies ToThread);
      let found: DigestResult | null = null;
      await until(() => {
        found = result;
        return found !== null;
      });
      return found ?? { digest: '', asExpected: null };
    },
    async close() {
      await thread.terminate();
    },
  };
}
