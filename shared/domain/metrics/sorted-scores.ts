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
 * Walks the thresholds from the highest down: one visit per distinct score, so that ties are judged together, with the
 * rows of each class at or above it. `false` from `visit` ends the walk.
 */
export function walkThresholds(
  { ladder }: SortedScores,
  visit: (falsePositives: number, truePositives: number) => unknown,
): void {
  let truePositives = 0;
  for (let at = 0; at < ladder.length; at += 1) {
    const step = ladder[at] as number;
    truePositives += step & IS_POSITIVE;
    if (step < ENDS_TIE) continue;
    if (visit(at + 1 - truePositives, truePositives) === false) return;
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
