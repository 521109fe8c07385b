import type { StoreReader } from '../../ports/stores.ts';

/** Entries that are looked through for the last judged attempt. */
const NEWEST = 50;

/**
 * How many attempts of an operator were judged wrong since the last right one. Whatever was spent beyond these is being
 * judged at this moment by another process, or died while it was.
 */
export function judgedAttempts(read: StoreReader, operator: string): number {
  const text = `action:session.* subject:${operator}`;
  for (const { action, subject, details } of read.audit.page({ before: null, limit: NEWEST, text }).entries) {
    if (subject !== operator) continue;
    if (action === 'session.signed-in') return 0;
    if (action === 'session.refused' && details.reason !== 'too early') return Number(details.failures ?? 0);
  }
  return 0;
}
