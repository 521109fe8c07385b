import { IconArrowsDiff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import type { Column } from '../../ui/data-table.tsx';
import { formatCount } from '../../ui/format.ts';
import { Loaded } from '../../ui/loaded.tsx';
import { Empty } from '../../ui/page.tsx';
import { RunHistory } from '../../ui/run-history.tsx';
import { Truncated } from '../../ui/text.tsx';

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
];

/** Earlier comparisons. */
export function ComparisonHistory(): ReactNode {
  const navigate = useNavigate();
  const history = useCall('comparison.list', { ref: null });
  return (
    <Loaded query={history}>
      {(reports) => (
        <RunHistory
          label="Comparisons"
          columns={HISTORY}
          runs={reports}
          onOpen={(report) => void navigate(`/compare/${report.id}`)}
          empty={
            <Empty icon={IconArrowsDiff} title="No comparisons yet">
              Two or more versions answer the same rows. You see by how much each metric moves, and the very
              rows on which they differ.
            </Empty>
          }
        />
      )}
    </Loaded>
  );
}
