import type { AuditAction } from '../../../shared/domain/audit/entry.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { decide } from '../../../shared/domain/rollout/decide.ts';
import type { RolloutEvent } from '../../../shared/domain/rollout/events.ts';
import { percentOf } from '../../../shared/domain/rollout/phases.ts';
import type { RolloutState } from '../../../shared/domain/rollout/state.ts';
import type { Decision } from '../../../shared/domain/rollout/transitions.ts';
import type { Store, StoreWriter } from '../../ports/stores.ts';
import type { AuditDraft, Ledger } from '../ledger.ts';

/** Somebody else (another process) decided in between: read again and decide again. */
class Raced extends Error {}

/**
 * Load, decide, persist. A decision that changes what a person or an auditor would ask about goes through the ledger;
 * a mere reading is saved without an entry. Throws `refused.state` when the rule refuses.
 */
export async function applyEvent(
  deps: { readonly store: Store; readonly ledger: Ledger; readonly now: () => Date },
  id: string,
  event: RolloutEvent,
  actor: Actor | null,
): Promise<RolloutState> {
  for (;;) {
    const before = deps.store.read.rollout(id);
    if (before === null)
      throw new SallyportError('not-found', `There is no rollout ${id}.`, {
        hint: 'List them with: sallyport rollout list',
      });
    const decision = decide(before, event, deps.now());
    if (decision.kind === 'refused')
      throw new SallyportError('refused.state', decision.reason, { hint: 'The rollout goes on as it was.' });
    const work = (tx: StoreWriter): RolloutState => {
      if (JSON.stringify(tx.rollout(id)) !== JSON.stringify(before)) throw new Raced();
      tx.saveRollout(decision.state);
      if (decision.state.phase === 'completed' && before.phase !== 'completed') {
        // A version revoked while it rolled out is nobody's champion.
        if (tx.version(before)?.state !== 'revoked')
          tx.setAlias({ name: before.name, alias: 'champion', version: before.version });
      }
      return decision.state;
    };
    try {
      const draft = draftOf(before, decision, event);
      return draft === null ? deps.store.transaction(work) : await deps.ledger.commit(actor, draft, work);
    } catch (error) {
      if (!(error instanceof Raced)) throw error;
    }
  }
}

function draftOf(
  before: RolloutState,
  decision: Extract<Decision, { kind: 'decided' }>,
  event: RolloutEvent,
): AuditDraft | null {
  const after = decision.state;
  const action = actionOf(before, after, event, decision.verdict !== null);
  if (action === null) return null;
  return {
    action,
    subject: before.id,
    details: {
      model: formatRef(before),
      target: before.target,
      phase: after.phase,
      step: after.step + 1,
      percent: percentOf(after),
      reason: after.reason,
      ...(decision.verdict === null
        ? {}
        : {
            verdict: decision.verdict.verdict,
            measurements: decision.verdict.measurements.map((m) => ({
              guard: m.guard,
              measured: m.measured,
              limit: m.limit,
              samples: m.samples,
              outcome: m.outcome,
            })),
          }),
    },
  };
}

function actionOf(
  before: RolloutState,
  after: RolloutState,
  event: RolloutEvent,
  judged: boolean,
): AuditAction | null {
  if (event.kind === 'promote') return 'rollout.promoted';
  if (event.kind === 'resume') return 'rollout.resumed';
  if (judged) return 'rollout.verdict';
  if (before.phase === after.phase) return before.step === after.step ? null : 'rollout.advanced';
  switch (after.phase) {
    case 'completed':
      return 'rollout.completed';
    case 'rolled-back':
      return 'rollout.rolled-back';
    case 'failed':
      return 'rollout.failed';
    case 'paused':
      return 'rollout.paused';
    default:
      return 'rollout.advanced';
  }
}
