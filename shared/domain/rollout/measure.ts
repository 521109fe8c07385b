import { latencyQuantile, sumWindows, type TrafficWindow, windowBetween } from '../traffic/window.ts';
import type { Measurement } from './measurement.ts';
import type { Guards } from './plan.ts';
import type { RolloutState } from './state.ts';

/** What the current step has seen so far, over all endpoints where two versions can be compared. */
export function stepWindow(state: RolloutState): TrafficWindow {
  return sumWindows(
    state.endpoints
      .filter((endpoint) => endpoint.stableVersion !== state.version)
      .map((endpoint) => windowBetween(endpoint.baseline, endpoint.latest)),
  );
}

/** Every guard of the plan that is on, measured over the window. A guard with too few samples is `insufficient`, never a pass. */
export function measureGuards(
  guards: Guards,
  window: TrafficWindow,
  stableP95Ms: number | null,
): Measurement[] {
  const measurements: Measurement[] = [];
  const { canary } = window;
  if (guards.maxErrorRate !== null) {
    measurements.push(
      judge(
        'error-rate',
        canary.requests === 0 ? null : canary.errors / canary.requests,
        guards.maxErrorRate,
        canary.requests,
        guards.minimumRequests,
      ),
    );
  }
  if (guards.maxP95Ratio !== null) {
    const canaryP95 = latencyQuantile(canary.latencyCounts, 0.95);
    const reference =
      window.stable.requests >= guards.minimumRequests
        ? latencyQuantile(window.stable.latencyCounts, 0.95)
        : stableP95Ms;
    const underFloor = canaryP95 !== null && canaryP95 <= guards.p95FloorMs;
    // Under the floor the ratio says nothing: both are fast, and 0.4 ms against 0.1 ms is no regression.
    const ratio = canaryP95 === null || reference === null ? null : canaryP95 / Math.max(reference, 1e-9);
    const judged = judge('p95', ratio, guards.maxP95Ratio, canary.requests, guards.minimumRequests);
    measurements.push(
      underFloor && canary.requests >= guards.minimumRequests
        ? {
            ...judged,
            outcome: 'pass',
            note: `${canaryP95.toFixed(1)} ms, under the floor of ${guards.p95FloorMs} ms`,
          }
        : judged,
    );
  }
  if (guards.maxDisagreement !== null) {
    measurements.push(
      judge(
        'disagreement',
        window.pairs === 0 ? null : window.disagreements / window.pairs,
        guards.maxDisagreement,
        window.pairs,
        guards.minimumPairs,
      ),
    );
  }
  return measurements;
}

function judge(
  guard: Measurement['guard'],
  measured: number | null,
  limit: number,
  samples: number,
  minimumSamples: number,
): Measurement {
  const outcome =
    samples < minimumSamples || measured === null ? 'insufficient' : measured > limit ? 'breach' : 'pass';
  return { guard, measured, limit, samples, minimumSamples, outcome, note: '' };
}
