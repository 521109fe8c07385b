/** Judging a log by heads that were kept outside of it. Checkpoints are judged in `checkpoint.ts`. */
import type { AuditHead, ChainProblem } from './entry.ts';
import { explains, type LostRange } from './restore.ts';

/** What a witness is compared with. */
export interface LogFacts {
  /** Number of the log's last entry, 0 for an empty one. */
  readonly last: number;
  /** Hash of an entry, or null where it is not there. */
  hashAt(seq: number): string | null;
}

export type HeadStanding = 'agrees' | 'behind' | 'lost' | 'contradicts';

/**
 * How a log stands to a head that was once its own. `lost`: the head is of entries that a restore replaced, which one
 * of `restores` tells; it proves nothing of the log as it is now, and accuses nobody.
 */
export function judgeHead(
  head: AuditHead,
  log: LogFacts,
  restores: readonly LostRange[] = [],
): { readonly standing: HeadStanding; readonly problem: ChainProblem | null } {
  const { seq, hash } = head;
  if (seq === 0 || log.hashAt(seq) === hash)
    return { standing: seq === log.last ? 'agrees' : 'behind', problem: null };
  if (restores.some((range) => explains(range, seq, hash))) return { standing: 'lost', problem: null };
  if (seq > log.last) {
    const missing = seq === log.last + 1 ? `entry ${seq} is` : `entries ${log.last + 1} to ${seq} are`;
    return {
      standing: 'contradicts',
      problem: { seq: log.last + 1, problem: `${missing} missing at the end: the log was cut off` },
    };
  }
  return {
    standing: 'contradicts',
    problem: { seq, problem: `entry ${seq} is not the one the witness holds: the log was rewritten` },
  };
}
