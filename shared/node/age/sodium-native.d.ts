/** The functions of sodium-native this program uses; the package brings no types of its own. */
declare module 'sodium-native' {
  interface Sodium {
    /** Writes ciphertext and tag to `c` (m.length + 16 bytes). `nsec` is always null. */
    crypto_aead_chacha20poly1305_ietf_encrypt(
      c: Uint8Array,
      m: Uint8Array,
      ad: Uint8Array | null,
      nsec: null,
      npub: Uint8Array,
      k: Uint8Array,
    ): number;
    /** Writes plaintext to `m` (c.length - 16 bytes); throws where the tag does not verify. */
    crypto_aead_chacha20poly1305_ietf_decrypt(
      m: Uint8Array,
      nsec: null,
      c: Uint8Array,
      ad: Uint8Array | null,
      npub: Uint8Array,
      k: Uint8Array,
    ): number;
    /** Writes the public point of a 32-byte secret to `q`. */
    crypto_scalarmult_base(q: Uint8Array, n: Uint8Array): void;
    /** X25519 of secret `n` and point `p`, to `q`; throws for a point of low order. */
    crypto_scalarmult(q: Uint8Array, n: Uint8Array, p: Uint8Array): void;
  }
  const sodium: Sodium;
  export default sodium;
}
