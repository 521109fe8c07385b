import type { RolloutState } from '../../../shared/domain/rollout/state.ts';

export interface Station {
  readonly label: string;
  readonly note: string;
  readonly status: 'done' | 'active' | 'waiting' | 'paused' | 'failed' | 'returned';
}

/** The stations of a rollout's way with where it stands: preparing, one per step, promotion. Pure, for the stepper. */
export function stationsOf(state: Pick<RolloutState, 'phase' | 'step' | 'plan' | 'endpoints'>): Station[] {
  const { phase, step, plan } = state;
  const started = state.endpoints.some((endpoint) => endpoint.confirmedPercent !== null) || step > 0;
  const stopped = phase === 'rolling-back' || phase === 'rolled-back' || phase === 'failed';
  const stop = phase === 'failed' ? 'failed' : 'returned';
  const word =
    phase === 'failed' ? 'failed here' : phase === 'rolling-back' ? 'rolling back' : 'rolled back here';

  const preparing: Station =
    phase === 'preparing'
      ? { label: 'Prepare', note: 'push and verify', status: 'active' }
      : stopped && !started
        ? { label: 'Prepare', note: word, status: stop }
        : phase === 'paused' && !started
          ? { label: 'Prepare', note: 'paused', status: 'paused' }
          : { label: 'Prepare', note: 'pushed, verified', status: 'done' };

  const steps = plan.steps.map((percent, index): Station => {
    const label = `${percent} %`;
    if (phase === 'preparing') return { label, note: 'to come', status: 'waiting' };
    if (phase === 'completed' || phase === 'promoting' || index < step)
      return { label, note: 'passed', status: 'done' };
    if (index > step || (!started && (stopped || phase === 'paused')))
      return { label, note: 'to come', status: 'waiting' };
    if (phase === 'paused') return { label, note: 'paused', status: 'paused' };
    if (stopped) return { label, note: word, status: stop };
    return { label, note: 'watching', status: 'active' };
  });

  const last: Station =
    phase === 'completed'
      ? { label: 'Completed', note: 'serves as stable', status: 'done' }
      : phase === 'promoting'
        ? { label: 'Promote', note: 'becomes stable', status: 'active' }
        : { label: 'Completed', note: stopped ? 'not reached' : 'to come', status: 'waiting' };
  return [preparing, ...steps, last];
}
