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
  const roc = new Thinned({ x: 0, y: 0 }, 2 / STEPS, true);
  const precisionRecall = new Thinned({ x: 0, y: 1 }, 1 / STEPS, false);
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
    if (n > 0 && p > 0) roc.add(falsePositives / n, truePositives / p);
    if (p > 0 && tiedPositives > 0)
      precisionRecall.add(truePositives / p, truePositives / (truePositives + falsePositives));
  }
  const isDefined = n > 0 && p > 0;
  return {
    rocAuc: isDefined ? doubledWins / 2 / n / p : null,
    roc: isDefined ? roc.finish() : [],
    precisionRecall: p > 0 ? precisionRecall.finish() : [],
  };
}

/** Keeps a point whenever the curve has moved by `step` since the last one kept, and the end. */
class Thinned {
  readonly #points: CurvePoint[];
  readonly #step: number;
  readonly #countsY: boolean;
  /** The last one kept, and the last one of all: numbers, for a point of every row would be a million objects. */
  #keptX: number;
  #keptY: number;
  #lastX: number;
  #lastY: number;

  /** `countsY`: progress is x + y, for a curve that rises in both, so that a steep part gets its points too. */
  constructor(first: CurvePoint, step: number, countsY: boolean) {
    this.#points = [first];
    this.#keptX = this.#lastX = first.x;
    this.#keptY = this.#lastY = first.y;
    this.#step = step;
    this.#countsY = countsY;
  }

  add(x: number, y: number): void {
    this.#lastX = x;
    this.#lastY = y;
    const moved = x - this.#keptX + (this.#countsY ? y - this.#keptY : 0);
    if (moved >= this.#step) this.#keep();
  }

  #keep(): void {
    this.#keptX = this.#lastX;
    this.#keptY = this.#lastY;
    this.#points.push({ x: this.#lastX, y: this.#lastY });
  }

  finish(): CurvePoint[] {
    if (this.#keptX !== this.#lastX || this.#keptY !== this.#lastY) this.#keep();
    return this.#points;
  }
}
