import { IconArrowsShuffle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { RobustnessResult } from '../../../shared/domain/evidence/robustness.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount, formatDelta, formatMetric, formatShare } from '../../ui/format.ts';
import { Empty } from '../../ui/page.tsx';
import { Truncated } from '../../ui/text.tsx';

/** A smaller change says nothing and stays grey. */
const NOTABLE = 0.01;

/** A figure under damage and how far it fell; red where that is for the worse. */
function After({
  value,
  delta,
  worse,
}: {
  readonly value: number | null;
  readonly delta: number | null;
  readonly worse: 'down' | 'up';
}): ReactNode {
  const bad = delta !== null && (worse === 'down' ? delta <= -NOTABLE : delta >= NOTABLE);
  return (
    <span className="num" style={{ whiteSpace: 'nowrap' }}>
      {formatMetric(value)}{' '}
      <span style={{ color: bad ? 'var(--sp-bad)' : 'var(--sp-dim)' }}>{formatDelta(delta, 3)}</span>
    </span>
  );
}

const COLUMNS: readonly Column<RobustnessResult>[] = [
  {
    id: 'what',
    header: 'What was done',
    width: 'minmax(170px, 3fr)',
    sortBy: (result) => result.description,
    cell: (result) => <Truncated>{result.description}</Truncated>,
  },
  {
    id: 'feature',
    header: 'To',
    width: 'minmax(90px, 1fr)',
    sortBy: (result) => result.feature ?? '',
    cell: (result) =>
      result.feature === null ? (
        <span className="dim">all features</span>
      ) : (
        <Truncated mono>{result.feature}</Truncated>
      ),
  },
  {
    id: 'recall',
    header: 'Detection',
    width: '112px',
    align: 'right',
    sortBy: (result) => result.recallDelta,
    cell: (result) => <After value={result.recall} delta={result.recallDelta} worse="down" />,
  },
  {
    id: 'fpr',
    header: 'False alarms',
    width: '112px',
    align: 'right',
    sortBy: (result) => result.falsePositiveDelta,
    cell: (result) => <After value={result.falsePositiveRate} delta={result.falsePositiveDelta} worse="up" />,
  },
  {
    id: 'auc',
    header: 'ROC AUC',
    width: '112px',
    align: 'right',
    sortBy: (result) => result.rocAucDelta,
    cell: (result) => <After value={result.rocAuc} delta={result.rocAucDelta} worse="down" />,
  },
  {
    id: 'flips',
    header: 'Flipped',
    width: '72px',
    align: 'right',
    sortBy: (result) => result.flipRate,
    cell: (result) => formatShare(result.flipRate),
  },
  {
    id: 'failures',
    header: 'Refused',
    width: '60px',
    align: 'right',
    sortBy: (result) => result.failures,
    cell: (result) => formatCount(result.failures),
  },
  {
    id: 'id',
    header: 'Gate names it',
    width: 'minmax(100px, 1fr)',
    sortBy: (result) => result.id,
    cell: (result) => (
      <Truncated mono title={result.id}>
        {result.id}
      </Truncated>
    ),
  },
];

/** What small damage to the input does to detection and false alarms, the worst first. */
export function RobustnessTab({ results }: { readonly results: readonly RobustnessResult[] }): ReactNode {
  if (results.length === 0) {
    return (
      <Empty icon={IconArrowsShuffle} title="Robustness was not measured">
        Switch it on when you run the validation: features are then disturbed one way at a time, and you see
        what that does to detection and false alarms.
      </Empty>
    );
  }
  const harm = (result: RobustnessResult): number =>
    Math.max(-(result.recallDelta ?? 0), result.falsePositiveDelta ?? 0);
  const rows = [...results].sort((a, b) => harm(b) - harm(a) || b.flipRate - a.flipRate);
  return (
    <>
      <div className="dim" style={{ marginBottom: 10 }}>
        {`Measured on ${formatCount(rows[0]?.rows ?? 0)} rows of the data, the worst first. The change is against the undisturbed rows.`}
      </div>
      <DataTable
        label="Robustness"
        columns={COLUMNS}
        rows={rows}
        rowKey={(result) => result.id}
        height={Math.min(620, 72 + rows.length * 36)}
        empty={null}
      />
    </>
  );
}
