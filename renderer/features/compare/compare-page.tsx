import { Group, Stack, TextInput } from '@mantine/core';
import { IconArrowsDiff } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import { useJob } from '../../api/jobs.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Empty, Page, Panel } from '../../ui/page.tsx';
import { FilePicker, VersionSelect } from '../../ui/pickers.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Ago, Truncated } from '../../ui/text.tsx';

const HISTORY: readonly Column<ComparisonReport>[] = [
  {
    id: 'champion',
    header: 'Champion',
    width: 'minmax(140px, 1.3fr)',
    sortBy: (report) => formatRef(report.champion),
    cell: (report) => <Truncated>{formatRef(report.champion)}</Truncated>,
  },
  {
    id: 'challenger',
    header: 'Challenger',
    width: 'minmax(140px, 1.3fr)',
    sortBy: (report) => formatRef(report.challenger),
    cell: (report) => <Truncated>{formatRef(report.challenger)}</Truncated>,
  },
  {
    id: 'dataset',
    header: 'Dataset',
    width: 'minmax(110px, 1.2fr)',
    sortBy: (report) => report.dataset.fileName,
    cell: (report) => <Truncated>{report.dataset.fileName}</Truncated>,
  },
  {
    id: 'rows',
    header: 'Rows',
    width: '84px',
    align: 'right',
    sortBy: (report) => report.dataset.rows,
    cell: (report) => formatCount(report.dataset.rows),
  },
  {
    id: 'disagreements',
    header: 'Disagree',
    width: '76px',
    align: 'right',
    sortBy: (report) => report.disagreements,
    cell: (report) => formatCount(report.disagreements),
  },
  {
    id: 'fixes',
    header: 'Fixes',
    width: '64px',
    align: 'right',
    sortBy: (report) => report.challengerFixes,
    cell: (report) => <span style={{ color: 'var(--sp-ok)' }}>{formatCount(report.challengerFixes)}</span>,
  },
  {
    id: 'breaks',
    header: 'Breaks',
    width: '64px',
    align: 'right',
    sortBy: (report) => report.challengerBreaks,
    cell: (report) => <span style={{ color: 'var(--sp-bad)' }}>{formatCount(report.challengerBreaks)}</span>,
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

export function ComparePage(): ReactNode {
  const navigate = useNavigate();
  const history = useCall('comparison.list', { ref: null });
  return (
    <Page fill title="Compare">
      <RunForm />
      <div style={{ fontWeight: 600, margin: '18px 0 8px' }}>Comparisons</div>
      <Loaded query={history}>
        {(reports) => (
          <DataTable
            label="Comparisons"
            columns={HISTORY}
            rows={reports}
            rowKey={(report) => report.id}
            onOpen={(report) => void navigate(`/compare/${report.id}`)}
            empty={
              <Empty icon={IconArrowsDiff} title="No comparisons yet">
                Two versions answer the same labelled rows. You see by how much each metric moves, and the
                very rows on which they differ.
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
  const dropped = (state as { dataset?: string } | null)?.dataset;
  const models = useCall('models.list', { text: '', limit: 1000, offset: 0 });
  const [champion, setChampion] = useState<VersionRef | null>(null);
  const [challenger, setChallenger] = useState<VersionRef | null>(null);
  const [dataset, setDataset] = useState<string | null>(dropped ?? null);
  const [label, setLabel] = useState('');
  const job = useJob('comparison.run');

  useEffect(() => {
    if (dropped !== undefined) setDataset(dropped);
  }, [dropped]);

  // The champion of the chosen challenger's name stands against it unless somebody chose another.
  const chooseChallenger = (ref: VersionRef | null): void => {
    setChallenger(ref);
    if (champion !== null || ref === null) return;
    const current = models.data?.rows.find(
      (row) => row.name === ref.name && row.aliases.includes('champion') && row.version !== ref.version,
    );
    if (current !== undefined) setChampion({ name: current.name, version: current.version });
  };
  const same = champion !== null && challenger !== null && formatRef(champion) === formatRef(challenger);
  const refusal =
    roleRefusal(operator.roles, 'comparison.run') ??
    (challenger === null
      ? 'Choose the challenger.'
      : champion === null
        ? 'Choose the champion.'
        : same
          ? 'Choose two different versions.'
          : dataset === null
            ? 'Choose a dataset, or drop one on the window.'
            : null);

  const run = async (): Promise<void> => {
    if (champion === null || challenger === null || dataset === null) return;
    const report = await job.run({
      versions: [champion, challenger],
      data: labelledFile(dataset, label.trim() === '' ? null : label.trim()),
    });
    if (report !== null) await navigate(`/compare/${report.id}`);
  };

  return (
    <Panel>
      <Stack gap="sm">
        <div
          style={{
            display: 'grid',
            gridTemplateColumns:
              'minmax(180px, 1.3fr) minmax(180px, 1.3fr) minmax(220px, 1.5fr) minmax(100px, 0.7fr)',
            gap: 14,
            alignItems: 'end',
          }}
        >
          <VersionSelect label="Challenger" value={challenger} onChange={chooseChallenger} />
          <VersionSelect label="Champion" value={champion} onChange={setChampion} />
          <FilePicker
            label="Labelled dataset"
            kind="dataset"
            path={dataset}
            onPick={setDataset}
            hint="Drop it here"
          />
          <TextInput
            label="Label column"
            placeholder="label"
            value={label}
            onChange={(event) => setLabel(event.currentTarget.value)}
            spellCheck={false}
          />
        </div>
        {job.problem === null ? null : <Problem error={job.problem} />}
        {job.running ? (
          <JobProgressBar label="Comparing" progress={job.progress} onCancel={job.cancel} unit="rows" />
        ) : (
          <Group justify="flex-end">
            <GuardedButton refusal={refusal} onClick={() => void run()}>
              Compare
            </GuardedButton>
          </Group>
        )}
      </Stack>
    </Panel>
  );
}
