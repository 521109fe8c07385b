import { IconArrowBackUp, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import type { RolloutAction } from '../../../shared/domain/rollout/state.ts';
import type { RolloutView } from '../../../shared/domain/view/views.ts';
import { useAction } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { isFinal } from '../../ui/status.tsx';
import { RollbackDialog } from './rollback-dialog.tsx';

/** Pause, resume, promote, abort, roll back: by `allowedActions`, with a reason where one is off. */
export function RolloutActions({ view }: { readonly view: RolloutView }): ReactNode {
  const { operator } = useSession();
  const [dialog, setDialog] = useState<'promote' | 'abort' | 'roll-back' | null>(null);
  const close = (): void => setDialog(null);
  const { state } = view;
  const input = { id: state.id };
  const pause = useAction('rollouts.pause', { done: () => 'Paused: traffic stays where it is.' });
  const resume = useAction('rollouts.resume', { done: () => 'The rollout goes on.' });
  const promote = useAction('rollouts.promote', {
    done: () => 'Promoted to the next step.',
    notifyProblem: false,
  });
  const abort = useAction('rollouts.abort', {
    done: () => 'Aborted: stable takes all traffic.',
    notifyProblem: false,
  });

  const refusal = (action: RolloutAction): string | null => {
    if (view.allowedActions.includes(action)) return null;
    return (
      roleRefusal(operator.roles, action === 'roll-back' ? 'rollout.rollback' : 'rollout.control') ??
      `Not possible while it is ${state.phase.replace('-', ' ')}.`
    );
  };
  const next = state.plan.steps[state.step + 1];
  const stable = state.endpoints[0]?.stableVersion ?? null;
  return (
    <>
      {isFinal(state.phase) ? null : (
        <>
          {state.phase === 'paused' ? (
            <GuardedButton
              variant="default"
              refusal={refusal('resume')}
              leftSection={<IconPlayerPlay size={14} />}
              loading={resume.isPending}
              onClick={() => resume.mutate(input)}
            >
              Resume
            </GuardedButton>
          ) : (
            <GuardedButton
              variant="default"
              refusal={refusal('pause')}
              leftSection={<IconPlayerPause size={14} />}
              loading={pause.isPending}
              onClick={() => pause.mutate(input)}
            >
              Pause
            </GuardedButton>
          )}
          <GuardedButton variant="default" refusal={refusal('promote')} onClick={() => setDialog('promote')}>
            Promote
          </GuardedButton>
          <GuardedButton
            color="red"
            variant="light"
            refusal={refusal('abort')}
            onClick={() => setDialog('abort')}
          >
            Abort
          </GuardedButton>
        </>
      )}
      {state.phase === 'completed' || view.allowedActions.includes('roll-back') ? (
        <GuardedButton
          color="red"
          variant="light"
          refusal={refusal('roll-back')}
          leftSection={<IconArrowBackUp size={15} />}
          onClick={() => setDialog('roll-back')}
        >
          Roll back
        </GuardedButton>
      ) : null}
      <Ask
        opened={dialog === 'promote'}
        onClose={close}
        title="Promote without waiting for the verdict?"
        confirm="Promote"
        pending={promote.isPending}
        error={promote.error}
        onConfirm={() =>
          promote
            .mutateAsync(input)
            .then(close)
            .catch(() => undefined)
        }
      >
        {next === undefined
          ? `${state.name}@${state.version} becomes the stable version.`
          : `${state.name}@${state.version} gets ${next} % of the traffic now.`}{' '}
        The audit log will name you, not a verdict, as the cause.
      </Ask>
      <Ask
        opened={dialog === 'abort'}
        onClose={close}
        title="Abort the rollout?"
        confirm="Abort"
        danger
        pending={abort.isPending}
        error={abort.error}
        ask={{ kind: 'reason', label: 'Reason, for the audit log', optional: true }}
        onConfirm={(reason) =>
          abort
            .mutateAsync({ ...input, reason })
            .then(close)
            .catch(() => undefined)
        }
      >
        {stable === null ? 'The new version is withdrawn.' : `${stable} takes all traffic again.`} No request
        fails. The measurements and verdicts are kept.
      </Ask>
      <RollbackDialog
        opened={dialog === 'roll-back'}
        onClose={close}
        name={state.name}
        targets={[state.target]}
        from={`${state.name}@${state.version}`}
        to={stable === null ? null : `${state.name}@${stable}`}
      />
    </>
  );
}
