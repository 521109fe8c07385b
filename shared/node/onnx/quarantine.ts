import { type ErrorCode, SallyportError } from '../../domain/errors.ts';

/** Crashes after which a model is no longer run. */
const LIMIT = 2;

/** Model digests that ended their worker. Kept in memory: a restart of the program gives a model another chance. */
export interface Quarantine {
  /** Counts one crash; true when this one was the last allowed. */
  record(digest: string, code: ErrorCode): boolean;
  has(digest: string): boolean;
  /** Throws the kind of error that brought the model here. */
  check(digest: string): void;
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
    check(digest) {
      if (!has(digest)) return;
      const crash = crashes.get(digest);
      throw new SallyportError(
        crash?.code ?? 'engine.crashed',
        `The model ${digest.slice(0, 12)}… ended its process ${crash?.count} times and is quarantined.`,
        {
          hint: 'It is not run again until the program is restarted. Inspect the model; do not release it.',
          facts: { digest, crashes: crash?.count ?? 0, quarantined: true },
        },
      );
    },
  };
}
