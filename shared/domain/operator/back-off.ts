/** Wrong passphrases that cost nothing yet. */
const FREE_FAILURES = 2;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60 * 1000;

/**
 * Milliseconds until the next passphrase is looked at: none after two failures, one second after the third, then
 * twice as long after each, five minutes at most. A clock that was set back does not shorten the wait, and does not
 * lengthen it beyond the whole.
 */
export function backOffMs(failures: number, lastAt: string | null, now: Date): number {
  if (failures <= FREE_FAILURES || lastAt === null) return 0;
  // 2^n overflows nothing below 1,024 failures, but the exponent is bounded all the same.
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - FREE_FAILURES - 1, 20));
  const passed = Math.max(0, now.getTime() - Date.parse(lastAt));
  return Math.max(0, wait - passed);
}
