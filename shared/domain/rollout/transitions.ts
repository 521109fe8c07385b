/** The moves of a rollout: each answers the next state with the effects it needs. Only `decide` chooses among them. */
import { percentOf } from './phases.ts';
import type { RolloutEffect, RolloutEndpoint, RolloutState, Verdict } from './state.ts';

export type Decision =
  | {
      readonly kind: 'decided';
      readonly state: RolloutState;
      readonly effects: readonly RolloutEffect[];
      readonly verdict: Verdict | null;
    }
  | { readonly kind: 'refused'; readonly reason: string };

export function afterPush(state: RolloutState, now: Date): Decision {
  if (state.plan.strategy === 'direct')
    return promote(state, 'Every endpoint holds the release; the plan is direct.', null);
  // One endpoint with an earlier version is enough for a canary: the signed steps are not skipped for its sake.
  if (state.endpoints.every((e) => e.stableVersion === null || servesAlready(state, e))) {
    return promote(
      state,
      'No endpoint serves an earlier version: there is nothing to compare a canary with.',
      null,
    );
  }
  return route(
    { ...state, phase: 'stepping', step: 0, stepStartedAt: now.toISOString() },
    `Step 1 of ${state.plan.steps.length}: ${state.plan.steps[0] ?? 100} % of traffic.`,
    null,
  );
}

/** An endpoint that had this version before the rollout: it keeps it, and takes no part in the canary. */
export function servesAlready(state: RolloutState, endpoint: RolloutEndpoint): boolean {
  return endpoint.stableVersion === state.version;
}

/** Effects of the current step: the canary at the step's percent on every endpoint that does not serve it already. */
export function route(state: RolloutState, reason: string, verdict: Verdict | null): Decision {
  const percent = percentOf(state);
  const endpoints = state.endpoints.map((e) => ({
    ...e,
    baseline: null,
    latest: null,
    confirmedPercent: servesAlready(state, e) ? percent : null,
  }));
  return withEffects(
    { ...state, reason, endpoints },
    (e, key) =>
      servesAlready(state, e)
        ? null
        : {
            kind: 'route',
            key,
            endpointId: e.endpointId,
            percent,
            final: false,
            expectedGeneration: e.generation,
          },
    verdict,
  );
}

export function promote(state: RolloutState, reason: string, verdict: Verdict | null): Decision {
  const endpoints = state.endpoints.map((e) => ({ ...e, confirmedPercent: null }));
  return withEffects(
    { ...state, phase: 'promoting', resumePhase: null, reason, endpoints },
    (e, key) => ({
      kind: 'route',
      key,
      endpointId: e.endpointId,
      percent: 100,
      final: true,
      expectedGeneration: e.generation,
    }),
    verdict,
  );
}

export function nextStep(state: RolloutState, reason: string, now: Date, verdict: Verdict | null): Decision {
  if (state.step + 1 >= state.plan.steps.length) return promote(state, reason, verdict);
  const next = { ...state, step: state.step + 1, stepStartedAt: now.toISOString() };
  return route(
    next,
    `${reason} Step ${next.step + 1} of ${next.plan.steps.length}: ${percentOf(next)} % of traffic.`,
    verdict,
  );
}

/** Takes the new version out wherever it may be in: also where a routing effect may have been applied unseen. */
export function rollBack(state: RolloutState, reason: string, verdict: Verdict | null = null): Decision {
  const next: RolloutState = {
    ...state,
    phase: 'rolling-back',
    resumePhase: null,
    reason,
    pending: [],
    verdicts: verdict === null ? state.verdicts : [...state.verdicts, verdict],
  };
  if (state.phase === 'preparing' || (state.phase === 'paused' && state.resumePhase === 'preparing')) {
    return {
      kind: 'decided',
      state: { ...next, phase: 'rolled-back', reason: `${reason} No traffic was moved.` },
      effects: [],
      verdict,
    };
  }
  return withEffects(next, (e, key) => ({ kind: 'withdraw', key, endpointId: e.endpointId }), verdict);
}

export function withEffects(
  state: RolloutState,
  make: (endpoint: RolloutEndpoint, key: string) => RolloutEffect | null,
  verdict: Verdict | null,
): Decision {
  const effects = state.endpoints
    .map((endpoint) => make(endpoint, `${state.id}/${state.sequence}/${endpoint.endpointId}`))
    .filter((effect) => effect !== null);
  return {
    kind: 'decided',
    state: { ...state, pending: effects, sequence: state.sequence + 1 },
    effects,
    verdict,
  };
}

export function settle(state: RolloutState, key: string): RolloutState {
  return { ...state, pending: state.pending.filter((e) => e.key !== key) };
}

export function isPending(state: RolloutState, key: string): boolean {
  return state.pending.some((e) => e.key === key);
}

export function updateEndpoint(
  state: RolloutState,
  id: string,
  change: Partial<RolloutEndpoint>,
): RolloutState {
  return { ...state, endpoints: state.endpoints.map((e) => (e.endpointId === id ? { ...e, ...change } : e)) };
}

export function countError(state: RolloutState, id: string): RolloutState {
  const since = state.endpoints.find((e) => e.endpointId === id)?.blindSince ?? state.updatedAt;
  return updateEndpoint(state, id, { consecutiveErrors: errorsOf(state, id) + 1, blindSince: since });
}

export function errorsOf(state: RolloutState, id: string): number {
  return state.endpoints.find((e) => e.endpointId === id)?.consecutiveErrors ?? 0;
}

export function nameOf(state: RolloutState, id: string): string {
  return state.endpoints.find((e) => e.endpointId === id)?.endpointName ?? id;
}

export function unchanged(state: RolloutState): Decision {
  return { kind: 'decided', state, effects: [], verdict: null };
}

export function refuse(reason: string): Decision {
  return { kind: 'refused', reason };
}
