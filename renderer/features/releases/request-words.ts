import { type Guards, leaseOf, type RolloutPlan } from '../../../shared/domain/rollout/plan.ts';
import type { RequestView } from '../../../shared/domain/view/views.ts';
import { formatDuration, formatMs, formatShare } from '../../ui/format.ts';

/** Signatures that count towards the quorum: approvals of distinct people, never the submitter's person. */
export function approvalsOf(view: Pick<RequestView, 'approvals' | 'record'>): RequestView['approvals'] {
  const people = new Set<string>([view.record.request.submitter.person]);
  return view.approvals.filter((approval) => {
    if (approval.kind !== 'approval' || people.has(approval.person)) return false;
    people.add(approval.person);
    return true;
  });
}

/** `canary 10 → 50 → 100 %, 30 s each` or `direct, watched 30 s`. */
export function formatPlan(plan: Pick<RolloutPlan, 'strategy' | 'steps' | 'bakeMs'>): string {
  return plan.strategy === 'direct'
    ? `direct, watched ${formatDuration(plan.bakeMs)}`
    : `canary ${plan.steps.join(' → ')} %, ${formatDuration(plan.bakeMs)} each`;
}

/** What an agent does that hears nothing more of the console. */
export function formatLease(plan: Pick<RolloutPlan, 'lease'>): string {
  const { ms, after } = leaseOf(plan);
  return `${formatDuration(ms)} without the console, then the agent ${after === 'hold' ? 'holds it where it is' : 'rolls it back'}`;
}

/** Each guard as a sentence; a guard that does not run says so. */
export function describeGuards(
  guards: Guards,
): readonly { readonly name: string; readonly text: string; readonly off: boolean }[] {
  return [
    {
      name: 'Errors',
      off: guards.maxErrorRate === null,
      text:
        guards.maxErrorRate === null
          ? 'not guarded'
          : `at most ${formatShare(guards.maxErrorRate)} of requests, judged from ${guards.minimumRequests} requests`,
    },
    {
      name: 'Latency',
      off: guards.maxP95Ratio === null,
      text:
        guards.maxP95Ratio === null
          ? 'not guarded'
          : `p95 at most ${guards.maxP95Ratio}× stable, once above ${formatMs(guards.p95FloorMs)}`,
    },
    {
      name: 'Disagreement',
      off: guards.maxDisagreement === null,
      text:
        guards.maxDisagreement === null
          ? 'not guarded'
          : `at most ${formatShare(guards.maxDisagreement)} of answers differ from stable, judged from ${guards.minimumPairs} pairs`,
    },
  ];
}

/** Steps of a canary as typed: `10, 50, 100`. What is no number becomes NaN and is refused by the domain's rules. */
export function parseSteps(text: string): number[] {
  return text
    .split(/[\s,;→>%]+/)
    .filter((part) => part !== '')
    .map(Number);
}
