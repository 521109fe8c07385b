import { headerLength, MAX_HEADER_BYTES } from './header.ts';
import {
  CHUNK_BYTES,
  openChunkInto,
  PAYLOAD_NONCE_BYTES,
  type PayloadLayout,
  payloadKeyOf,
  payloadLayout,
  SEALED_CHUNK_BYTES,
  TAG_BYTES,
  tampered,
} from './stream.ts';

/** One memory for all plaintext: each chunk is used up in the call that opened it. */
const plain = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/**
 * Opens an age file that arrives in pieces of any sizes, and keeps no more of it than a header or a chunk. `use` is given
 * the plaintext chunk by chunk, each after its tag verified, in memory that is used again when it returns.
 */
export class AgeOpener {
  readonly #fileBytes: number;
  readonly #keyOf: (header: Uint8Array) => Promise<Uint8Array>;
  readonly #use: (plaintext: Uint8Array) => void;
  #payload: { readonly key: Uint8Array; readonly layout: PayloadLayout } | null = null;
  #received = 0;
  #index = 0;
  /** Of the header, then of the next chunk. */
  #held = Buffer.alloc(0);
  #heldBytes = 0;

  /** `fileBytes` = how long the file is going to be: it tells which chunk is the last. */
  constructor(
    fileBytes: number,
    keyOf: (header: Uint8Array) => Promise<Uint8Array>,
    use: (plaintext: Uint8Array) => void,
  ) {
    this.#fileBytes = fileBytes;
    this.#keyOf = keyOf;
    this.#use = use;
  }

  /** Bytes of the file so far. */
  get received(): number {
    return this.#received;
  }

  /** What the file holds if all of it verifies; null before its header is there. */
  get plaintextBytes(): number | null {
    return this.#payload?.layout.plaintextBytes ?? null;
  }

  /** The next piece, not before the last one was taken. `integrity.artifact` at the first byte that cannot be right; what `keyOf` throws. */
  async update(piece: Uint8Array): Promise<void> {
    this.#received += piece.length;
    if (this.#received > this.#fileBytes) throw tampered('it goes on behind its end');
    const sealed = this.#payload ? piece : await this.#begin(piece);
    if (this.#payload) this.#open(sealed, this.#payload.key, this.#payload.layout);
    else if (this.#received === this.#fileBytes) throw tampered('it has no complete age header');
  }

  /** Answers what follows the header and the nonce. */
  async #begin(piece: Uint8Array): Promise<Uint8Array> {
    const start = Buffer.concat([this.#held, piece]);
    const length = headerLength(start.subarray(0, MAX_HEADER_BYTES));
    if (length === null && start.length >= MAX_HEADER_BYTES) throw tampered('it has no complete age header');
    const begin = (length ?? 0) + PAYLOAD_NONCE_BYTES;
    if (length === null || start.length < begin) {
      this.#held = start;
      return new Uint8Array();
    }
    const layout = payloadLayout(this.#fileBytes - begin);
    const fileKey = await this.#keyOf(start.subarray(0, length));
    this.#payload = { key: payloadKeyOf(fileKey, start.subarray(length, begin)), layout };
    this.#held = Buffer.alloc(0);
    return start.subarray(begin);
  }

  #open(sealed: Uint8Array, key: Uint8Array, layout: PayloadLayout): void {
    let offset = 0;
    while (offset < sealed.length) {
      const last = this.#index === layout.chunks - 1;
      const bytes = last ? layout.lastSealedBytes : SEALED_CHUNK_BYTES;
      const take = Math.min(bytes - this.#heldBytes, sealed.length - offset);
      const part = sealed.subarray(offset, offset + take);
      offset += take;
      let whole = part;
      if (take < bytes) {
        if (this.#held.length === 0) this.#held = Buffer.allocUnsafeSlow(SEALED_CHUNK_BYTES);
        this.#held.set(part, this.#heldBytes);
        this.#heldBytes += take;
        if (this.#heldBytes < bytes) return;
        whole = this.#held.subarray(0, bytes);
        this.#heldBytes = 0;
      }
      const plaintext = plain.subarray(0, bytes - TAG_BYTES);
      openChunkInto(plaintext, key, this.#index, last, whole);
      this.#index++;
      if (last) this.#held = Buffer.alloc(0);
      this.#use(plaintext);
    }
  }
}
