import { z } from 'zod';
import { f1Of } from './f1.ts';
import { falsePositiveRateOf } from './false-positive-rate.ts';
import { countBelow } from './floats.ts';
import { precisionOf } from './precision.ts';
import { recallOf } from './recall.ts';
import { confusionSchema } from './report.ts';
import { type SortedScores, ThresholdWalk, thresholdOf } from './sorted-scores.ts';

/** Most thresholds of a sweep. */
export const SWEEP_POINTS = 200;

export const sweepPointSchema = z.object({
  /** In the model's own scale; rows at it, and beyond it on the positive side, are flagged. */
  threshold: z.number(),
  confusion: confusionSchema,
  precision: z.number().nullable(),
  recall: z.number().nullable(),
  f1: z.number().nullable(),
  false_positive_rate: z.number().nullable(),
  /** The threshold the model decides at. */
  decision: z.boolean(),
});
export type SweepPoint = z.infer<typeof sweepPointSchema>;

/**
 * What every threshold would do, from the strictest down, thinned to 200 where the curve moves, the decision threshold
 * always among them. Scores are turned round by `sign` −1 where lower is more positive. O(n).
 */
export function thresholdSweep(
  scores: SortedScores,
  {
    decisionThreshold,
    sign = 1,
  }: { readonly decisionThreshold?: number | undefined; readonly sign?: 1 | -1 } = {},
): SweepPoint[] {
  const { negatives, positives } = scores;
  const n = negatives.length;
  const p = positives.length;
  if (n + p === 0) return [];
  const decision = decisionThreshold === undefined ? null : decisionThreshold * sign;
  // Room for the first, the last and the decision; the curve moves by 2 in all.
  const step = 2 / (SWEEP_POINTS - 4);
  const points: { threshold: number; fp: number; tp: number }[] = [];
  let kept = Number.NEGATIVE_INFINITY;
  for (const walk = new ThresholdWalk(scores); walk.next(); ) {
    const { falsePositives: fp, truePositives: tp } = walk;
    const moved = (n === 0 ? 0 : fp / n) + (p === 0 ? 0 : tp / p);
    if (moved - kept < step) continue;
    kept = moved;
    points.push({ threshold: thresholdOf(scores, fp, tp), fp, tp });
  }
  const end = points.at(-1);
  if (end === undefined || end.fp + end.tp < n + p)
    points.push({ threshold: thresholdOf(scores, n, p), fp: n, tp: p });
  if (decision !== null) {
    const place = points.findIndex(({ threshold }) => threshold <= decision);
    const fp = n - countBelow(negatives, decision);
    const here = { threshold: decision, fp, tp: p - countBelow(positives, decision) };
    if (place === -1) points.push(here);
    else points.splice(place, points[place]?.threshold === decision ? 1 : 0, here);
  }
  return points.map(({ threshold, fp, tp }) => {
    const confusion = { tn: n - fp, fp, fn: p - tp, tp };
    return {
      // Minus zero would read "-0".
      threshold: threshold * sign + 0,
      confusion,
      precision: precisionOf(confusion),
      recall: recallOf(confusion),
      f1: f1Of(confusion),
      false_positive_rate: falsePositiveRateOf(confusion),
      decision: threshold === decision,
    };
  });
}
