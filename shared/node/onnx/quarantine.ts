import { type ErrorCode, SallyportError } from '../../domain/errors.ts';

/** Crashes after which a model is no longer run. */
const LIMIT = 2;

/** A digest that ended its worker, and how often. */
export interface QuarantineRecord {
  readonly digest: string;
  readonly reason: ErrorCode;
  readonly crashes: number;
}

/** Model digests that ended their worker. Held in memory; whoever wants them to outlive a restart keeps the list. */
export interface Quarantine {
  /** Counts one crash; true when this one was the last allowed. */
  record(digest: string, code: ErrorCode): boolean;
  has(digest: string): boolean;
  /** Throws the kind of error that brought the model here. */
  check(digest: string): void;
  /** Every digest with a crash, also those still run. */
  list(): QuarantineRecord[];
  /** Puts kept records back; what was counted since stays where it is more. */
  restore(records: readonly QuarantineRecord[]): void;
  /** Gives a digest another chance. */
  forgive(digest: string): void;
}

export function createQuarantine(): Quarantine {
  const crashes = new Map<string, { count: number; code: ErrorCode }>();
  const has = (digest: string): boolean => (crashes.get(digest)?.count ?? 0) >= LIMIT;
  return {
    record(digest, code) {
      const count = (crashes.get(digest)?.count ?? 0) + 1;
      crashes.set(digest, { count, code });
      return count === LIMIT;
    },
    has,
    list: () => [...crashes].map(([digest, { count, code }]) => ({ digest, reason: code, crashes: count })),
    restore(records) {
      for (const { digest, reason, crashes: count } of records)
        if (count > (crashes.get(digest)?.count ?? 0)) crashes.set(digest, { count, code: reason });
    },
    forgive: (digest) => {
      crashes.delete(digest);
    },
    check(digest) {
      if (!has(digest)) return;
      const crash = crashes.get(digest);
      throw new SallyportError(
        crash?.code ?? 'engine.crashed',
        `The model ${digest.slice(0, 12)}… ended its process ${crash?.count} times and is quarantined.`,
        {
          hint: 'It is not run again until it is given another chance. Inspect the model; do not release it.',
          facts: { digest, crashes: crash?.count ?? 0, quarantined: true },
        },
      );
    },
  };
}
