import { Button } from '@mantine/core';
import { IconRoute } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import type { RolloutView } from '../../../shared/domain/view/views.ts';
import { useCall } from '../../api/queries.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Empty, Page } from '../../ui/page.tsx';
import { PhaseStatus } from '../../ui/status.tsx';
import { Ago, Truncated } from '../../ui/text.tsx';

const COLUMNS: readonly Column<RolloutView>[] = [
  {
    id: 'version',
    header: 'Version',
    width: 'minmax(160px, 1.6fr)',
    sortBy: ({ state }) => `${state.name}@${state.version}`,
    cell: ({ state }) => (
      <strong style={{ fontWeight: 500 }}>
        <Truncated>{`${state.name}@${state.version}`}</Truncated>
      </strong>
    ),
  },
  {
    id: 'target',
    header: 'Target',
    width: 'minmax(100px, 1fr)',
    sortBy: ({ state }) => state.target,
    cell: ({ state }) => <Truncated>{state.target}</Truncated>,
  },
  {
    id: 'phase',
    header: 'Phase',
    width: '112px',
    sortBy: ({ state }) => state.phase,
    cell: ({ state }) => <PhaseStatus phase={state.phase} reason={state.reason} />,
  },
  {
    id: 'step',
    header: 'Traffic',
    width: '64px',
    align: 'right',
    sortBy: ({ state }) => state.plan.steps[state.step] ?? 0,
    cell: ({ state }) =>
      state.phase === 'completed'
        ? '100 %'
        : state.phase === 'rolled-back' || state.phase === 'failed'
          ? '0 %'
          : `${state.plan.steps[state.step] ?? 0} %`,
  },
  {
    id: 'disagreement',
    header: 'Disagreement',
    width: 'minmax(110px, 1fr)',
    cell: ({ state, points }) =>
      points.length < 2 ? (
        <span className="dim">–</span>
      ) : (
        <Sparkline
          label="Disagreement over time"
          values={points.slice(-80).map((point) => point.disagreement)}
          limit={state.plan.guards.maxDisagreement}
          height={24}
        />
      ),
  },
  {
    id: 'reason',
    header: 'Reason',
    width: 'minmax(160px, 2.4fr)',
    cell: ({ state }) => <Truncated>{state.reason}</Truncated>,
  },
  {
    id: 'by',
    header: 'Started by',
    width: '92px',
    sortBy: ({ state }) => state.startedBy,
    cell: ({ state }) => <Truncated>{state.startedBy}</Truncated>,
  },
  {
    id: 'when',
    header: 'Started',
    width: '84px',
    align: 'right',
    sortBy: ({ state }) => Date.parse(state.startedAt),
    cell: ({ state }) => <Ago at={state.startedAt} />,
  },
];

export function RolloutsPage(): ReactNode {
  const navigate = useNavigate();
  const query = useCall('rollouts.list', {});
  return (
    <Page
      fill
      title="Rollouts"
      note="A rollout moves by verdicts over measured traffic, and stops itself when a guard breaks."
    >
      <Loaded query={query} skeleton={<Bars rows={8} height={30} />}>
        {(rollouts) => (
          <DataTable
            label="Rollouts"
            columns={COLUMNS}
            rows={rollouts}
            rowKey={(view) => view.state.id}
            onOpen={(view) => void navigate(`/rollouts/${view.state.id}`)}
            empty={
              <Empty
                icon={IconRoute}
                title="Nothing has been rolled out"
                action={
                  <Button variant="default" onClick={() => void navigate('/releases')}>
                    Go to Releases
                  </Button>
                }
              >
                Once a request has its quorum, its page offers Deploy. The signed plan then runs here, step by
                step.
              </Empty>
            }
          />
        )}
      </Loaded>
    </Page>
  );
}
