/**
 * The one rule of a rollout: state and event in, next state and effects out. Pure; the caller persists the state
 * (its pending effects included) before it runs any effect, and replays pending effects after a crash.
 *
 *   preparing ──all pushed──▶ stepping 0 … n ──last step judged──▶ promoting ──all confirmed──▶ completed
 *        │                        │ breach, abort, no eyes            │
 *      failed                rolling-back ──all withdrawn──▶ rolled-back
 */
import { assertNever } from '../errors.ts';
import { latencyQuantile } from '../traffic/window.ts';
import type { RolloutEvent } from './events.ts';
import { measureGuards, stepWindow } from './measure.ts';
import type { RolloutPlan } from './plan.ts';
import type {
  Measurement,
  RolloutAction,
  RolloutEffect,
  RolloutEndpoint,
  RolloutState,
  Verdict,
} from './state.ts';

/** Readings or effects in a row that may fail before the rollout stops trusting an endpoint (as Argo Rollouts' consecutiveErrorLimit). */
export const CONSECUTIVE_ERROR_LIMIT = 4;

export type Decision =
  | {
      readonly kind: 'decided';
      readonly state: RolloutState;
      readonly effects: readonly RolloutEffect[];
      readonly verdict: Verdict | null;
    }
  | { readonly kind: 'refused'; readonly reason: string };

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

/** A canary has traffic: its guards are measured, paused or not. */
export function isWatched(state: RolloutState): boolean {
  return state.phase === 'stepping' || (state.phase === 'paused' && state.resumePhase === 'stepping');
}

export function isFinal(state: RolloutState): boolean {
  return state.phase === 'completed' || state.phase === 'rolled-back' || state.phase === 'failed';
}

/** What a person may do now; the window's buttons and the command line read this. */
export function allowedRolloutActions(state: RolloutState): RolloutAction[] {
  switch (state.phase) {
    case 'preparing':
      return ['pause', 'abort'];
    case 'stepping':
      return ['pause', 'promote', 'abort'];
    case 'paused':
      return state.resumePhase === 'stepping' ? ['resume', 'promote', 'abort'] : ['resume', 'abort'];
    case 'promoting':
      return ['abort'];
    case 'completed':
      return ['roll-back'];
    case 'rolling-back':
    case 'rolled-back':
    case 'failed':
      return [];
    default:
      return assertNever(state.phase);
  }
}

/** See the file's head. `now` is only compared with times in the state. */
export function decide(state: RolloutState, event: RolloutEvent, now: Date): Decision {
  const current: RolloutState = { ...state, updatedAt: now.toISOString() };
  switch (event.kind) {
    case 'pushed': {
      if (!isPending(current, event.key)) return unchanged(current);
      const next = updateEndpoint(settle(current, event.key), event.endpointId, {
        pushed: true,
        generation: event.generation,
        stableVersion: event.stableVersion,
        consecutiveErrors: 0,
      });
      return next.phase === 'preparing' && next.endpoints.every((e) => e.pushed)
        ? afterPush(next, now)
        : unchanged(next);
    }
    case 'routed':
      return routed(current, event, now);
    case 'withdrawn': {
      if (!isPending(current, event.key)) return unchanged(current);
      const next = updateEndpoint(settle(current, event.key), event.endpointId, {
        generation: event.generation,
        confirmedPercent: 0,
        consecutiveErrors: 0,
      });
      return next.phase === 'rolling-back' && next.pending.length === 0
        ? unchanged({ ...next, phase: 'rolled-back' })
        : unchanged(next);
    }
    case 'effect-failed':
      return effectFailed(current, event, now);
    case 'sampled':
      return sampled(current, event);
    case 'sample-failed': {
      if (!isWatched(current)) return unchanged(current);
      const next = countError(current, event.endpointId);
      return errorsOf(next, event.endpointId) > CONSECUTIVE_ERROR_LIMIT
        ? rollBack(
            next,
            `${nameOf(next, event.endpointId)} gave no reading ${CONSECUTIVE_ERROR_LIMIT + 1} times in a row (${event.reason}): a canary nobody can watch does not go on.`,
          )
        : unchanged(next);
    }
    case 'tick':
      return isWatched(current) ? judgeStep(current, now) : unchanged(current);
    case 'pause': {
      if (current.phase !== 'preparing' && current.phase !== 'stepping')
        return refuse(`A rollout that is ${current.phase} cannot be paused.`);
      return unchanged({
        ...current,
        phase: 'paused',
        resumePhase: current.phase,
        reason: 'Paused by a person.',
      });
    }
    case 'resume':
      return resume(current, now);
    case 'promote': {
      if (!isWatched(current)) return refuse(`A rollout that is ${current.phase} cannot be promoted.`);
      if (!current.endpoints.every((e) => e.confirmedPercent === percentOf(current)))
        return refuse('The current step is not confirmed by every endpoint yet.');
      const breach = measure(current).find((m) => m.outcome === 'breach');
      if (breach !== undefined)
        return refuse(`The ${breach.guard} guard is broken: ${describe(breach)}. It rolls back.`);
      return nextStep(
        { ...current, phase: 'stepping', resumePhase: null },
        'Moved on by a person before the verdict.',
        now,
        null,
      );
    }
    case 'abort': {
      if (isFinal(current) || current.phase === 'rolling-back')
        return refuse(`A rollout that is ${current.phase} cannot be aborted.`);
      return rollBack(
        current,
        event.reason === '' ? 'Aborted by a person.' : `Aborted by a person: ${event.reason}`,
      );
    }
    default:
      return assertNever(event);
  }
}

