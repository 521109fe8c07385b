/** The two functions of sodium-native this program uses; the package brings no types of its own. */
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
  }
  const sodium: Sodium;
  export default sodium;
}
