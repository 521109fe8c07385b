import { Group, SegmentedControl, Select, Stack, TextInput } from '@mantine/core';
import { IconChecklist } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import type { ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import type { Policy } from '../../../shared/domain/policy/policy.ts';
import { useJob } from '../../api/jobs.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount, formatMetric, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Empty, Page, Panel } from '../../ui/page.tsx';
import { FilePicker, VersionSelect } from '../../ui/pickers.tsx';
import { PolicyForm } from '../../ui/policy-form.tsx';
import { STARTING_POLICY } from '../../ui/policy-text.ts';
import { Problem } from '../../ui/problem.tsx';
import { PassStatus } from '../../ui/status.tsx';
import { Ago, Truncated } from '../../ui/text.tsx';

const HISTORY: readonly Column<ValidationReport>[] = [
  {
    id: 'version',
    header: 'Version',
    width: 'minmax(150px, 1.6fr)',
    sortBy: (report) => formatRef(report.ref),
    cell: (report) => <Truncated>{formatRef(report.ref)}</Truncated>,
  },
  {
    id: 'dataset',
    header: 'Dataset',
    width: 'minmax(120px, 1.4fr)',
    sortBy: (report) => report.dataset.fileName,
    cell: (report) => <Truncated>{report.dataset.fileName}</Truncated>,
  },
  {
    id: 'environment',
    header: 'Against',
    width: 'minmax(90px, 1fr)',
    sortBy: (report) => report.environmentName,
    cell: (report) => report.environmentName ?? <span className="dim">what-if</span>,
  },
  {
    id: 'gates',
    header: 'Gates',
    width: '88px',
    sortBy: (report) => (report.gates.length === 0 ? null : Number(report.passed)),
    cell: (report) =>
      report.gates.length === 0 ? <span className="dim">none</span> : <PassStatus passed={report.passed} />,
  },
  {
    id: 'rows',
    header: 'Rows',
    width: '84px',
    align: 'right',
    sortBy: (report) => report.metrics.rows,
    cell: (report) => formatCount(report.metrics.rows),
  },
  {
    id: 'auc',
    header: 'ROC AUC',
    width: '72px',
    align: 'right',
    sortBy: (report) => report.metrics.roc_auc,
    cell: (report) => formatMetric(report.metrics.roc_auc),
  },
  {
    id: 'f1',
    header: 'F1',
    width: '64px',
    align: 'right',
    sortBy: (report) => report.metrics.f1,
    cell: (report) => formatMetric(report.metrics.f1),
  },
  { id: 'by', header: 'By', width: '90px', sortBy: (report) => report.runBy, cell: (report) => report.runBy },
  {
    id: 'when',
    header: 'When',
    width: '84px',
    align: 'right',
    sortBy: (report) => Date.parse(report.createdAt),
    cell: (report) => <Ago at={report.createdAt} />,
  },
];

interface Arrival {
  readonly ref?: VersionRef;
  readonly dataset?: string;
}

export function ValidatePage(): ReactNode {
  const navigate = useNavigate();
  const history = useCall('validation.list', { ref: null });
  return (
    <Page fill title="Validate">
      <RunForm />
      <div style={{ fontWeight: 600, margin: '18px 0 8px' }}>Reports</div>
      <Loaded query={history}>
        {(reports) => (
          <DataTable
            label="Validation reports"
            columns={HISTORY}
            rows={reports}
            rowKey={(report) => report.id}
            onOpen={(report) => void navigate(`/validate/${report.id}`)}
            empty={
              <Empty icon={IconChecklist} title="No reports yet">
                Choose a version and labelled data above. Rows are streamed through the model in a process of
                its own; millions of rows need no more memory than a thousand.
              </Empty>
            }
          />
        )}
      </Loaded>
    </Page>
  );
}

function RunForm(): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const { state } = useLocation();
  const arrival = (state as Arrival | null) ?? {};
  const environments = useCall('environments.list', {});
  const [ref, setRef] = useState<VersionRef | null>(arrival.ref ?? null);
  const [dataset, setDataset] = useState<string | null>(arrival.dataset ?? null);
  const [label, setLabel] = useState('');
  const [against, setAgainst] = useState<'environment' | 'what-if' | 'none'>('environment');
  const [environmentId, setEnvironmentId] = useState<string | null>(null);
  const [policy, setPolicy] = useState<Policy>(STARTING_POLICY);
  const [policyValid, setPolicyValid] = useState(true);
  const job = useJob('validation.run');

  useEffect(() => {
    if (arrival.dataset !== undefined) setDataset(arrival.dataset);
    if (arrival.ref !== undefined) setRef(arrival.ref);
  }, [arrival.dataset, arrival.ref]);

  const chosenEnvironment = environmentId ?? environments.data?.[0]?.id ?? null;
  const refusal =
    roleRefusal(operator.roles, 'validation.run') ??
    (ref === null
      ? 'Choose a version.'
      : dataset === null
        ? 'Choose a dataset, or drop one on the window.'
        : null) ??
    (against === 'environment' && chosenEnvironment === null
      ? 'There is no environment yet: an administrator adds one in Settings.'
      : null) ??
    (against === 'what-if' && !policyValid ? 'The policy has a mistake.' : null);

  const run = async (): Promise<void> => {
    if (ref === null || dataset === null) return;
    const report = await job.run({
      ...ref,
      data: labelledFile(dataset, label.trim() === '' ? null : label.trim()),
      environmentId: against === 'environment' ? chosenEnvironment : null,
      policy: against === 'what-if' ? policy : null,
      robustness: false,
      driftAgainst: null,
    });
    if (report !== null) await navigate(`/validate/${report.id}`);
  };

  const start = (
    <GuardedButton refusal={refusal} onClick={() => void run()}>
      Run the validation
    </GuardedButton>
  );
  return (
    <Panel>
      <Stack gap="sm">
        <div
          style={{
            display: 'grid',
            gridTemplateColumns: 'minmax(200px, 1.4fr) minmax(220px, 1.6fr) minmax(110px, 0.8fr)',
            gap: 14,
            alignItems: 'end',
          }}
        >
          <VersionSelect label="Version" value={ref} onChange={setRef} />
          <FilePicker
            label="Labelled dataset"
            kind="dataset"
            path={dataset}
            onPick={setDataset}
            hint="CSV, JSON lines or Parquet: drop it here"
          />
          <TextInput
            label="Label column"
            placeholder="label"
            value={label}
            onChange={(event) => setLabel(event.currentTarget.value)}
            spellCheck={false}
          />
        </div>
        <Group align="flex-end" gap={14}>
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
              onChange={(value) =>
                setAgainst(value === 'what-if' ? 'what-if' : value === 'none' ? 'none' : 'environment')
              }
            />
          </div>
          {against === 'environment' ? (
            <Select
              label="Environment"
              w={260}
              data={(environments.data ?? []).map((environment) => ({
                value: environment.id,
                label: `${environment.name}: ${plural(environment.policy.gates.length, 'gate')}`,
              }))}
              value={chosenEnvironment}
              onChange={setEnvironmentId}
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
          {against === 'what-if' || job.running ? null : <div style={{ marginLeft: 'auto' }}>{start}</div>}
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
          <Group justify="flex-end">{start}</Group>
        ) : null}
      </Stack>
    </Panel>
  );
}
