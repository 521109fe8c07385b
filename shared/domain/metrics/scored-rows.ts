import type { DetectionOptions } from './detection-options.ts';
import type { Floats } from './floats.ts';
import { ProbabilityRows } from './probability-figures.ts';
import { Moments } from './score-summary.ts';
import { SortedFloats } from './sorted-floats.ts';
import { type SortedScores, sortedScores } from './sorted-scores.ts';

/** Sorted scores, and what was computed of them while they came. */
export interface ScoredRows extends SortedScores {
  /** Of the scores as they are turned. */
  readonly moments: Moments;
  readonly probabilities: ProbabilityRows;
}

/**
 * One model's scores while rows come. What can be computed row by row is; the rest needs them in order, 4 bytes a row in
 * single precision and 8 in double.
 */
export class ScoreRows {
  readonly #sign: 1 | -1;
  readonly #moments = new Moments();
  readonly #probabilities: ProbabilityRows;
  #classes: readonly [negatives: SortedFloats, positives: SortedFloats] | null = null;
  #benign = new Uint8Array(0);

  constructor(options: DetectionOptions) {
    this.#sign = options.lowerIsPositive === true ? -1 : 1;
    this.#probabilities = new ProbabilityRows(options);
  }

  get mayBeProbabilities(): boolean {
    return this.#probabilities.fits;
  }

  /** Finite scores as the model gave them; without labels they are held as those of one class. */
  add(labels: Uint8Array | null, scores: Floats): void {
    const single = scores instanceof Float32Array;
    this.#classes ??= [new SortedFloats(single), new SortedFloats(single)];
    const [negatives, positives] = this.#classes;
    if (!single) for (const one of this.#classes) one.widen();
    if (labels === null && this.#benign.length !== scores.length)
      this.#benign = new Uint8Array(scores.length);
    const truth = labels ?? this.#benign;
    for (let row = 0; row < scores.length; row += 1) {
      const score = (scores[row] as number) * this.#sign;
      this.#moments.add(score);
      (truth[row] === 1 ? positives : negatives).push(score);
    }
    this.#probabilities.add(truth, scores);
  }

  /** Everything; nothing may be added afterwards. */
  take(shared = false): ScoredRows {
    const [negatives, positives] = this.#classes ?? [new SortedFloats(), new SortedFloats()];
    return {
      ...sortedScores(negatives.take(shared), positives.take(shared), shared),
      moments: this.#moments,
      probabilities: this.#probabilities,
    };
  }
}
