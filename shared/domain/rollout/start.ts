import type { RolloutPlan } from './plan.ts';
import type { RolloutEffect, RolloutState } from './state.ts';

export interface RolloutStart {
  readonly id: string;
  readonly requestId: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly root: string;
  readonly environmentId: string;
  readonly target: string;
  readonly plan: RolloutPlan;
  readonly endpoints: readonly { readonly id: string; readonly name: string }[];
  readonly startedBy: string;
}

/** A new rollout: everything is pushed first, no traffic moves before all endpoints hold the verified release. */
export function startRollout(
  start: RolloutStart,
  now: Date,
): { state: RolloutState; effects: readonly RolloutEffect[] } {
  const at = now.toISOString();
  const { endpoints, ...facts } = start;
  const state: RolloutState = {
    ...facts,
    phase: 'preparing',
    resumePhase: null,
    step: 0,
    reason: 'Sending the release to every endpoint.',
    endpoints: endpoints.map(({ id, name }) => ({
      endpointId: id,
      endpointName: name,
      stableVersion: null,
      pushed: false,
      confirmedPercent: null,
      generation: 0,
      baseline: null,
      latest: null,
      consecutiveErrors: 0,
      blindSince: null,
    })),
    pending: [],
    stableP95Ms: null,
    sequence: 0,
    verdicts: [],
    startedAt: at,
    stepStartedAt: at,
    updatedAt: at,
  };
  const effects = state.endpoints.map(
    (e): RolloutEffect => ({ kind: 'push', key: `${state.id}/0/${e.endpointId}`, endpointId: e.endpointId }),
  );
  return { state: { ...state, pending: effects, sequence: 1 }, effects };
}
