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
 * Checks checkpoints against the log's entry hashes in order, in one pass: each must be the root of the log's first
 * `size` entries. Answers what does not hold, by size; `seq` is the last entry a checkpoint covers.
 */
export function verifyCheckpoints(
  entryHashes: Iterable<string>,
  checkpoints: readonly Checkpoint[],
  origin: string,
  hash: HashFunction,
): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const waiting = new Map<number, Checkpoint[]>();
  for (const checkpoint of checkpoints) {
    if (checkpoint.origin !== origin) {
      problems.push({ seq: null, problem: `a checkpoint is of another log, ${checkpoint.origin}` });
      continue;
    }
    waiting.set(checkpoint.size, [...(waiting.get(checkpoint.size) ?? []), checkpoint]);
  }
  const judge = (size: number, root: () => string): void => {
    const due = waiting.get(size);
    if (!due) return;
    waiting.delete(size);
    const actual = root();
    if (due.some((checkpoint) => checkpoint.root !== actual)) {
      problems.push({
        seq: size === 0 ? null : size,
        problem: `the first ${size} entries are not those of the checkpoint: the log was rewritten`,
      });
    }
  };
  let frontier = EMPTY_FRONTIER;
  judge(0, () => toHex(merkleRoot(EMPTY_FRONTIER, hash)));
  for (const entryHash of entryHashes) {
    frontier = appendEntryHash(frontier, entryHash, hash);
    const reached = frontier;
    judge(reached.size, () => toHex(merkleRoot(reached, hash)));
  }
  for (const size of [...waiting.keys()].sort((a, b) => a - b)) {
    problems.push({
      seq: frontier.size + 1,
      problem: `a checkpoint covers ${size} entries, but the log has ${frontier.size}: it was cut off`,
    });
  }
  return problems;
}
