import { type SortedScores, ThresholdWalk } from './sorted-scores.ts';

/** A point of a curve. */
export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

export interface Ranking {
  /** Area under the ROC curve, null where a class is missing. */
  readonly rocAuc: number | null;
  /** x = false-positive rate, y = true-positive rate, from (0, 0) to (1, 1). */
  readonly roc: CurvePoint[];
  /** x = recall, y = precision, from (0, 1) to recall 1. */
  readonly precisionRecall: CurvePoint[];
}

/** Most points of a drawn curve. */
export const CURVE_POINTS = 200;
/** Two points are the ends, one may be an extra last step. */
const STEPS = CURVE_POINTS - 3;

/**
 * Exact ROC area and both curves; higher = more positive.
 *
 * The area is the Mann-Whitney statistic: the share of (positive, negative) pairs in which the positive scores
 * higher, ties counting one half; the same as average ranks, and as the trapezoid under the ROC curve. The pair
 * count stays exact in a double up to 2^53: 94 million rows of each class.
 */
export function rank(scores: SortedScores): Ranking {
  const n = scores.negatives.length;
  const p = scores.positives.length;
  const roc = new Thinned(STEPS / 2 / n, STEPS / 2 / p);
  // Recall is all that is asked of its progress.
  const precisionRecall = new Thinned(0, STEPS / p);
  let doubledWins = 0;
  let falseBefore = 0;
  let trueBefore = 0;
  for (const walk = new ThresholdWalk(scores); walk.next(); ) {
    const { falsePositives, truePositives } = walk;
    const tiedPositives = truePositives - trueBefore;
    // Each of these positives beats every negative still below, and draws with those at the same score.
    doubledWins += tiedPositives * (2 * (n - falsePositives) + (falsePositives - falseBefore));
    falseBefore = falsePositives;
    trueBefore = truePositives;
    roc.add(falsePositives, truePositives);
    if (tiedPositives > 0) precisionRecall.add(falsePositives, truePositives);
  }
  const isDefined = n > 0 && p > 0;
  const rates = (fp: number, tp: number): CurvePoint => ({ x: fp / n, y: tp / p });
  const recallAndPrecision = (fp: number, tp: number): CurvePoint => ({ x: tp / p, y: tp / (tp + fp) });
  return {
    rocAuc: isDefined ? doubledWins / 2 / n / p : null,
    roc: isDefined ? [{ x: 0, y: 0 }, ...roc.finish(rates)] : [],
    precisionRecall: p > 0 ? [{ x: 0, y: 1 }, ...precisionRecall.finish(recallAndPrecision)] : [],
  };
}

/** Keeps rows of each class whenever the curve has moved by a step since the last ones kept, and the end. */
class Thinned {
  /** Share of a step that a row of each class is. */
  readonly #ofFalse: number;
  readonly #ofTrue: number;
  readonly #kept: [falsePositives: number, truePositives: number][] = [];
  #keptFalse = 0;
  #keptTrue = 0;
  #lastFalse = 0;
  #lastTrue = 0;

  constructor(ofFalse: number, ofTrue: number) {
    this.#ofFalse = ofFalse;
    this.#ofTrue = ofTrue;
  }

  add(falsePositives: number, truePositives: number): void {
    this.#lastFalse = falsePositives;
    this.#lastTrue = truePositives;
    const moved =
      (falsePositives - this.#keptFalse) * this.#ofFalse + (truePositives - this.#keptTrue) * this.#ofTrue;
    if (moved >= 1) this.#keep();
  }

  #keep(): void {
    this.#keptFalse = this.#lastFalse;
    this.#keptTrue = this.#lastTrue;
    this.#kept.push([this.#lastFalse, this.#lastTrue]);
  }

  finish(point: (falsePositives: number, truePositives: number) => CurvePoint): CurvePoint[] {
    if (this.#keptFalse !== this.#lastFalse || this.#keptTrue !== this.#lastTrue) this.#keep();
    return this.#kept.map(([falsePositives, truePositives]) => point(falsePositives, truePositives));
  }
}
