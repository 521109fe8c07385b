import type { RolloutState } from '../../../shared/domain/rollout/state.ts';
import { useCall } from '../../api/queries.ts';

/** Newest entries of the rollout that are looked through for the person behind its last change. */
const LOOK_BACK = 100;

/** Why the rollout stands where it does; where a person caused it, with the name the audit log has for them. */
export function useReason(state: Pick<RolloutState, 'id' | 'reason'>): string {
  const byPerson = /\bby a person\b/.test(state.reason);
  const log = useCall(
    'audit.list',
    { before: null, limit: LOOK_BACK, text: state.id },
    { enabled: byPerson },
  );
  if (state.reason === '') return 'It has just begun.';
  const cause = log.data?.entries.find(({ actor, subject, details }) => {
    const { reason } = details;
    return (
      actor !== 'system' &&
      subject === state.id &&
      typeof reason === 'string' &&
      reason !== '' &&
      state.reason.startsWith(reason)
    );
  });
  return byPerson && cause !== undefined
    ? state.reason.replace(/\bby a person\b/, `by ${cause.actor}`)
    : state.reason;
}
