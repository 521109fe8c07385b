import type { Random } from '../statistics/random.ts';

/** How scores are read, and which figures of detection are taken. */
export interface DetectionOptions {
  /** True where a lower score is more positive. */
  readonly lowerIsPositive?: boolean;
  /**
   * Whether scores are probabilities of the positive class (of the negative one where lower is more positive).
   * `auto`, the default: where all lie in [0, 1].
   */
  readonly probabilities?: boolean | 'auto';
  /** For log loss, how far probabilities are kept from 0 and 1; by the scores' precision if not given. */
  readonly probabilityFloor?: number;
  /** The score the model decides at, in its own scale. */
  readonly decisionThreshold?: number;
  /** False-positive rates to read detection at. */
  readonly limits?: readonly number[];
  /** Seeded; without it figures that need resampling come without intervals. */
  readonly random?: Random;
  /** Confidence of intervals, 0.95 if not given. */
  readonly level?: number;
}
