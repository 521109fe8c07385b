import { Group, SegmentedControl, Select, Stack, Switch } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import type { VersionRef } from '../../../shared/domain/model/version.ts';
import type { Environment, Policy } from '../../../shared/domain/policy/policy.ts';
import { useJob } from '../../api/jobs.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Page, Panel } from '../../ui/page.tsx';
import { FilePicker, VersionSelect } from '../../ui/pickers.tsx';
import { PolicyForm } from '../../ui/policy-form.tsx';
import { STARTING_POLICY } from '../../ui/policy-text.ts';
import { Problem } from '../../ui/problem.tsx';
import { useDataChoice } from '../evidence/data-choice.ts';
import { DataFields } from '../evidence/data-fields.tsx';
import { UnfinishedRuns } from '../evidence/unfinished-runs.tsx';
import { ValidationHistory } from './history.tsx';

interface Arrival {
  readonly ref?: VersionRef;
  readonly dataset?: string;
}

export function ValidatePage(): ReactNode {
  return (
    <Page title="Validate">
      <UnfinishedRuns kind="validation" />
      <RunForm />
      <h2 style={{ fontWeight: 600, fontSize: 'inherit', margin: '18px 0 8px' }}>Reports</h2>
      <ValidationHistory />
    </Page>
  );
}

type Against = 'environment' | 'what-if' | 'none';

function RunForm(): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const { state } = useLocation();
  const arrival = (state as Arrival | null) ?? {};
  const environments = useCall('environments.list', {});
  const [ref, setRef] = useState<VersionRef | null>(arrival.ref ?? null);
  const data = useDataChoice(ref, arrival.dataset ?? null);
  const [against, setAgainst] = useState<Against>('environment');
  const [environmentId, setEnvironmentId] = useState<string | null>(null);
  const [policy, setPolicy] = useState<Policy>(STARTING_POLICY);
  const [policyValid, setPolicyValid] = useState(true);
  const [robustness, setRobustness] = useState(false);
  const [drift, setDrift] = useState(false);
  const [reference, setReference] = useState<VersionRef | null>(null);
  const job = useJob('validation.run');

  useEffect(() => {
    if (arrival.ref !== undefined) setRef(arrival.ref);
  }, [arrival.ref]);

  const chosenEnvironment = environmentId ?? environments.data?.[0]?.id ?? null;
  const refusal =
    roleRefusal(operator.roles, 'validation.run') ??
    (ref === null ? 'Choose a version.' : data.refusal) ??
    (against === 'environment' && chosenEnvironment === null
      ? 'There is no environment yet: an administrator adds one in Settings.'
      : null) ??
    (against === 'what-if' && !policyValid ? 'The policy has a mistake.' : null) ??
    (drift && reference === null ? 'Choose the version whose data drift is measured against.' : null);

  const run = async (): Promise<void> => {
    if (ref === null || data.selection === null) return;
    const report = await job.run({
      name: ref.name,
      version: ref.version,
      data: data.selection,
      environmentId: against === 'environment' ? chosenEnvironment : null,
      policy: against === 'what-if' ? policy : null,
      robustness,
      driftAgainst: drift ? reference : null,
    });
    if (report !== null) await navigate(`/validate/${report.id}`);
  };

  return (
    <Panel>
      <Stack gap="sm">
        <div
          style={{
            display: 'grid',
            gridTemplateColumns: 'minmax(220px, 1fr) minmax(260px, 1.4fr)',
            gap: 14,
            alignItems: 'end',
          }}
        >
          <VersionSelect label="Version" value={ref} onChange={setRef} />
          <FilePicker
            label="Data"
            kind="dataset"
            path={data.draft.path}
            onPick={(path) => {
              if (path === data.draft.path) void data.inspection.refetch();
              data.change({ path });
            }}
            hint="CSV, JSON lines, Parquet or NPY: drop it here"
          />
        </div>
        <DataFields choice={data} />
        <Group align="flex-end" gap={14}>
          <AgainstFields
            against={against}
            onAgainst={setAgainst}
            environments={environments.data ?? []}
            environmentId={chosenEnvironment}
            onEnvironment={setEnvironmentId}
          />
        </Group>
        <Group align="center" gap={20} mih={30}>
          <Switch
            label="Measure robustness"
            checked={robustness}
            onChange={(event) => setRobustness(event.currentTarget.checked)}
          />
          <Switch
            label="Measure drift against"
            checked={drift}
            onChange={(event) => setDrift(event.currentTarget.checked)}
          />
          {drift ? (
            <div style={{ width: 260 }}>
              <VersionSelect
                label="Version whose data drift is measured against"
                hideLabel
                value={reference}
                onChange={setReference}
              />
            </div>
          ) : (
            <span className="dim">the data of an earlier validation</span>
          )}
          {against === 'what-if' || job.running ? null : (
            <div style={{ marginLeft: 'auto' }}>
              <GuardedButton refusal={refusal} onClick={() => void run()}>
                Run the validation
              </GuardedButton>
            </div>
          )}
        </Group>
        {against === 'what-if' ? (
          <PolicyForm
            value={policy}
            onChange={(next) => {
              setPolicyValid(next !== null);
              if (next !== null) setPolicy(next);
            }}
          />
        ) : null}
        {job.problem === null ? null : <Problem error={job.problem} />}
        {job.running ? (
          <JobProgressBar label="Validating" progress={job.progress} onCancel={job.cancel} unit="rows" />
        ) : against === 'what-if' ? (
          <Group justify="flex-end">
            <GuardedButton refusal={refusal} onClick={() => void run()}>
              Run the validation
            </GuardedButton>
          </Group>
        ) : null}
      </Stack>
    </Panel>
  );
}

/** What the figures are held against: an environment's gates, a policy tried out, or nothing. */
function AgainstFields({
  against,
  onAgainst,
  environments,
  environmentId,
  onEnvironment,
}: {
  readonly against: Against;
  readonly onAgainst: (against: Against) => void;
  readonly environments: readonly Environment[];
  readonly environmentId: string | null;
  readonly onEnvironment: (id: string | null) => void;
}): ReactNode {
  return (
    <>
      <div style={{ width: 300 }}>
        <div style={{ fontSize: '0.78125rem', fontWeight: 500, marginBottom: 4 }} id="against">
          Held against
        </div>
        <SegmentedControl
          fullWidth
          aria-labelledby="against"
          data={[
            { value: 'environment', label: 'Environment' },
            { value: 'what-if', label: 'What if' },
            { value: 'none', label: 'Nothing' },
          ]}
          value={against}
          onChange={onAgainst}
        />
      </div>
      {against === 'environment' ? (
        <Select
          label="Environment"
          w={260}
          data={environments.map((environment) => ({
            value: environment.id,
            label: `${environment.name}: ${plural(environment.policy.gates.length, 'gate')}`,
          }))}
          value={environmentId}
          onChange={onEnvironment}
          allowDeselect={false}
          placeholder="No environment"
        />
      ) : (
        <span className="dim" style={{ lineHeight: '30px' }}>
          {against === 'what-if'
            ? 'A what-if changes no state and counts for no release.'
            : 'Measured without gates: no pass, no fail.'}
        </span>
      )}
    </>
  );
}
