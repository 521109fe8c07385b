import type { Guards } from '../../../shared/domain/rollout/plan.ts';
import type { TrafficPoint } from '../../../shared/domain/rollout/state.ts';

/** The p95 the guard allows at this moment, in milliseconds: a multiple of stable's, never under the floor. */
export function latencyLimit(point: TrafficPoint, guards: Guards): number | null {
  if (guards.maxP95Ratio === null || point.stableP95Ms === null) return null;
  return Math.max(guards.p95FloorMs, point.stableP95Ms * guards.maxP95Ratio);
}

/** Where the canary's share of traffic changed. */
export function stepMarks(points: readonly TrafficPoint[]): { readonly at: number; readonly label: string }[] {
  return points.flatMap((point, index) => (index > 0 && points[index - 1]?.percent !== point.percent ? [{ at: Date.parse(point.at), label: `${point.percent} %` }] : []));
}
