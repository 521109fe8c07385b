/** The agent's half of the rule: whether the canary it serves has to go. The console judges by the same `decide`. */
import type { CanaryRoute, ReleaseRef } from '../endpoint/routing.ts';
import type { TrafficSample } from '../traffic/sample.ts';
import { decide } from './decide.ts';
import type { Measurement } from './measurement.ts';
import type { RolloutPlan } from './plan.ts';
import type { RolloutState } from './state.ts';

export interface WatchedCanary {
  readonly name: string;
  readonly generation: number;
  readonly stable: ReleaseRef | null;
  readonly canary: Pick<CanaryRoute, 'version' | 'digest' | 'root' | 'percent'>;
  /** The canary's own, from its signed release. */
  readonly plan: RolloutPlan;
  /** What `judgeCanary` remembered last of this canary: stable's p95 in milliseconds when it had enough requests. */
  readonly stableP95Ms: number | null;
}

export interface CanaryJudgement {
  /** Set where a guard is broken: why, and what it was measured by. */
  readonly breach: { readonly reason: string; readonly measurements: Measurement[] } | null;
  readonly stableP95Ms: number | null;
}

/**
 * Judges what was counted since this generation began. A rollout that is paused keeps its guards awake and never moves
 * forward: that is exactly what an agent may do alone, so it judges as the console of a paused rollout would.
 */
export function judgeCanary(watched: WatchedCanary, latest: TrafficSample, now: Date): CanaryJudgement {
  const decision = decide(pausedRollout(watched, latest, now), { kind: 'tick' }, now);
  if (decision.kind === 'refused') return { breach: null, stableP95Ms: watched.stableP95Ms };
  const { state, verdict } = decision;
  return {
    breach:
      state.phase === 'rolling-back' && verdict !== null
        ? { reason: verdict.reason, measurements: verdict.measurements }
        : null,
    stableP95Ms: state.stableP95Ms,
  };
}

function pausedRollout(watched: WatchedCanary, latest: TrafficSample, now: Date): RolloutState {
  const { name, generation, stable, canary, plan } = watched;
  const at = now.toISOString();
  return {
    id: canary.root,
    requestId: '',
    name,
    version: canary.version,
    digest: canary.digest,
    root: canary.root,
    environmentId: '',
    target: '',
    // The one step it is at: where it goes from there is the console's affair.
    plan: { ...plan, steps: [canary.percent] },
    phase: 'paused',
    resumePhase: 'stepping',
    step: 0,
    reason: '',
    endpoints: [
      {
        endpointId: 'self',
        endpointName: 'this agent',
        stableVersion: stable?.version ?? null,
        pushed: true,
        confirmedPercent: canary.percent,
        generation,
        // Its counters begin at zero with each generation.
        baseline: { ...latest, canary: null, stable: null, pairs: 0, disagreements: 0, pairsDropped: 0 },
        latest,
        consecutiveErrors: 0,
        blindSince: null,
      },
    ],
    pending: [],
    stableP95Ms: watched.stableP95Ms,
    sequence: 0,
    verdicts: [],
    startedBy: '',
    startedAt: at,
    stepStartedAt: at,
    updatedAt: at,
  };
}
