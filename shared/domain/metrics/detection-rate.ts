import { z } from 'zod';
import { figureSchema } from './figure.ts';
import { type SortedScores, ThresholdWalk, thresholdOf } from './sorted-scores.ts';

/** False-positive rates that detection is read at: 0.1 % and 1 %. */
export const FALSE_POSITIVE_LIMITS = [0.001, 0.01] as const;

export const detectionRateSchema = z.object({
  /** Highest false-positive rate allowed, 0.001 for 0.1 %. */
  limit: z.number(),
  /** Share of positives found there; its interval counts the threshold's own uncertainty too. */
  detectionRate: figureSchema,
  /** The rate of false alarms actually made, at most the limit. */
  falsePositiveRate: z.number().nullable(),
  /** Rows on this side of it are flagged; null where no threshold keeps the limit and nothing is flagged. */
  threshold: z.number().nullable(),
  /** False where there are fewer than 1/limit negatives: the limit then means no false alarm at all. */
  resolved: z.boolean(),
});
export type DetectionRate = z.infer<typeof detectionRateSchema>;

export interface OperatingPoint {
  readonly limit: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly threshold: number | null;
}

/**
 * The lowest threshold whose false-positive rate is at most `limit`, for each limit: a real threshold at a score that
 * was seen, with ties judged together. Nothing is interpolated, so the rate is one the detector can be run at and
 * errs on the low side.
 */
export function operatingPoints(scores: SortedScores, limits: readonly number[]): OperatingPoint[] {
  const points = limits.map((limit) => ({ limit, truePositives: 0, falsePositives: 0 }));
  for (const walk = new ThresholdWalk(scores); walk.next(); ) {
    const { falsePositives, truePositives } = walk;
    let open = false;
    for (const point of points) {
      if (falsePositives > allowed(point.limit, scores.negatives.length)) continue;
      open = true;
      point.truePositives = truePositives;
      point.falsePositives = falsePositives;
    }
    if (!open) break;
  }
  return points.map((point) => {
    const { falsePositives, truePositives } = point;
    const isNone = falsePositives + truePositives === 0;
    return { ...point, threshold: isNone ? null : thresholdOf(scores, falsePositives, truePositives) };
  });
}

/** False alarms a limit allows. 0.001 × 3000 is 3.0000000000000004 in doubles, and 0.07 × 100 just above 7. */
export function allowed(limit: number, negatives: number): number {
  return Math.floor(limit * negatives + 1e-9);
}
