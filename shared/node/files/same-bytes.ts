/** Whether two streams carry the same bytes, at a tenth of the cost of a second digest. */
import { createCipheriv, randomBytes, timingSafeEqual } from 'node:crypto';

export interface StreamTag {
  update(piece: Uint8Array): void;
  /** 16 bytes. Call once. */
  tag(): Buffer;
}

/**
 * Starts tags that are equal for equal bytes, however they are cut into pieces, and for others with a chance below
 * 2^-90 per TiB: GMAC (NIST SP 800-38D) under a key drawn here and told to nobody. So this also holds against who
 * chooses the bytes. Only tags of one `createStreamTags` compare.
 */
export function createStreamTags(): () => StreamTag {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  return () => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    return {
      update: (piece) => {
        // Data that is authenticated and not encrypted: all of GMAC.
        if (piece.length > 0) cipher.setAAD(piece);
      },
      tag: () => {
        cipher.final();
        return cipher.getAuthTag();
      },
    };
  };
}

/** Compares two tags of one `createStreamTags`. */
export function sameTag(one: StreamTag, other: StreamTag): boolean {
  return timingSafeEqual(one.tag(), other.tag());
}
