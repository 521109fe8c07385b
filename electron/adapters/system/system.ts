import { hash, randomBytes } from 'node:crypto';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
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
    // In one call: proving a long log asks for a million of them.
    sha256: (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
    reached: () => undefined,
    sleep: async (ms, signal) => {
      try {
        const options = signal ? { signal } : {};
        // A timer of 0 ms waits one at least; whoever only lets others run need not.
        await (ms === 0 ? immediate(undefined, options) : delay(ms, undefined, options));
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
    },
  };
}
