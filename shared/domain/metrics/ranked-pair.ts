import { createRandom } from '../statistics/random.ts';
import { type AucDifference, type ClassScores, delongTest } from './delong.ts';
import { pairedReplicates, type RankingReplicates } from './paired-bootstrap.ts';

/** Two models' scores of the same rows. Plain data, as what is found of them: it may be compared in another thread. */
export interface RankedPair {
  readonly first: ClassScores;
  readonly second: ClassScores;
  /** null: nothing is resampled. */
  readonly seed: number | null;
  readonly level?: number | undefined;
}

export interface RankedDifference {
  readonly auc: AucDifference;
  readonly replicates: RankingReplicates | null;
}

/** All that reads both models' scores row by row; null where a class is missing. */
export function compareRanks({ first, second, seed, level }: RankedPair): RankedDifference | null {
  const auc = delongTest(first, second, level);
  if (auc === null) return null;
  return { auc, replicates: seed === null ? null : pairedReplicates(first, second, createRandom(seed)) };
}