function afterPush(state: RolloutState, now: Date): Decision {
  if (state.plan.strategy === 'direct')
    return promote(state, 'Every endpoint holds the release; the plan is direct.', null);
  if (state.endpoints.some((e) => e.stableVersion === null)) {
    return promote(
      state,
      'An endpoint serves no earlier version: there is nothing to compare a canary with.',
      null,
    );
  }
  if (state.endpoints.some((e) => e.stableVersion === state.version)) {
    return promote(state, 'An endpoint serves this version already.', null);
  }
  return route(
    { ...state, phase: 'stepping', step: 0, stepStartedAt: now.toISOString() },
    `Step 1 of ${state.plan.steps.length}: ${state.plan.steps[0] ?? 100} % of traffic.`,
    null,
  );
}

/** Effects of the current step: the canary at the step's percent on every endpoint. */
function route(state: RolloutState, reason: string, verdict: Verdict | null): Decision {
  const percent = percentOf(state);
  const endpoints = state.endpoints.map((e) => ({
    ...e,
    baseline: null,
    latest: null,
    confirmedPercent: null,
  }));
  return withEffects(
    { ...state, reason, endpoints },
    (e, key) => ({
      kind: 'route',
      key,
      endpointId: e.endpointId,
      percent,
      final: false,
      expectedGeneration: e.generation,
    }),
    verdict,
  );
}

