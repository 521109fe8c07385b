import { createRandom } from '../statistics/random.ts';
import { type AucDifference, type ClassScores, delongTest } from './delong.ts';
import { pairedReplicates, type RankingReplicates } from './paired-bootstrap.ts';
import { type ScoreDistances, scoreDistances } from './score-shift.ts';

/** Two models' scores of the same rows. Plain data, as what is found of them: it may be compared in another thread. */
export interface RankedPair {
  readonly first: ClassScores;
  readonly second: ClassScores;
  /** null: nothing is resampled. */
  readonly seed: number | null;
  readonly level?: number | undefined;
}

export interface RankedDifference {
  /** null where a class is missing, and the replicates with it. */
  readonly auc: AucDifference | null;
  readonly replicates: RankingReplicates | null;
  readonly distances: ScoreDistances;
}

/** All that walks through both models' scores. */
export function compareRanks({ first, second, seed, level }: RankedPair): RankedDifference {
  const auc = delongTest(first, second, level);
  const resamples = auc !== null && seed !== null;
  return {
    auc,
    replicates: resamples ? pairedReplicates(first, second, createRandom(seed)) : null,
    distances: scoreDistances(first, second),
  };
}
