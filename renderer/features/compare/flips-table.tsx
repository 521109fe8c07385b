import { type ReactNode, useMemo } from 'react';
import { useNavigate } from 'react-router';
import type { SliceFlip } from '../../../shared/domain/evidence/slices.ts';
import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount, formatDelta } from '../../ui/format.ts';
import { chanceText } from '../../ui/significance.ts';
import { Truncated } from '../../ui/text.tsx';
import { rowsPath } from '../evidence/rows-choice.ts';
import { flipsByChange } from './comparison-words.ts';

const COLUMNS: readonly Column<SliceFlip>[] = [
  {
    id: 'slice',
    header: 'Slice',
    width: 'minmax(180px, 2fr)',
    sortBy: (flip) => `${flip.column} = ${flip.value}`,
    cell: (flip) => <Truncated>{`${flip.column} = ${flip.value}`}</Truncated>,
  },
  {
    id: 'rows',
    header: 'n',
    width: '80px',
    align: 'right',
    sortBy: (flip) => flip.rows,
    cell: (flip) => formatCount(flip.rows),
  },
  {
    id: 'fixed',
    header: 'Fixed',
    width: '72px',
    align: 'right',
    sortBy: (flip) => flip.fixed,
    cell: (flip) => (
      <span style={{ color: flip.fixed > 0 ? 'var(--sp-ok)' : 'var(--sp-dim)' }}>
        {formatCount(flip.fixed)}
      </span>
    ),
  },
  {
    id: 'broken',
    header: 'Broken',
    width: '72px',
    align: 'right',
    sortBy: (flip) => flip.broken,
    cell: (flip) => (
      <span style={{ color: flip.broken > 0 ? 'var(--sp-bad)' : 'var(--sp-dim)' }}>
        {formatCount(flip.broken)}
      </span>
    ),
  },
  {
    id: 'recall',
    header: 'Recall',
    width: '84px',
    align: 'right',
    sortBy: (flip) => flip.recallDelta,
    cell: (flip) => formatDelta(flip.recallDelta),
  },
  {
    id: 'fpr',
    header: 'False positive rate',
    width: '120px',
    align: 'right',
    sortBy: (flip) => flip.falsePositiveDelta,
    cell: (flip) => formatDelta(flip.falsePositiveDelta),
  },
  {
    id: 'p',
    header: 'By chance',
    width: '84px',
    align: 'right',
    sortBy: (flip) => flip.adjustedP,
    cell: (flip) => (
      <span className="dim" title="McNemar within the slice, corrected over all slices">
        {flip.adjustedP === null ? 'too few' : chanceText(flip.adjustedP)}
      </span>
    ),
  },
];

/** Fixed and broken cases by slice, the worst balance first; a slice leads to its rows. */
export function FlipsTable({ report }: { readonly report: ComparisonReport }): ReactNode {
  const navigate = useNavigate();
  const flips = useMemo(() => flipsByChange(report.sliceFlips), [report.sliceFlips]);
  return (
    <DataTable
      bare
      label="Flips by slice"
      columns={COLUMNS}
      rows={flips}
      rowKey={(flip) => `${flip.column} ${flip.value}`}
      height={Math.min(480, 56 + flips.length * 36)}
      {...(report.rowsArtifact === null
        ? {}
        : {
            onOpen: (flip: SliceFlip) =>
              void navigate(
                rowsPath(
                  { kind: 'comparison', id: report.id },
                  {
                    preset: flip.broken >= flip.fixed ? 'broken' : 'fixed',
                    slice: { column: flip.column, value: flip.value },
                  },
                ),
              ),
          })}
      empty={
        <div style={{ padding: 14 }} className="dim">
          No answer changed in any slice.
        </div>
      }
    />
  );
}
