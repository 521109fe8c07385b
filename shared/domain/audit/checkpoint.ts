import { z } from 'zod';
import { sha256Schema } from '../model/version.ts';
import type { HashFunction } from './bytes.ts';
import { toHex } from './bytes.ts';
import type { ChainProblem } from './entry.ts';
import { appendEntryHash, EMPTY_FRONTIER, merkleRoot } from './merkle.ts';
import { explains, type LostRange } from './restore.ts';

/** Most entries between two checkpoints. */
export const CHECKPOINT_EVERY = 10;

/** Restores that a checkpoint tells of: the newest ones, so that a note stays a page. */
export const MAX_RESTORES = 20;

/** A restore as a signed checkpoint tells it: entries after `restored` up to `lost` (null: not known) were replaced. */
export const checkpointRestoreSchema = z.object({
  restored: z.number().int().nonnegative(),
  lost: z.number().int().nonnegative().nullable(),
  /** Hash of the last lost entry: two restores of one backup may have lost equally many. */
  lostHash: sha256Schema.nullable(),
});
export type CheckpointRestore = z.infer<typeof checkpointRestoreSchema>;

/** What a checkpoint says: the log `origin` has `size` entries, and their Merkle root is `root`. */
export const checkpointSchema = z.object({
  origin: z
    .string()
    .min(1)
    .max(300)
    .regex(/^[^\s+]+$/),
  size: z.number().int().nonnegative(),
  root: sha256Schema,
  /** The restores the log has seen, newest last; left out where there were none. */
  restores: z.array(checkpointRestoreSchema).max(MAX_RESTORES).optional(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** A log's name, and that of the key which signs its checkpoints. */
export function checkpointOrigin(vaultId: string): string {
  return `sallyport/${vaultId}`;
}

/** Whether a checkpoint is due: at least every 10 entries. `lastSize` is 0 before the first. */
export function isCheckpointDue(size: number, lastSize: number): boolean {
  return size - lastSize >= CHECKPOINT_EVERY;
}

/**
 * Whether two checkpoints cannot come from one honest log without looking into it: one size, two roots. Different
 * sizes are judged against the entries, by `verifyCheckpoints`.
 */
export function contradicts(a: Checkpoint, b: Checkpoint): boolean {
  return a.origin === b.origin && a.size === b.size && a.root !== b.root;
}

export interface CheckpointJudgement {
  /** By size; `seq` is the last entry a checkpoint covers. */
  readonly problems: readonly ChainProblem[];
  /**
   * Of each checkpoint: it fits the log; or it is of a history that a restore replaced, which accuses nobody and proves
   * nothing of the log as it is; or what is wrong.
   */
  readonly outcomes: ReadonlyMap<Checkpoint, 'fits' | 'lost' | ChainProblem>;
}

/**
 * Checks checkpoints, of all holders together, against what the log is: `rootAt` gives the Merkle root of its first
 * entries for every size the checkpoints name up to `logSize`.
 *
 * One that does not fit is lawful only where a restore explains it, and each restore explains one other history: two
 * roots of one size that are not the log's need two restores. A checkpoint that is itself of a replaced history may
 * tell of a restore the log has lost with that history; that one counts too.
 */
export function judgeCheckpoints(
  checkpoints: readonly Checkpoint[],
  origin: string,
  logSize: number,
  rootAt: ReadonlyMap<number, string>,
  restores: readonly LostRange[] = [],
): CheckpointJudgement {
  const outcomes = new Map<Checkpoint, 'fits' | 'lost' | ChainProblem>();
  const misfits: Checkpoint[] = [];
  for (const checkpoint of checkpoints) {
    const { size, root } = checkpoint;
    if (checkpoint.origin !== origin)
      outcomes.set(checkpoint, {
        seq: null,
        problem: `a checkpoint is of another log, ${checkpoint.origin}`,
      });
    else if (size > logSize || rootAt.get(size) !== root) misfits.push(checkpoint);
    else outcomes.set(checkpoint, 'fits');
  }
  const foreign = [...outcomes.values()].filter((outcome) => typeof outcome !== 'string');
  const problems: ChainProblem[] = [];
  const known = withRestoresOfLost(restores, misfits);
  const bySize = Map.groupBy(misfits, ({ size }) => size);
  for (const [size, same] of [...bySize].sort(([a], [b]) => a - b)) {
    const histories = new Set(same.map(({ root }) => root)).size;
    const explaining = known.filter((range) => explains(range, size));
    // What tells of a restore was signed after it, so that one does not explain it.
    const orphan = same.some((one) => !explaining.some((range) => !tellsOf(one, range)));
    const problem =
      histories <= explaining.length && !orphan
        ? null
        : misfit(size, logSize, orphan ? 0 : explaining.length);
    if (problem) problems.push(problem);
    for (const checkpoint of same) outcomes.set(checkpoint, problem ?? 'lost');
  }
  return { problems: [...foreign, ...problems], outcomes };
}

function misfit(size: number, logSize: number, explained: number): ChainProblem {
  if (explained > 0) {
    return {
      seq: Math.min(size, logSize + 1),
      problem: `checkpoints over ${size} entries contradict each other, and ${explained === 1 ? 'the restore explains' : `${explained} restores explain`} fewer of them: one was signed for a log that was written anew`,
    };
  }
  return size > logSize
    ? {
        seq: logSize + 1,
        problem: `a checkpoint covers ${size} entries, but the log has ${logSize}: it was cut off`,
      }
    : {
        seq: size === 0 ? null : size,
        problem: `the first ${size} entries are not those of the checkpoint: the log was rewritten`,
      };
}

/** The restores the log tells of, and those that checkpoints of replaced histories tell of, and so on. */
function withRestoresOfLost(restores: readonly LostRange[], misfits: readonly Checkpoint[]): LostRange[] {
  const known = new Map(restores.map((range) => [keyOf(range), range]));
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const { size, restores: told = [] } of misfits) {
      if (![...known.values()].some((range) => explains(range, size))) continue;
      for (const range of told) known.set(keyOf(range), range);
    }
  }
  return [...known.values()];
}

/**
 * Whether a holder of checkpoints, oldest first, may take another one. `older`: it covers less than the newest, and no
 * restore that it tells of explains why. `contradicts`: one size, two roots, unexplained. A restore explains only what
 * was signed before it: a checkpoint that tells of the same restore is of the history after it.
 */
export function admitCheckpoint(
  held: readonly Checkpoint[],
  next: Checkpoint,
):
  | { readonly admitted: true }
  | { readonly admitted: false; readonly why: 'older' | 'contradicts'; readonly held: Checkpoint } {
  let live: Checkpoint[] = [];
  let told = '';
  for (const each of held) {
    // Looked through again only where a restore is told of for the first time.
    const tells = JSON.stringify(each.restores ?? []);
    if (tells !== told) live = live.filter((one) => !replaced(one, each));
    told = tells;
    live.push(each);
  }
  for (const one of live) {
    if (replaced(one, next)) continue;
    if (contradicts(one, next)) return { admitted: false, why: 'contradicts', held: one };
    if (one.size > next.size) return { admitted: false, why: 'older', held: one };
  }
  return { admitted: true };
}

/** Whether `next` tells of a restore that replaced the history `one` was signed in. */
function replaced(one: Checkpoint, next: Checkpoint): boolean {
  return (next.restores ?? []).some((range) => explains(range, one.size) && !tellsOf(one, range));
}

function keyOf({ restored, lost, lostHash }: LostRange): string {
  return `${restored} ${lost} ${lostHash}`;
}

function tellsOf({ restores = [] }: Checkpoint, range: LostRange): boolean {
  return restores.some((told) => keyOf(told) === keyOf(range));
}

/** `judgeCheckpoints` over the log's entry hashes in order, in one pass. */
export function verifyCheckpoints(
  entryHashes: Iterable<string>,
  checkpoints: readonly Checkpoint[],
  origin: string,
  hash: HashFunction,
): ChainProblem[] {
  const wanted = new Set(checkpoints.map(({ size }) => size));
  const rootAt = new Map([[0, toHex(merkleRoot(EMPTY_FRONTIER, hash))]]);
  let frontier = EMPTY_FRONTIER;
  for (const entryHash of entryHashes) {
    frontier = appendEntryHash(frontier, entryHash, hash);
    if (wanted.has(frontier.size)) rootAt.set(frontier.size, toHex(merkleRoot(frontier, hash)));
  }
  return [...judgeCheckpoints(checkpoints, origin, frontier.size, rootAt).problems];
}
