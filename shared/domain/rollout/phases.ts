/** What a rollout's state means: read by services, views and the rule itself. */
import { assertNever } from '../errors.ts';
import type { Measurement } from './measurement.ts';
import type { RolloutAction, RolloutState } from './state.ts';

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

/** `disagreement 14.2 % of 812 (limit 5 %)` */
export function describe(m: Measurement): string {
  const share = (value: number) => `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`;
  if (m.measured === null) return `${m.guard} has ${m.samples} of ${m.minimumSamples} samples`;
  if (m.note !== '') return `${m.guard} ${m.note}`;
  return m.guard === 'p95'
    ? `p95 ${m.measured.toFixed(2)} times stable's (limit ${m.limit})`
    : `${m.guard} ${share(m.measured)} of ${m.samples} (limit ${share(m.limit)})`;
}

export function percentOf(state: RolloutState): number {
  return state.plan.steps[state.step] ?? 100;
}
