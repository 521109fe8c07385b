import type { Guards } from '../../../shared/domain/rollout/plan.ts';
import type { TrafficPoint } from '../../../shared/domain/rollout/state.ts';

/** The p95 the guard allows at this moment, in milliseconds: a multiple of stable's, never under the floor. */
export function latencyLimit(point: TrafficPoint, guards: Guards): number | null {
  if (guards.maxP95Ratio === null || point.stableP95Ms === null) return null;
  return Math.max(guards.p95FloorMs, point.stableP95Ms * guards.maxP95Ratio);
}

/** A limit this many times above everything measured would press the lines flat: it is written instead of drawn. */
const FAR_ABOVE = 4;

/** The lowest p95 the guard allows in these points, and whether it lies in sight of what was measured. */
export function latencyGuard(
  points: readonly TrafficPoint[],
  guards: Guards,
): { readonly limit: number; readonly inSight: boolean } | null {
  const limits = points.map((point) => latencyLimit(point, guards)).filter((limit) => limit !== null);
  if (limits.length === 0) return null;
  const highest = Math.max(
    ...points.map((point) => Math.max(point.canaryP95Ms ?? 0, point.stableP95Ms ?? 0)),
  );
  const limit = Math.min(...limits);
  return { limit, inSight: limit <= highest * FAR_ABOVE };
}

/**
 * A share over the step so far, which is what a guard judges: windows of a few requests jump, their sum does not.
 * Each window counts by its weight; the sum begins anew where the canary's share of traffic changes.
 */
export function overStep(
  points: readonly TrafficPoint[],
  share: (point: TrafficPoint) => number | null,
  weight: (point: TrafficPoint) => number,
): (number | null)[] {
  let hits = 0;
  let total = 0;
  return points.map((point, index) => {
    if (points[index - 1]?.percent !== point.percent) {
      hits = 0;
      total = 0;
    }
    const value = share(point);
    if (value !== null) {
      hits += value * weight(point);
      total += weight(point);
    }
    return total === 0 ? null : hits / total;
  });
}

/** Where the canary's share of traffic changed. */
export function stepMarks(
  points: readonly TrafficPoint[],
): { readonly at: number; readonly label: string }[] {
  return points.flatMap((point, index) =>
    index > 0 && points[index - 1]?.percent !== point.percent
      ? [{ at: Date.parse(point.at), label: `${point.percent} %` }]
      : [],
  );
}
