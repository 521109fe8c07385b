import { type SortedScores, ThresholdWalk } from './sorted-scores.ts';

/**
 * Area under the precision-recall curve as average precision, Σ (Rₖ − Rₖ₋₁)·Pₖ over distinct thresholds, as
 * scikit-learn's `average_precision_score`. The trapezoid is not offered: between two points the curve is no straight
 * line, and the trapezoid flatters (Davis and Goadrich 2006). O(n); null where there are no positives.
 */
export function averagePrecisionOf(scores: SortedScores): number | null {
  const positives = scores.positives.length;
  if (positives === 0) return null;
  let sum = 0;
  let before = 0;
  for (const walk = new ThresholdWalk(scores); walk.next(); ) {
    const { falsePositives, truePositives } = walk;
    sum += ((truePositives - before) * truePositives) / (truePositives + falsePositives);
    before = truePositives;
  }
  return sum / positives;
}
