/**
 * The one rule of a rollout: state and event in, next state and effects out. Pure; the caller persists the state
 * (its pending effects included) before it runs any effect, and replays pending effects after a crash.
 *
 *   preparing ──all pushed──▶ stepping 0 … n ──last step judged──▶ promoting ──all confirmed──▶ completed
 *        │                        │ breach, abort, no eyes            │
 *      failed                rolling-back ──all withdrawn──▶ rolled-back
 */
import type { AgentMove } from '../endpoint/agent-move.ts';
import { assertNever } from '../errors.ts';
import { latencyQuantile } from '../traffic/window.ts';
import type { RolloutEvent } from './events.ts';
import { measureGuards, stepWindow } from './measure.ts';
import type { Measurement } from './measurement.ts';
import { describe, isFinal, isWatched, percentOf } from './phases.ts';
import type { RolloutState, Verdict } from './state.ts';
import {
  afterPush,
  countError,
  type Decision,
  errorsOf,
  isPending,
  nameOf,
  nextStep,
  refuse,
  rollBack,
  settle,
  unchanged,
  updateEndpoint,
} from './transitions.ts';

/** Readings or effects in a row that may fail before the rollout stops trusting an endpoint (as Argo Rollouts' consecutiveErrorLimit). */
export const CONSECUTIVE_ERROR_LIMIT = 4;
/** Readings must also have failed for so long, in milliseconds: an agent that restarts is no reason to roll back. */
export const BLIND_LIMIT_MS = 10_000;

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
        blindSince: null,
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
        blindSince: null,
      });
      return next.phase === 'rolling-back' && next.pending.length === 0
        ? unchanged({ ...next, phase: 'rolled-back' })
        : unchanged(next);
    }
    case 'effect-failed':
      return effectFailed(current, event, now);
    case 'sampled':
      return sampled(current, event, now);
    case 'moved-back':
      return movedBack(current, event.endpointId, event.move, now);
    case 'sample-failed': {
      if (!isWatched(current)) return unchanged(current);
      const next = countError(current, event.endpointId);
      const since = next.endpoints.find((e) => e.endpointId === event.endpointId)?.blindSince;
      const blindMs = now.getTime() - Date.parse(since ?? current.updatedAt);
      if (errorsOf(next, event.endpointId) <= CONSECUTIVE_ERROR_LIMIT || blindMs < BLIND_LIMIT_MS)
        return unchanged(next);
      return rollBack(
        next,
        `${nameOf(next, event.endpointId)} gave no reading for ${Math.round(blindMs / 1000)} s (${event.reason}): a canary nobody can watch does not go on.`,
      );
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

function routed(state: RolloutState, event: Extract<RolloutEvent, { kind: 'routed' }>, now: Date): Decision {
  const effect = state.pending.find((e) => e.key === event.key);
  if (effect?.kind !== 'route') return unchanged(state);
  const next = updateEndpoint(settle(state, event.key), event.endpointId, {
    generation: event.generation,
    confirmedPercent: effect.percent,
    baseline: null,
    latest: null,
    consecutiveErrors: 0,
    blindSince: null,
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

function sampled(
  state: RolloutState,
  event: Extract<RolloutEvent, { kind: 'sampled' }>,
  now: Date,
): Decision {
  const endpoint = state.endpoints.find((e) => e.endpointId === event.endpointId);
  if (endpoint === undefined || !isWatched(state) || endpoint.confirmedPercent === null)
    return unchanged(state);
  const { sample } = event;
  if (sample.generation !== endpoint.generation) {
    const { moved } = sample;
    if (moved && moved.from === endpoint.generation) return movedBack(state, endpoint.endpointId, moved, now);
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
      blindSince: null,
    }),
  );
}

/** The agent's own step back ends the rollout everywhere, for the agent's reason and by its measurements. */
function movedBack(state: RolloutState, endpointId: string, move: AgentMove, now: Date): Decision {
  if (isFinal(state) || state.phase === 'rolling-back' || state.phase === 'preparing')
    return unchanged(state);
  const reason = `${nameOf(state, endpointId)} moved back by itself: ${move.reason}`;
  return rollBack(state, reason, record(state, 'roll-back', reason, move.measurements, now));
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
    endpoints: next.endpoints.map((e) => ({
      ...e,
      baseline: e.latest,
      consecutiveErrors: 0,
      blindSince: null,
    })),
  });
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
