import { Button, Group, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import { useJob } from '../../api/jobs.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Page, Panel } from '../../ui/page.tsx';
import { FilePicker, VersionSelect } from '../../ui/pickers.tsx';
import { Problem } from '../../ui/problem.tsx';
import { useDataChoice } from '../evidence/data-choice.ts';
import { DataFields } from '../evidence/data-fields.tsx';
import { UnfinishedRuns } from '../evidence/unfinished-runs.tsx';
import { ComparisonHistory } from './history.tsx';

/** Versions one run compares: what the contract takes. */
const MOST = 8;

export function ComparePage(): ReactNode {
  return (
    <Page title="Compare">
      <UnfinishedRuns kind="comparison" />
      <RunForm />
      <h2 style={{ fontWeight: 600, fontSize: 'inherit', margin: '18px 0 8px' }}>Comparisons</h2>
      <ComparisonHistory />
    </Page>
  );
}

function RunForm(): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const { state } = useLocation();
  const dropped = (state as { dataset?: string } | null)?.dataset ?? null;
  const champions = useCall('models.list', { text: 'alias:champion', limit: 1000, offset: 0 });
  const [champion, setChampion] = useState<VersionRef | null>(null);
  const [challenger, setChallenger] = useState<VersionRef | null>(null);
  const [others, setOthers] = useState<readonly (VersionRef | null)[]>([]);
  const data = useDataChoice(challenger, dropped);
  const job = useJob('comparison.run');

  // The champion of the chosen challenger's name stands against it unless somebody chose another.
  const chooseChallenger = (ref: VersionRef | null): void => {
    setChallenger(ref);
    if (champion !== null || ref === null) return;
    const current = champions.data?.rows.find(
      (row) => row.name === ref.name && row.aliases.includes('champion') && row.version !== ref.version,
    );
    if (current !== undefined) setChampion({ name: current.name, version: current.version });
  };
  const further = others.filter((ref) => ref !== null);
  const versions = champion === null || challenger === null ? [] : [champion, challenger, ...further];
  const twice = new Set(versions.map(formatRef)).size < versions.length;
  const refusal =
    roleRefusal(operator.roles, 'comparison.run') ??
    (challenger === null
      ? 'Choose the challenger.'
      : champion === null
        ? 'Choose the champion.'
        : twice
          ? 'Choose different versions.'
          : data.refusal);

  const run = async (): Promise<void> => {
    if (versions.length < 2 || data.selection === null) return;
    const report = await job.run({ versions, data: data.selection });
    if (report !== null) await navigate(`/compare/${report.id}`);
  };

  return (
    <Panel>
      <Stack gap="sm">
        <div
          style={{
            display: 'grid',
            gridTemplateColumns: 'minmax(180px, 1fr) minmax(180px, 1fr) minmax(240px, 1.4fr)',
            gap: 14,
            alignItems: 'end',
          }}
        >
          <VersionSelect label="Challenger" value={challenger} onChange={chooseChallenger} />
          <VersionSelect label="Champion" value={champion} onChange={setChampion} />
          <FilePicker
            label="Data"
            kind="dataset"
            path={data.draft.path}
            onPick={(path) => {
              if (path === data.draft.path) void data.inspection.refetch();
              data.change({ path });
            }}
            hint="Labelled data or replayed traffic: drop it here"
          />
          {others.map((ref, index) => (
            <VersionSelect
              // biome-ignore lint/suspicious/noArrayIndexKey: a place in the list has no identity of its own
              key={index}
              label={`Also version ${index + 3}`}
              value={ref}
              onChange={(next) => setOthers(others.map((other, at) => (at === index ? next : other)))}
            />
          ))}
        </div>
        <DataFields choice={data} timed />
        {job.problem === null ? null : <Problem error={job.problem} />}
        {job.running ? (
          <JobProgressBar label="Comparing" progress={job.progress} onCancel={job.cancel} unit="rows" />
        ) : (
          <Group justify="space-between">
            <Group gap="xs">
              <Button
                variant="subtle"
                color="gray"
                leftSection={<IconPlus size={14} />}
                disabled={others.length >= MOST - 2}
                onClick={() => setOthers([...others, null])}
              >
                Another version
              </Button>
              {others.length === 0 ? null : (
                <Button variant="subtle" color="gray" onClick={() => setOthers(others.slice(0, -1))}>
                  One fewer
                </Button>
              )}
            </Group>
            <GuardedButton refusal={refusal} onClick={() => void run()}>
              Compare
            </GuardedButton>
          </Group>
        )}
      </Stack>
    </Panel>
  );
}
