/** Wrong passphrases that cost nothing yet. */
const FREE_FAILURES = 2;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60 * 1000;

/** Attempts that were spent since the last right passphrase, and when the last one was. */
export interface Attempts {
  readonly count: number;
  readonly lastAt: string | null;
}

/**
 * Milliseconds from the last attempt until the next passphrase is looked at: none after two failures, one second after
 * the third, then twice as long after each, five minutes at most.
 */
export function waitAfter(failures: number): number {
  if (failures <= FREE_FAILURES) return 0;
  // 2^n overflows nothing below 1,024 failures, but the exponent is bounded all the same.
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - FREE_FAILURES - 1, 20));
}

/**
 * Judges an attempt at `now`. `waitMs` 0: it may be looked at, and `next` is what to store first, so that it is spent
 * whatever becomes of it. Otherwise it is too early by that much.
 *
 * A clock that was set back shortens no wait. It does not lengthen it either beyond the whole: the wait then counts
 * from the first attempt by the new clock, which `next` writes down.
 */
export function judgeAttempt(
  attempts: Attempts,
  now: Date,
): { readonly waitMs: number; readonly next: Attempts | null } {
  const at = now.toISOString();
  const wait = waitAfter(attempts.count);
  if (wait > 0 && attempts.lastAt !== null) {
    const passed = now.getTime() - Date.parse(attempts.lastAt);
    if (passed < 0) return { waitMs: wait, next: { count: attempts.count, lastAt: at } };
    if (passed < wait) return { waitMs: wait - passed, next: null };
  }
  return { waitMs: 0, next: { count: attempts.count + 1, lastAt: at } };
}
