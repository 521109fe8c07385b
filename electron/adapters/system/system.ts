import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../../ports/system.ts';

/** Crockford's base 32: no I, L, O, U. In ASCII order, so that text order is number order. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_BITS = 80n;

/**
 * Identifiers of 26 characters: 48 bits of milliseconds and 80 random bits, after the ULID specification, in lower
 * case. Within one process they rise strictly: in the same millisecond, or when the clock steps back, the last one
 * is counted up by one.
 */
export function createIdSource(now: () => number = Date.now): () => string {
  let lastTime = -1;
  let lastRandom = 0n;
  return () => {
    const time = now();
    if (time > lastTime) {
      lastTime = time;
      // The top bit stays clear, so that counting up cannot run over.
      lastRandom = BigInt(`0x${randomBytes(10).toString('hex')}`) >> 1n;
    } else {
      lastRandom += 1n;
    }
    let value = (BigInt(lastTime) << RANDOM_BITS) | lastRandom;
    let text = '';
    for (let index = 0; index < 26; index++) {
      text = (ALPHABET[Number(value & 31n)] ?? '') + text;
      value >>= 5n;
    }
    return text;
  };
}

/** The machine's own clock, randomness and hash. */
export function createSystem(): System {
  const newId = createIdSource();
  return {
    now: () => new Date(),
    newId,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
    reached: () => undefined,
    sleep: async (ms, signal) => {
      try {
        await delay(ms, undefined, signal ? { signal } : {});
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
    },
  };
}
