import { type Actor, isPermitted } from '../operator/operator.ts';
import { evaluateQuorum, samePerson } from './quorum.ts';
import type { ApprovalRecord, RequestAction, RequestRecord, RequestState } from './request.ts';

/** State as it is now: an open or approved request past its date has expired, whatever the row says. */
export function effectiveState(record: RequestRecord, now: Date): RequestState {
  const dated = record.state === 'open' || record.state === 'approved';
  return dated && Date.parse(record.request.notAfter) <= now.getTime() ? 'expired' : record.state;
}

/** Approvals that count towards a request's quorum. */
export function requestQuorum(
  record: RequestRecord,
  approvals: readonly Pick<ApprovalRecord, 'kind' | 'person' | 'keyFingerprint'>[],
) {
  return evaluateQuorum(
    approvals.filter((a) => a.kind === 'approval'),
    record.request.submitter,
    record.quorum,
  );
}

/**
 * Why `actor` may not do `action` on the request now, or null when they may. The one home of the rule:
 * services refuse by it, views derive their buttons from it.
 */
export function refusalOf(
  action: RequestAction,
  record: RequestRecord,
  approvals: readonly Pick<ApprovalRecord, 'kind' | 'person' | 'keyFingerprint' | 'operator'>[],
  actor: Actor,
  now: Date,
): string | null {
  const state = effectiveState(record, now);
  switch (action) {
    case 'approve':
      if (!isPermitted(actor.roles, 'request.approve')) return 'Only a release manager approves.';
      if (state !== 'open') return `The request is ${state}.`;
      if (samePerson(actor.person, record.request.submitter.person))
        return 'The submitter does not approve their own request.';
      if (approvals.some((a) => a.kind === 'approval' && samePerson(a.person, actor.person)))
        return 'You have approved it already.';
      return null;
    case 'reject':
      if (!isPermitted(actor.roles, 'request.reject')) return 'Only a release manager rejects.';
      return state === 'open' || state === 'approved' ? null : `The request is ${state}.`;
    case 'withdraw':
      if (!isPermitted(actor.roles, 'request.withdraw'))
        return 'Only an analyst or a release manager withdraws.';
      if (!samePerson(actor.person, record.request.submitter.person))
        return 'Only the submitter withdraws a request.';
      return state === 'open' || state === 'approved' ? null : `The request is ${state}.`;
    case 'deploy':
      if (!isPermitted(actor.roles, 'rollout.deploy')) return 'Only a release manager deploys.';
      if (state === 'approved') return null;
      if (state !== 'open') return `The request is ${state}.`;
      return `It has ${requestQuorum(record, approvals).counted.length} of ${record.quorum} approvals.`;
  }
}
