/** Restores from a backup: the one lawful way for a log to lose entries, and what it explains. */
import { z } from 'zod';
import { type AuditEntry, type AuditRestore, auditHeadSchema, type ChainProblem } from './entry.ts';

/** Details of an entry `vault.restored`. */
export const restoreDetailsSchema = z.object({
  /** The head that the keychain held when the backup came back; null where it held none. */
  lostHead: auditHeadSchema.nullable(),
  /** The last entry that came out of the backup. */
  restoredHead: auditHeadSchema,
  backup: z.object({ createdAt: z.string() }),
});
export type RestoreDetails = z.infer<typeof restoreDetailsSchema>;

/**
 * Which part of a log a restore replaced: entries after `restored` up to `lost` were another history once. `lost` null:
 * nobody knows how far that one went. `lostHash` is the hash of its last entry, where it is known.
 */
export interface LostRange {
  readonly restored: number;
  readonly lost: number | null;
  readonly lostHash: string | null;
}

/** A restore that a log tells of. */
export interface Restore extends LostRange {
  readonly seq: number;
  readonly at: string;
  readonly restoredHash: string;
  readonly backupAt: string;
}

/** The restore an entry tells of; null for any other entry, and for one whose details say nothing usable. */
export function restoreOf(entry: Pick<AuditEntry, 'seq' | 'at' | 'action' | 'details'>): Restore | null {
  if (entry.action !== 'vault.restored') return null;
  const parsed = restoreDetailsSchema.safeParse(entry.details);
  if (!parsed.success) return null;
  const { lostHead, restoredHead, backup } = parsed.data;
  return {
    seq: entry.seq,
    at: entry.at,
    restored: restoredHead.seq,
    restoredHash: restoredHead.hash,
    lost: lostHead?.seq ?? null,
    lostHash: lostHead?.hash ?? null,
    backupAt: backup.createdAt,
  };
}

/**
 * Whether an entry of a history that is not this one lay in what a restore replaced. `hash`, where the holder knows
 * it, must be that of the lost head when it is its number: there the two can be compared.
 */
export function explains(range: LostRange, seq: number, hash: string | null = null): boolean {
  if (seq <= range.restored) return false;
  if (range.lost === null || seq < range.lost) return true;
  return seq === range.lost && (hash === null || range.lostHash === null || hash === range.lostHash);
}

/** Splits the restores a log tells of into those that hold and what is wrong with the others. */
export function judgeRestores(
  restores: readonly Restore[],
  hashAt: (seq: number) => string | null,
): { readonly lawful: readonly Restore[]; readonly problems: readonly ChainProblem[] } {
  const problems: ChainProblem[] = [];
  const lawful = restores.filter(({ seq, restored, restoredHash }) => {
    if (restored < seq && hashAt(restored) === restoredHash) return true;
    problems.push({
      seq,
      problem: `entry ${seq} tells of a restore to an entry ${restored} that this log does not have`,
    });
    return false;
  });
  return { lawful, problems };
}

/** A restore as the verdict names it. */
export function toAuditRestore({ seq, at, restored, lost, backupAt }: Restore): AuditRestore {
  return {
    seq,
    at,
    restoredTo: restored,
    lost: lost === null ? null : Math.max(0, lost - restored),
    backupAt,
  };
}
