import { percentOf } from '../../../shared/domain/rollout/phases.ts';
import type { RolloutState, TrafficPoint } from '../../../shared/domain/rollout/state.ts';
import type { TrafficSample } from '../../../shared/domain/traffic/sample.ts';
import {
  latencyQuantile,
  sumWindows,
  type VersionWindow,
  windowBetween,
} from '../../../shared/domain/traffic/window.ts';

/** One point of the live charts from two readings of every endpoint; null where there is no window yet. */
export function trafficPoint(
  state: RolloutState,
  previous: ReadonlyMap<string, TrafficSample>,
  current: ReadonlyMap<string, TrafficSample>,
  seconds: number,
  at: Date,
): TrafficPoint | null {
  const ids = [...current.keys()].filter(
    (id) => previous.get(id)?.generation === current.get(id)?.generation,
  );
  if (ids.length === 0 || seconds <= 0) return null;
  const window = sumWindows(
    ids.map((id) => windowBetween(previous.get(id) ?? null, current.get(id) ?? null)),
  );
  const errorRate = (version: VersionWindow) =>
    version.requests === 0 ? null : version.errors / version.requests;
  return {
    at: at.toISOString(),
    percent: percentOf(state),
    canaryRps: window.canary.requests / seconds,
    stableRps: window.stable.requests / seconds,
    canaryErrorRate: errorRate(window.canary),
    stableErrorRate: errorRate(window.stable),
    canaryP95Ms: latencyQuantile(window.canary.latencyCounts, 0.95),
    stableP95Ms: latencyQuantile(window.stable.latencyCounts, 0.95),
    disagreement: window.pairs === 0 ? null : window.disagreements / window.pairs,
    pairs: window.pairs,
  };
}
