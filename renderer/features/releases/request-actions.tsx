import { Select } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import type { RequestAction } from '../../../shared/domain/approval/request.ts';
import type { RequestView } from '../../../shared/domain/view/views.ts';
import { notifyDone, useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { useSession } from '../../api/session.ts';
import { Ask } from '../../ui/dialogs.tsx';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { approvalsOf, formatPlan } from './request-words.ts';

/** Approve, reject, withdraw, deploy: what the main process allows, and its own words where it does not. */
export function RequestActions({ view }: { readonly view: RequestView }): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<RequestAction | null>(null);
  const [target, setTarget] = useState<string | null>(null);
  const close = (): void => setDialog(null);
  const { record, plan } = view;
  const { id } = record;
  const what = `${record.request.name}@${record.request.version}`;
  const refusal = (action: RequestAction): string | null =>
    view.allowedActions.includes(action)
      ? null
      : (view.refusals[action] ?? `Not possible while the request is ${record.state}.`);

  const approve = useAction('requests.approve', {
    done: (next) => `Approved: ${approvalsOf(next).length} of ${next.record.quorum}.`,
    notifyProblem: false,
  });
  const reject = useAction('requests.reject', {
    done: () => 'The request is rejected.',
    notifyProblem: false,
  });
  const withdraw = useAction('requests.withdraw', {
    done: () => 'The request is withdrawn.',
    notifyProblem: false,
  });
  const deploy = useAction('rollouts.deploy', { notifyProblem: false });
  const endpoints = useCall('endpoints.list', {}, { enabled: dialog === 'deploy' });
  const here = (endpoints.data ?? []).filter(
    (item) => item.endpoint.environmentId === record.request.environmentId,
  );
  const chosen = target ?? (here.length === 0 ? null : record.environmentName);

  return (
    <>
      {record.state === 'open' ? (
        <>
          <GuardedButton
            variant="default"
            refusal={refusal('withdraw')}
            onClick={() => setDialog('withdraw')}
          >
            Withdraw
          </GuardedButton>
          <GuardedButton variant="default" refusal={refusal('reject')} onClick={() => setDialog('reject')}>
            Reject
          </GuardedButton>
          <GuardedButton refusal={refusal('approve')} onClick={() => setDialog('approve')}>
            Approve
          </GuardedButton>
        </>
      ) : null}
      {record.state === 'approved' ? (
        <>
          <GuardedButton
            variant="default"
            refusal={refusal('withdraw')}
            onClick={() => setDialog('withdraw')}
          >
            Withdraw
          </GuardedButton>
          <GuardedButton refusal={refusal('deploy')} onClick={() => setDialog('deploy')}>
            Deploy
          </GuardedButton>
        </>
      ) : null}

      <Ask
        opened={dialog === 'approve'}
        onClose={close}
        title={`Approve ${what} for ${record.environmentName}`}
        confirm="Sign the approval"
        pending={approve.isPending}
        error={approve.error}
        ask={{ kind: 'passphrase', label: `Passphrase of ${operator.name}` }}
        onConfirm={(passphrase) =>
          approve
            .mutateAsync({ id, passphrase })
            .then(close)
            .catch(() => undefined)
        }
      >
        You sign the model’s bytes, the plan, the policy and the dossier as they are shown on this page, with
        your own key. A signature cannot be taken back.
      </Ask>
      <Ask
        opened={dialog === 'reject'}
        onClose={close}
        title={`Reject ${what}`}
        confirm="Reject"
        danger
        pending={reject.isPending}
        error={reject.error}
        ask={{ kind: 'reason', label: 'Reason, for the submitter and the audit log' }}
        onConfirm={(reason) =>
          reject
            .mutateAsync({ id, reason })
            .then(close)
            .catch(() => undefined)
        }
      >
        The request ends here. The version and its evidence are kept; another request can be made.
      </Ask>
      <Ask
        opened={dialog === 'withdraw'}
        onClose={close}
        title={`Withdraw ${what}`}
        confirm="Withdraw"
        pending={withdraw.isPending}
        error={withdraw.error}
        onConfirm={() =>
          withdraw
            .mutateAsync({ id })
            .then(close)
            .catch(() => undefined)
        }
      >
        Nobody can approve or deploy it any more. Signatures given so far are kept in the audit log.
      </Ask>
      <Ask
        opened={dialog === 'deploy'}
        onClose={close}
        title={`Deploy ${what}`}
        confirm="Start the rollout"
        pending={deploy.isPending}
        error={deploy.error}
        onConfirm={() => {
          if (chosen === null) return;
          deploy
            .mutateAsync({ requestId: id, target: chosen })
            .then(async (rollout) => {
              close();
              notifyDone(`The rollout to ${rollout.state.target} has started.`);
              await navigate(`/rollouts/${rollout.state.id}`);
            })
            .catch(() => undefined);
        }}
      >
        <p
          style={{ margin: '0 0 12px' }}
        >{`It runs the signed plan: ${formatPlan(plan)}. The endpoints verify the signatures before they load a byte.`}</p>
        <Select
          label="Target"
          allowDeselect={false}
          value={chosen}
          onChange={setTarget}
          placeholder={endpoints.isLoading ? 'Loading…' : 'No endpoint in this environment'}
          data={
            here.length === 0
              ? []
              : [
                  {
                    group: 'Environment',
                    items: [
                      {
                        value: record.environmentName,
                        label: `${record.environmentName}: ${here.length === 1 ? 'its one endpoint' : `all ${here.length} endpoints`}`,
                      },
                    ],
                  },
                  {
                    group: 'One endpoint',
                    items: here
                      .filter((item) => item.endpoint.name !== record.environmentName)
                      .map((item) => ({
                        value: item.endpoint.name,
                        label: `${item.endpoint.name}${item.status?.reachable === false ? ' (unreachable)' : ''}`,
                      })),
                  },
                ]
          }
        />
        {here.length === 0 && endpoints.data !== undefined ? (
          <p className="dim" style={{ margin: '8px 0 0' }}>
            Add an endpoint of {record.environmentName} first, in Endpoints.
          </p>
        ) : null}
      </Ask>
    </>
  );
}
