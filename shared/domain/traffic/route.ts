/** Which version a request goes to. The same key goes to the same version on every agent that has the plan's salt. */

/** SHA-256 of a text's UTF-8 bytes, 32 bytes. Handed in: the domain has no cryptography of its own. */
export type HashText = (text: string) => Uint8Array;

/** Buckets are hundredths of a percent. */
export const BUCKETS = 10_000;

/**
 * The bucket 0..9999 of a routing key: the first 32 bits, big-endian, of SHA-256(salt + key), modulo 10,000.
 * The modulo favours the low 7,296 buckets by one part in 429,496: far below what traffic can show.
 */
export function bucketOf(salt: string, key: string, sha256: HashText): number {
  const hash = sha256(salt + key);
  const head = (hash[0] ?? 0) * 2 ** 24 + (hash[1] ?? 0) * 2 ** 16 + (hash[2] ?? 0) * 2 ** 8 + (hash[3] ?? 0);
  return head % BUCKETS;
}

/** Rising percents only ever add keys to the canary: whoever saw it at 10 % sees it at 50 %. */
export function isCanary(bucket: number, percent: number): boolean {
  return bucket < percent * (BUCKETS / 100);
}