function promote(state: RolloutState, reason: string, verdict: Verdict | null): Decision {
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

function nextStep(state: RolloutState, reason: string, now: Date, verdict: Verdict | null): Decision {
  if (state.step + 1 >= state.plan.steps.length) return promote(state, reason, verdict);
  const next = { ...state, step: state.step + 1, stepStartedAt: now.toISOString() };
  return route(
    next,
    `${reason} Step ${next.step + 1} of ${next.plan.steps.length}: ${percentOf(next)} % of traffic.`,
    verdict,
  );
}

function routed(state: RolloutState, event: Extract<RolloutEvent, { kind: 'routed' }>, now: Date): Decision {
  const effect = state.pending.find((e) => e.key === event.key);
  if (effect?.kind !== 'route') return unchanged(state);
  const next = updateEndpoint(settle(state, event.key), event.endpointId, {
    generation: event.generation,
    confirmedPercent: effect.percent,
    baseline: null,
    latest: null,
    consecutiveErrors: 0,
  });
  if (next.pending.length > 0) return unchanged(next);
  if (effect.final && next.phase === 'promoting') {
    return unchanged({
      ...next,
      phase: 'completed',
      reason: `${next.name}@${next.version} serves all traffic on every endpoint.`,
    });
  }
  // The step is watched from the moment the last endpoint confirmed it.
  return unchanged({ ...next, stepStartedAt: now.toISOString() });
}

function sampled(state: RolloutState, event: Extract<RolloutEvent, { kind: 'sampled' }>): Decision {
  const endpoint = state.endpoints.find((e) => e.endpointId === event.endpointId);
  if (endpoint === undefined || !isWatched(state) || endpoint.confirmedPercent === null)
    return unchanged(state);
  const { sample } = event;
  if (sample.generation !== endpoint.generation) {
    return rollBack(
      state,
      `${endpoint.endpointName} was changed by another hand (generation ${sample.generation} instead of ${endpoint.generation}).`,
    );
  }
  return unchanged(
    updateEndpoint(state, event.endpointId, {
      latest: sample,
      baseline: endpoint.baseline ?? sample,
      consecutiveErrors: 0,
    }),
  );
}

function judgeStep(state: RolloutState, now: Date): Decision {
  if (state.pending.length > 0 || state.endpoints.some((e) => e.confirmedPercent !== percentOf(state)))
    return unchanged(state);
  const measurements = measure(state);
  const watched = rememberStable(state);
  const elapsed = now.getTime() - Date.parse(state.stepStartedAt);
  const breaches = measurements.filter((m) => m.outcome === 'breach');
  if (breaches.length > 0) {
    const reason = `${breaches.map(describe).join('; ')} at ${percentOf(state)} % of traffic.`;
    return rollBack(watched, reason, record(watched, 'roll-back', reason, measurements, now));
  }
  // Paused: the guards stay awake, nothing moves forward.
  if (state.phase === 'paused') return unchanged(watched);
  const insufficient = measurements.filter((m) => m.outcome === 'insufficient');
  if (insufficient.length > 0 && elapsed >= state.plan.maxStepMs) {
    const reason = `No verdict after ${Math.round(elapsed / 1000)} s: ${insufficient.map((m) => `${m.guard} has ${m.samples} of ${m.minimumSamples} samples`).join(', ')}.`;
    const verdict = record(watched, 'inconclusive', reason, measurements, now);
    return {
      kind: 'decided',
      state: {
        ...watched,
        phase: 'paused',
        resumePhase: 'stepping',
        reason,
        verdicts: [...watched.verdicts, verdict],
      },
      effects: [],
      verdict,
    };
  }
  if (insufficient.length > 0 || elapsed < state.plan.bakeMs) return unchanged(watched);
  const reason =
    measurements.length === 0
      ? 'No guard is on in this plan; the step was watched for its time.'
      : `${measurements.map(describe).join('; ')}.`;
  const verdict = record(watched, 'promote', reason, measurements, now);
  return nextStep({ ...watched, verdicts: [...watched.verdicts, verdict] }, reason, now, verdict);
}

function effectFailed(
  state: RolloutState,
  event: Extract<RolloutEvent, { kind: 'effect-failed' }>,
  now: Date,
): Decision {
  if (!isPending(state, event.key)) return unchanged(state);
  const next = countError(state, event.endpointId);
  const name = nameOf(next, event.endpointId);
  if (next.phase === 'rolling-back') {
    // Taking the canary out is tried until it succeeds; only an answer that can never change ends it.
    if (event.severity === 'transient')
      return unchanged({ ...next, reason: `${name} has not withdrawn the version yet: ${event.reason}` });
    const settled = settle(next, event.key);
    return settled.pending.length > 0
      ? unchanged(settled)
      : unchanged({
          ...settled,
          phase: 'failed',
          reason: `${name} did not withdraw the version: ${event.reason}`,
        });
  }
  if (event.severity === 'transient' && errorsOf(next, event.endpointId) <= CONSECUTIVE_ERROR_LIMIT)
    return unchanged({ ...next, reason: `${name}: ${event.reason} Trying again.` });
  const reason =
    event.severity === 'stale'
      ? `${name} was changed by another hand: ${event.reason}`
      : `${name}: ${event.reason}`;
  if (next.phase === 'preparing' || (next.phase === 'paused' && next.resumePhase === 'preparing')) {
    return unchanged({
      ...next,
      phase: 'failed',
      resumePhase: null,
      pending: [],
      reason: `${reason} No traffic was moved.`,
      updatedAt: now.toISOString(),
    });
  }
  return rollBack(next, reason);
}

function resume(state: RolloutState, now: Date): Decision {
  if (state.phase !== 'paused' || state.resumePhase === null)
    return refuse(`A rollout that is ${state.phase} cannot be resumed.`);
  const next: RolloutState = {
    ...state,
    phase: state.resumePhase,
    resumePhase: null,
    reason: 'Resumed by a person.',
  };
  if (next.phase === 'preparing')
    return next.endpoints.every((e) => e.pushed) ? afterPush(next, now) : unchanged(next);
  // The step is watched afresh: what was measured before the pause stays in the verdicts, not in the next one.
  return unchanged({
    ...next,
    stepStartedAt: now.toISOString(),
    endpoints: next.endpoints.map((e) => ({ ...e, baseline: e.latest, consecutiveErrors: 0 })),
  });
}

/** Takes the new version out wherever it may be in: also where a routing effect may have been applied unseen. */
function rollBack(state: RolloutState, reason: string, verdict: Verdict | null = null): Decision {
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

function withEffects(
  state: RolloutState,
  make: (endpoint: RolloutEndpoint, key: string) => RolloutEffect,
  verdict: Verdict | null,
): Decision {
  const effects = state.endpoints.map((endpoint) =>
    make(endpoint, `${state.id}/${state.sequence}/${endpoint.endpointId}`),
  );
  return {
    kind: 'decided',
    state: { ...state, pending: effects, sequence: state.sequence + 1 },
    effects,
    verdict,
  };
}

function measure(state: RolloutState): Measurement[] {
  return measureGuards(state.plan.guards, stepWindow(state), state.stableP95Ms);
}

function rememberStable(state: RolloutState): RolloutState {
  const { stable } = stepWindow(state);
  if (stable.requests < state.plan.guards.minimumRequests) return state;
  return { ...state, stableP95Ms: latencyQuantile(stable.latencyCounts, 0.95) };
}

function record(
  state: RolloutState,
  verdict: Verdict['verdict'],
  reason: string,
  measurements: Measurement[],
  now: Date,
): Verdict {
  return { at: now.toISOString(), step: state.step, verdict, reason, measurements };
}

/** `disagreement 14.2 % of 812 (limit 5 %)` */
export function describe(m: Measurement): string {
  const share = (value: number) => `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`;
  if (m.measured === null) return `${m.guard} has ${m.samples} of ${m.minimumSamples} samples`;
  return m.guard === 'p95'
    ? `p95 ${m.measured.toFixed(2)} times stable's (limit ${m.limit})`
    : `${m.guard} ${share(m.measured)} of ${m.samples} (limit ${share(m.limit)})`;
}

export function percentOf(state: RolloutState): number {
  return state.plan.steps[state.step] ?? 100;
}

function isPending(state: RolloutState, key: string): boolean {
  return state.pending.some((e) => e.key === key);
}
function settle(state: RolloutState, key: string): RolloutState {
  return { ...state, pending: state.pending.filter((e) => e.key !== key) };
}
function updateEndpoint(state: RolloutState, id: string, change: Partial<RolloutEndpoint>): RolloutState {
  return { ...state, endpoints: state.endpoints.map((e) => (e.endpointId === id ? { ...e, ...change } : e)) };
}
function countError(state: RolloutState, id: string): RolloutState {
  return updateEndpoint(state, id, { consecutiveErrors: errorsOf(state, id) + 1 });
}
function errorsOf(state: RolloutState, id: string): number {
  return state.endpoints.find((e) => e.endpointId === id)?.consecutiveErrors ?? 0;
}
function nameOf(state: RolloutState, id: string): string {
  return state.endpoints.find((e) => e.endpointId === id)?.endpointName ?? id;
}
function unchanged(state: RolloutState): Decision {
  return { kind: 'decided', state, effects: [], verdict: null };
}
function refuse(reason: string): Decision {
  return { kind: 'refused', reason };
}
