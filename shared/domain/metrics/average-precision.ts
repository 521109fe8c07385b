import { walkThresholds } from './ranking.ts';

/**
 * Area under the precision-recall curve as average precision, Σ (Rₖ − Rₖ₋₁)·Pₖ over distinct thresholds, as
 * scikit-learn's `average_precision_score`. The trapezoid is not offered: between two points the curve is no straight
 * line, and the trapezoid flatters (Davis and Goadrich 2006). From the scores of each class, ascending; O(n). Null
 * where there are no positives.
 */
export function averagePrecisionOf(negatives: Float64Array, positives: Float64Array): number | null {
  if (positives.length === 0) return null;
  let sum = 0;
  let before = 0;
  walkThresholds(negatives, positives, (_, falsePositives, truePositives) => {
    sum += ((truePositives - before) * truePositives) / (truePositives + falsePositives);
    before = truePositives;
  });
  return sum / positives.length;
}
