/** age files on disk, streamed or read at random, in memory that does not grow with the file. */

import { randomBytes } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from '../../domain/onnx/summary.ts';
import { openDirect, slotReader } from '../files/direct.ts';
import { readAhead } from '../files/read-ahead.ts';
import { headerLength, MAX_HEADER_BYTES, makeHeader } from './header.ts';
import {
  CHUNK_BYTES,
  ChunkSealer,
  openChunkInto,
  PAYLOAD_NONCE_BYTES,
  type PayloadLayout,
  payloadKeyOf,
  payloadLayout,
  SEALED_CHUNK_BYTES,
  TAG_BYTES,
  tampered,
} from './stream.ts';

/** Writes one age file: `begin`, then what `update` returns, then what `final` returns. */
export class AgeWriter {
  /** Header and payload nonce: the first bytes of the file. */
  readonly begin: Buffer;
  /** Opens this one file without any identity: for reading back what was written. Never stored. */
  readonly fileKey: Uint8Array;
  readonly #sealer: ChunkSealer;

  private constructor(begin: Buffer, fileKey: Uint8Array, sealer: ChunkSealer) {
    this.begin = begin;
    this.fileKey = fileKey;
    this.#sealer = sealer;
  }

  /** A writer for these recipients (`age1…`). `room` as in `ChunkSealer`. */
  static async create(recipients: readonly string[], room?: (bytes: number) => Buffer): Promise<AgeWriter> {
    const header = await makeHeader(recipients);
    const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
    const sealer = new ChunkSealer(payloadKeyOf(header.fileKey, nonce), room);
    return new AgeWriter(Buffer.concat([header.bytes, nonce]), header.fileKey, sealer);
  }

  /** Ciphertext that became complete, as pieces, possibly none; `plaintext` may be reused afterwards. */
  update(plaintext: Uint8Array): Buffer[] {
    const sealed = this.#sealer.update(plaintext);
    return sealed.length > 0 ? [sealed] : [];
  }

  /** The last chunk. Call once. */
  final(): Buffer {
    return this.#sealer.final();
  }
}

/** The ciphertext of `source` for these recipients, piece by piece. */
export async function* encryptStream(
  recipients: readonly string[],
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const writer = await AgeWriter.create(recipients);
  yield writer.begin;
  for await (const piece of source) yield* writer.update(piece);
  yield writer.final();
}

/** Reads exactly `length` bytes at `position`; fewer are an integrity error, the file having been measured before. */
async function readExactly(handle: FileHandle, length: number, position: number): Promise<Buffer> {
  const bytes = await slotReader(handle, null, 1, length)(0, length, position);
  return whole(bytes, length);
}

function whole(bytes: Buffer, length: number): Buffer {
  if (bytes.length < length) throw tampered('it became shorter while it was read');
  return bytes;
}

function readExactlySync(
  fd: number,
  length: number,
  position: number,
  memory = Buffer.allocUnsafe(length),
): Buffer {
  const buffer = memory.subarray(0, length);
  let have = 0;
  while (have < length) {
    const bytesRead = readSync(fd, buffer, have, length - have, position + have);
    if (bytesRead === 0) throw tampered('it became shorter while it was read');
    have += bytesRead;
  }
  return buffer;
}

/** The header at the start of an open file, its MAC line included. */
export async function readHeader(handle: FileHandle): Promise<Buffer> {
  const { size } = await handle.stat();
  const start = await readExactly(handle, Math.min(size, MAX_HEADER_BYTES), 0);
  const length = headerLength(start);
  if (length === null) throw tampered('it has no complete age header');
  return start.subarray(0, length);
}

/** Bytes of plaintext an open age file holds if it is whole, from its size alone; `integrity.artifact` for impossible ones. */
export async function payloadBytesOf(handle: FileHandle): Promise<number> {
  const { length } = await readHeader(handle);
  const { size } = await handle.stat();
  return payloadLayout(size - length - PAYLOAD_NONCE_BYTES).plaintextBytes;
}

/** Chunks that are read at once: 1 MiB, about 1 ms of decryption. */
const BATCH = 16;
/** Batches of ciphertext that are being read while one is decrypted and used. */
const BATCHES_AHEAD = 3;

export interface DecryptOptions {
  /** Every piece lies in the same memory, valid until the next one is asked for; for who hashes or writes it. */
  readonly reuse?: boolean;
  /** Memory for the pieces, used in turn: buffers of 1 MiB. */
  readonly memory?: readonly Buffer[];
  /** What counts is what the disk holds: read past the page cache where that can be had. For large files. */
  readonly fromDisk?: boolean;
}

/**
 * Plaintext of an age file, in pieces of up to 1 MiB; a piece is handed out only after its tags verified. The end of
 * the iteration means that the last chunk was seen: a file cut off anywhere throws `integrity.artifact` instead.
 */
