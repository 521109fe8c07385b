/** Why somebody was refused, for the counters; a caller is told in words. */
export const REFUSAL_REASONS = [
  'token',
  'scope',
  'address',
  'certificate',
  'shape',
  'rate',
  'busy',
  'malformed',
  'slow',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** An answer given at the door, before a request's body was read. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly status: number;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function refusal(
  reason: RefusalReason,
  status: number,
  detail: string,
  headers: Record<string, string> = {},
): Refusal {
  return { reason, status, detail, headers };
}
