import type { Floats } from './floats.ts';

/** The scores of each class, ascending; already turned round where lower is more positive. */
export interface SortedScores {
  readonly negatives: Floats;
  readonly positives: Floats;
  /** A step a row from the highest score down: `IS_POSITIVE`, and `ENDS_TIE` on the last row of each distinct score. */
  readonly ladder: Uint8Array;
}

const IS_POSITIVE = 1;
const ENDS_TIE = 2;

/** From ascending scores that are all numbers. The classes are merged once, for every walk: one byte a row. */
export function sortedScores(negatives: Floats, positives: Floats, shared = false): SortedScores {
  const rows = negatives.length + positives.length;
  const ladder = shared ? new Uint8Array(new SharedArrayBuffer(rows)) : new Uint8Array(rows);
  let i = negatives.length - 1;
  let j = positives.length - 1;
  let at = 0;
  while (i >= 0 && j >= 0) {
    const a = negatives[i] as number;
    const b = positives[j] as number;
    if (a > b) {
      i--;
      // An equal one can only be the class's own next.
      ladder[at++] = i >= 0 && negatives[i] === a ? 0 : ENDS_TIE;
    } else if (b > a) {
      j--;
      ladder[at++] = j >= 0 && positives[j] === b ? IS_POSITIVE : IS_POSITIVE | ENDS_TIE;
    } else {
      for (; i >= 0 && negatives[i] === a; i--) ladder[at++] = 0;
      for (; j >= 0 && positives[j] === a; j--) ladder[at++] = IS_POSITIVE;
      ladder[at - 1] = IS_POSITIVE | ENDS_TIE;
    }
  }
  for (; i >= 0; i--) ladder[at++] = i > 0 && negatives[i - 1] === negatives[i] ? 0 : ENDS_TIE;
  for (; j >= 0; j--)
    ladder[at++] = IS_POSITIVE | (j > 0 && positives[j - 1] === positives[j] ? 0 : ENDS_TIE);
  return { negatives, positives, ladder };
}

/**
 * A walk over the thresholds from the highest down, one step per distinct score, so that ties are judged together. Not a
 * function that is given what to do at each: what is done would be called a million times, and not be part of the loop.
 */
export class ThresholdWalk {
  /** Rows of each class at or above the threshold. */
  falsePositives = 0;
  truePositives = 0;
  readonly #ladder: Uint8Array;
  #at = 0;

  constructor({ ladder }: SortedScores) {
    this.#ladder = ladder;
  }

  /** Goes on to the next threshold; false behind the last one. */
  next(): boolean {
    const ladder = this.#ladder;
    let found = this.truePositives;
    for (let at = this.#at; at < ladder.length; at += 1) {
      const step = ladder[at] as number;
      found += step & IS_POSITIVE;
      if (step < ENDS_TIE) continue;
      this.#at = at + 1;
      this.truePositives = found;
      this.falsePositives = at + 1 - found;
      return true;
    }
    return false;
  }
}

/** The threshold that so many rows of each class are at or above: the lowest score among them. */
export function thresholdOf(
  { negatives, positives }: SortedScores,
  falsePositives: number,
  truePositives: number,
): number {
  return Math.min(
    falsePositives > 0 ? (negatives[negatives.length - falsePositives] ?? 0) : Number.POSITIVE_INFINITY,
    truePositives > 0 ? (positives[positives.length - truePositives] ?? 0) : Number.POSITIVE_INFINITY,
  );
}
