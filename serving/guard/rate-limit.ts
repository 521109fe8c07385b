/** Token buckets: a rate, and how much of it may come at once. Time comes in, in milliseconds. */

export interface Rate {
  readonly perSecond: number;
  readonly burstSeconds: number;
}

export type Taken =
  | { readonly kind: 'taken'; readonly left: number }
  /** `waitSeconds`: whole seconds until the same wish would be granted, at least 1. */
  | { readonly kind: 'empty'; readonly waitSeconds: number };

interface Bucket {
  readonly key: string;
  level: number;
  /** When `level` was right. */
  at: number;
  /** Its neighbours in the order of use. */
  older: Bucket | null;
  newer: Bucket | null;
}

/** What a full bucket holds; at least one request, however low the rate. */
export function capacityOf({ perSecond, burstSeconds }: Rate): number {
  return Math.max(1, perSecond * burstSeconds);
}

/**
 * One bucket per key. A wish larger than a bucket is granted by a full one, which then owes the rest: otherwise it could
 * never be granted at all. Keys come from callers, so only so many are remembered; the longest unused is forgotten
 * first, and a forgotten bucket is a full one.
 */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  /**
   * The order of use is kept beside the map. By taking a key out and putting it back with each use the map would fill up
   * with gaps and make itself new tables, each held by the one before until a full garbage collection.
   */
  readonly #buckets = new Map<string, Bucket>();
  #oldest: Bucket | null = null;
  #newest: Bucket | null = null;

  constructor(rate: Rate, maxKeys = 10_000) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
  }

  take(key: string, amount: number, now: number): Taken {
    const capacity = capacityOf(this.#rate);
    const bucket = this.#touch(key, capacity, now);
    const needed = Math.min(amount, capacity);
    if (bucket.level >= needed) {
      bucket.level -= amount;
      return { kind: 'taken', left: Math.max(0, Math.floor(bucket.level)) };
    }
    return {
      kind: 'empty',
      waitSeconds: Math.max(1, Math.ceil((needed - bucket.level) / this.#rate.perSecond)),
    };
  }

  /** What was taken for what turned out to cost nothing. */
  giveBack(key: string, amount: number): void {
    const bucket = this.#buckets.get(key);
    if (bucket) bucket.level = Math.min(capacityOf(this.#rate), bucket.level + amount);
  }

  /** The structured fields of draft-ietf-httpapi-ratelimit-headers for the state after a `take`. */
  headers(name: string, taken: Taken): Record<string, string> {
    const capacity = Math.floor(capacityOf(this.#rate));
    const left = taken.kind === 'taken' ? taken.left : 0;
    // Until it is full again after success, until it is worth asking after a refusal.
    const reset =
      taken.kind === 'taken' ? Math.ceil((capacity - left) / this.#rate.perSecond) : taken.waitSeconds;
    return {
      'ratelimit-policy': `"${name}";q=${capacity};w=${Math.max(1, Math.ceil(this.#rate.burstSeconds))}`,
      ratelimit: `"${name}";r=${left};t=${reset}`,
    };
  }

  #touch(key: string, capacity: number, now: number): Bucket {
    const known = this.#buckets.get(key);
    if (!known && this.#buckets.size >= this.#maxKeys && this.#oldest) {
      this.#buckets.delete(this.#oldest.key);
      this.#takeOut(this.#oldest);
    }
    const bucket = known ?? { key, level: capacity, at: now, older: null, newer: null };
    // A clock that went back fills nothing.
    const passed = Math.max(0, now - bucket.at) / 1000;
    bucket.level = Math.min(capacity, bucket.level + passed * this.#rate.perSecond);
    bucket.at = Math.max(bucket.at, now);
    if (!known) this.#buckets.set(key, bucket);
    if (bucket !== this.#newest) {
      if (known) this.#takeOut(bucket);
      this.#putLast(bucket);
    }
    return bucket;
  }

  #putLast(bucket: Bucket): void {
    bucket.older = this.#newest;
    if (this.#newest) this.#newest.newer = bucket;
    else this.#oldest = bucket;
    this.#newest = bucket;
  }

  #takeOut(bucket: Bucket): void {
    const { older, newer } = bucket;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    bucket.older = null;
    bucket.newer = null;
  }
}
