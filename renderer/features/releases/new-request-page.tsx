import { PasswordInput, Select, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import { notifyDone, useAction } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { GatesTable } from '../../ui/evidence.tsx';
import { formatDuration, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Callout, Facts, Page, Panel } from '../../ui/page.tsx';
import { VersionSelect } from '../../ui/pickers.tsx';
import { Problem } from '../../ui/problem.tsx';
import { PlanForm, planInput, planProblem, STARTING_PLAN } from './plan-form.tsx';

/** Freezes a version, its evidence and a plan for one environment; the submitter signs it too. */
export function NewRequestPage(): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const { state } = useLocation();
  const [ref, setRef] = useState<VersionRef | null>((state as { ref?: VersionRef } | null)?.ref ?? null);
  const [environmentId, setEnvironmentId] = useState<string | null>(null);
  const [plan, setPlan] = useState(STARTING_PLAN);
  const [passphrase, setPassphrase] = useState('');
  const environments = useCall('environments.list', {});
  const reports = useCall('validation.list', { ref }, { enabled: ref !== null });
  const submit = useAction('requests.submit', { notifyProblem: false });

  const environment =
    environments.data?.find((item) => item.id === (environmentId ?? environments.data[0]?.id)) ?? null;
  const report =
    ref === null ? null : (reports.data?.find((item) => item.environmentId === environment?.id) ?? null);
  const refusal =
    roleRefusal(operator.roles, 'request.submit') ??
    (ref === null
      ? 'Choose a version.'
      : environment === null
        ? 'There is no environment yet: an administrator adds one in Settings.'
        : null) ??
    planProblem(plan) ??
    (passphrase === '' ? 'Your signing key needs its passphrase.' : null);

  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (refusal !== null || ref === null || environment === null) return;
    submit
      .mutateAsync({ ...ref, environmentId: environment.id, passphrase, plan: planInput(plan) })
      .then(async (view) => {
        notifyDone(`${formatRef(ref)} waits for ${plural(view.record.quorum, 'approval')}.`);
        await navigate(`/releases/${view.record.id}`, { replace: true });
      })
      .catch(() => setPassphrase(''));
  };

  return (
    <Page title="New release request" parent={{ to: '/releases', label: 'Releases' }}>
      <form onSubmit={send}>
        <div
          style={{
            display: 'grid',
            gridTemplateColumns: 'minmax(0, 3fr) minmax(300px, 2fr)',
            gap: 14,
            alignItems: 'start',
          }}
        >
          <Stack gap={14}>
            <Panel title="What, and where to">
              <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
                <VersionSelect
                  label="Version"
                  value={ref}
                  onChange={setRef}
                  only={(row) => row.state === 'validated'}
                />
                <Select
                  label="Environment"
                  data={(environments.data ?? []).map((item) => ({ value: item.id, label: item.name }))}
                  value={environment?.id ?? null}
                  onChange={setEnvironmentId}
                  allowDeselect={false}
                  placeholder="No environment"
                />
              </div>
            </Panel>
            <Panel
              title="Evidence"
              note={report === null ? '' : `newest validation against ${environment?.name}`}
              flush
            >
              {report === null ? (
                <div style={{ padding: 14 }}>
                  <Callout tone={ref === null ? 'plain' : 'warn'}>
                    {ref === null
                      ? 'Choose a version to see the evidence it would go with.'
                      : `${formatRef(ref)} has not been validated against ${environment?.name ?? 'this environment'} yet. Do that first: its gates decide.`}
                  </Callout>
                </div>
              ) : (
                <GatesTable gates={report.gates} />
              )}
            </Panel>
            <Panel title="Plan">
              <PlanForm value={plan} onChange={setPlan} />
            </Panel>
          </Stack>
          <Stack gap={14}>
            <Panel title="What happens">
              <Facts
                items={[
                  [
                    'Approvals',
                    environment === null
                      ? '–'
                      : `${plural(environment.policy.quorum.approvals, 'person', 'distinct people')}, not you`,
                  ],
                  [
                    'Valid for',
                    environment === null ? '–' : formatDuration(environment.policy.requestHours * 3_600_000),
                  ],
                  ['Frozen', 'model, request, plan, policy, dossier'],
                ]}
              />
              <p className="dim" style={{ margin: '12px 0 0' }}>
                The files are hashed and signed together. Nothing in them can change afterwards: another plan
                is another request.
              </p>
            </Panel>
            <Panel title="Sign and submit">
              <Stack gap="sm">
                <PasswordInput
                  label={`Passphrase of ${operator.name}`}
                  value={passphrase}
                  onChange={(event) => setPassphrase(event.currentTarget.value)}
                  autoComplete="off"
                />
                {submit.isError ? <Problem error={submit.error} /> : null}
                <GuardedButton
                  type="submit"
                  refusal={refusal}
                  loading={submit.isPending}
                  onClick={() => undefined}
                >
                  Sign and submit
                </GuardedButton>
              </Stack>
            </Panel>
          </Stack>
        </div>
      </form>
    </Page>
  );
}