export async function* decryptFileStream(
  file: string | FileHandle,
  fileKey: Uint8Array,
  options: DecryptOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const handle = typeof file === 'string' ? await open(file, 'r') : file;
  const direct = options.fromDisk ? await openDirect(handle, 'reading') : null;
  try {
    const { length } = await readHeader(handle);
    const start = length + PAYLOAD_NONCE_BYTES;
    const { size } = await handle.stat();
    const layout = payloadLayout(size - start);
    const key = payloadKeyOf(fileKey, await readExactly(handle, PAYLOAD_NONCE_BYTES, length));
    const batches = Math.ceil(layout.chunks / BATCH);
    const largest = Math.min(BATCH, layout.chunks);
    const slots = Math.min(BATCHES_AHEAD + 1, batches);
    const read = slotReader(handle, direct, slots, largest * SEALED_CHUNK_BYTES);
    const plainMemory = options.memory ?? (options.reuse ? [Buffer.allocUnsafe(largest * CHUNK_BYTES)] : []);
    const sealedBatches = readAhead(batches, BATCHES_AHEAD, async (batch) => {
      const from = start + batch * BATCH * SEALED_CHUNK_BYTES;
      const bytes = Math.min(BATCH * SEALED_CHUNK_BYTES, size - from);
      return whole(await read(batch % slots, bytes, from), bytes);
    });
    let index = 0;
    let turn = 0;
    for await (const sealed of sealedBatches) {
      const count = Math.ceil(sealed.length / SEALED_CHUNK_BYTES);
      const bytes = sealed.length - count * TAG_BYTES;
      const memory = plainMemory[turn++ % plainMemory.length];
      const plaintext = memory?.subarray(0, bytes) ?? Buffer.allocUnsafe(bytes);
      for (let each = 0; each < count; each++, index++) {
        openChunkInto(
          plaintext.subarray(each * CHUNK_BYTES, Math.min((each + 1) * CHUNK_BYTES, bytes)),
          key,
          index,
          index === layout.chunks - 1,
          sealed.subarray(
            each * SEALED_CHUNK_BYTES,
            Math.min((each + 1) * SEALED_CHUNK_BYTES, sealed.length),
          ),
        );
      }
      yield plaintext;
    }
  } finally {
    await direct?.close();
    if (typeof file === 'string') await handle.close();
  }
}

/** Decrypted chunks kept by a byte source: 2 MiB. */
const CACHED_CHUNKS = 32;

/**
 * Random access to the plaintext of an open age file, each chunk authenticated before a byte of it is handed out.
 * The last chunk is verified at once, so that `size` is authentic. Synchronous: for worker processes. The descriptor
 * stays the caller's.
 */
export function createAgeByteSource(fd: number, fileKey: Uint8Array): ByteSource {
  const { size } = fstatSync(fd);
  const begin = readExactlySync(fd, Math.min(size, MAX_HEADER_BYTES), 0);
  const length = headerLength(begin);
  if (length === null) throw tampered('it has no complete age header');
  const start = length + PAYLOAD_NONCE_BYTES;
  const layout: PayloadLayout = payloadLayout(size - start);
  const key = payloadKeyOf(fileKey, readExactlySync(fd, PAYLOAD_NONCE_BYTES, length));
  // Insertion order is age: the first key is the chunk used longest ago.
  const cache = new Map<number, Buffer>();
  // Memory is used again and again: what is read is copied out, and chunk after chunk of garbage would add up.
  const sealedMemory = Buffer.allocUnsafeSlow(Math.min(SEALED_CHUNK_BYTES, size - start));
  let spare: Buffer | null = null;

  const chunk = (index: number): Buffer => {
    const known = cache.get(index);
    if (known) {
      cache.delete(index);
      cache.set(index, known);
      return known;
    }
    const last = index === layout.chunks - 1;
    const sealed = readExactlySync(
      fd,
      last ? layout.lastSealedBytes : SEALED_CHUNK_BYTES,
      start + index * SEALED_CHUNK_BYTES,
      sealedMemory,
    );
    const memory = spare ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    spare = memory;
    const plaintext = memory.subarray(0, sealed.length - TAG_BYTES);
    openChunkInto(plaintext, key, index, last, sealed);
    spare = null;
    cache.set(index, plaintext);
    const oldest = cache.entries().next().value;
    if (cache.size > CACHED_CHUNKS && oldest !== undefined) {
      cache.delete(oldest[0]);
      spare = Buffer.from(oldest[1].buffer, 0, CHUNK_BYTES);
    }
    return plaintext;
  };
  chunk(layout.chunks - 1);

  return {
    size: layout.plaintextBytes,
    read(offset, count) {
      if (
        !Number.isSafeInteger(offset) ||
        !Number.isSafeInteger(count) ||
        offset < 0 ||
        count < 0 ||
        offset + count > layout.plaintextBytes
      ) {
        throw new RangeError(
          `read of ${count} bytes at ${offset} passes the end of ${layout.plaintextBytes}`,
        );
      }
      const result = Buffer.allocUnsafe(count);
      let done = 0;
      while (done < count) {
        const at = offset + done;
        const within = at % CHUNK_BYTES;
        const source = chunk(Math.floor(at / CHUNK_BYTES));
        const take = Math.min(source.length - within, count - done);
        source.copy(result, done, within, within + take);
        done += take;
      }
      return result;
    },
  };
}
