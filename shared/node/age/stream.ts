/**
 * age's payload: STREAM over ChaCha20-Poly1305 in chunks of 64 KiB (C2SP age.md, "Payload").
 * Nonce of a chunk = 11-byte big-endian counter and one byte that is 1 for the last chunk only.
 */
import { hkdfSync } from 'node:crypto';
import sodium from 'sodium-native';
import { SallyportError } from '../../domain/errors.ts';

/** Plaintext bytes in a chunk; only the last may have fewer, and only that of an empty file has none. */
export const CHUNK_BYTES = 64 * 1024;
export const TAG_BYTES = 16;
/** A chunk as it lies in the file. */
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
/** Random bytes between header and first chunk, salt of the payload key. */
export const PAYLOAD_NONCE_BYTES = 16;

/** The payload key of one file: HKDF-SHA-256(file key, salt = payload nonce, info = "payload"). */
export function payloadKeyOf(fileKey: Uint8Array, payloadNonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, payloadNonce, 'payload', 32));
}

/** One memory for all nonces: each is used up in the call that asked for it. A new one per chunk would be garbage. */
const nonce = Buffer.alloc(12);

function chunkNonce(index: number, last: boolean): Buffer {
  // 48 of the counter's 88 bits: 2^48 chunks of 64 KiB are more than any file system holds.
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Encrypts one chunk into `target` (plaintext.length + 16 bytes). The caller keeps `last` true for exactly the last one. */
export function sealChunkInto(
  target: Uint8Array,
  key: Uint8Array,
  index: number,
  last: boolean,
  plaintext: Uint8Array,
): void {
  sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
    target,
    plaintext,
    null,
    null,
    chunkNonce(index, last),
    key,
  );
}

/** Encrypts one chunk. */
export function sealChunk(key: Uint8Array, index: number, last: boolean, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(plaintext.length + TAG_BYTES);
  sealChunkInto(sealed, key, index, last, plaintext);
  return sealed;
}

/** Decrypts one chunk into `target` (sealed.length - 16 bytes); `integrity.artifact` where its tag does not verify. */
export function openChunkInto(
  target: Uint8Array,
  key: Uint8Array,
  index: number,
  last: boolean,
  sealed: Uint8Array,
): void {
  try {
    sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
      target,
      null,
      sealed,
      null,
      chunkNonce(index, last),
      key,
    );
  } catch (cause) {
    throw tampered(`chunk ${index}${last ? ' (the last)' : ''} does not verify`, cause);
  }
}

/** The one error for an age file that is not what was written. */
export function tampered(what: string, cause?: unknown): SallyportError {
  return new SallyportError('integrity.artifact', `The encrypted file was changed or cut off: ${what}.`, {
    hint: 'Nothing of it was used. Restore the file from a backup, or add it again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Where the chunks of a payload lie. */
export interface PayloadLayout {
  readonly chunks: number;
  readonly plaintextBytes: number;
  /** Bytes of the last chunk in the file, tag included. */
  readonly lastSealedBytes: number;
}

/** Layout of `payloadBytes` of ciphertext (everything after the payload nonce); `integrity.artifact` for impossible sizes. */
export function payloadLayout(payloadBytes: number): PayloadLayout {
  if (payloadBytes < TAG_BYTES) throw tampered('it ends before its first chunk');
  const chunks = Math.ceil(payloadBytes / SEALED_CHUNK_BYTES);
  const lastSealedBytes = payloadBytes - (chunks - 1) * SEALED_CHUNK_BYTES;
  if (lastSealedBytes < TAG_BYTES || (lastSealedBytes === TAG_BYTES && chunks > 1))
    throw tampered('its last chunk is empty');
  return { chunks, plaintextBytes: payloadBytes - chunks * TAG_BYTES, lastSealedBytes };
}

/**
 * Cuts plaintext of any piece sizes into sealed chunks. One chunk is held back, because only the end of the input
 * tells which chunk is the last.
 */
export class ChunkSealer {
  readonly #key: Uint8Array;
  readonly #held = Buffer.alloc(CHUNK_BYTES);
  readonly #room: (bytes: number) => Buffer;
  #heldBytes = 0;
  #index = 0;

  /** `room` answers the memory for what `update` answers next, exactly so long. By default each gets its own. */
  constructor(payloadKey: Uint8Array, room: (bytes: number) => Buffer = Buffer.allocUnsafe) {
    this.#key = payloadKey;
    this.#room = room;
  }

  /** Sealed chunks that became complete, back to back. `piece` may be reused by the caller afterwards. */
  update(piece: Uint8Array): Buffer {
    const chunks = Math.max(0, Math.ceil((this.#heldBytes + piece.length) / CHUNK_BYTES) - 1);
    const sealed = this.#room(chunks * SEALED_CHUNK_BYTES);
    let done = 0;
    const seal = (plaintext: Uint8Array): void => {
      sealChunkInto(
        sealed.subarray(done, done + SEALED_CHUNK_BYTES),
        this.#key,
        this.#index++,
        false,
        plaintext,
      );
      done += SEALED_CHUNK_BYTES;
    };
    let offset = 0;
    while (offset < piece.length) {
      if (this.#heldBytes === CHUNK_BYTES) {
        seal(this.#held);
        this.#heldBytes = 0;
      }
      // Whole chunks that are surely not the last go straight from the piece, without a copy.
      while (this.#heldBytes === 0 && piece.length - offset > CHUNK_BYTES) {
        seal(piece.subarray(offset, offset + CHUNK_BYTES));
        offset += CHUNK_BYTES;
      }
      const take = Math.min(CHUNK_BYTES - this.#heldBytes, piece.length - offset);
      this.#held.set(piece.subarray(offset, offset + take), this.#heldBytes);
      this.#heldBytes += take;
      offset += take;
    }
    return sealed;
  }

  /** The last chunk. Call once, after all input. */
  final(): Buffer {
    return sealChunk(this.#key, this.#index, true, this.#held.subarray(0, this.#heldBytes));
  }
}
