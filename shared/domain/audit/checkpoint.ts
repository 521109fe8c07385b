import { z } from 'zod';
import { sha256Schema } from '../model/version.ts';
import type { HashFunction } from './bytes.ts';
import { toHex } from './bytes.ts';
import type { ChainProblem } from './chain.ts';
import { appendEntryHash, EMPTY_FRONTIER, merkleRoot } from './merkle.ts';

/** Most entries between two checkpoints. */
export const CHECKPOINT_EVERY = 10;

/** What a checkpoint says: the log `origin` has `size` entries, and their Merkle root is `root`. */
export const checkpointSchema = z.object({
  origin: z
    .string()
    .min(1)
    .max(300)
    .regex(/^[^\s+]+$/),
  size: z.number().int().nonnegative(),
  root: sha256Schema,
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

/**
 * Checks checkpoints against what the log is: `rootAt` gives the Merkle root of its first entries for every size the
 * checkpoints name up to `logSize`. Answers what does not hold, by size; `seq` is the last entry a checkpoint covers.
 */
export function judgeCheckpoints(
  checkpoints: readonly Checkpoint[],
  origin: string,
  logSize: number,
  rootAt: ReadonlyMap<number, string>,
): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const bySize = new Map<number, Checkpoint[]>();
  for (const checkpoint of checkpoints) {
    if (checkpoint.origin !== origin) {
      problems.push({ seq: null, problem: `a checkpoint is of another log, ${checkpoint.origin}` });
      continue;
    }
    bySize.set(checkpoint.size, [...(bySize.get(checkpoint.size) ?? []), checkpoint]);
  }
  for (const [size, same] of [...bySize].sort(([a], [b]) => a - b)) {
    if (size > logSize) {
      problems.push({
        seq: logSize + 1,
        problem: `a checkpoint covers ${size} entries, but the log has ${logSize}: it was cut off`,
      });
    } else if (same.some((checkpoint) => checkpoint.root !== rootAt.get(size))) {
      problems.push({
        seq: size === 0 ? null : size,
        problem: `the first ${size} entries are not those of the checkpoint: the log was rewritten`,
      });
    }
  }
  return problems;
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
  return judgeCheckpoints(checkpoints, origin, frontier.size, rootAt);
}
