import { Select } from '@mantine/core';
import { IconChartPie } from '@tabler/icons-react';
import { type ReactNode, useMemo, useState } from 'react';
import { useNavigate } from 'react-router';
import type { Interval } from '../../../shared/domain/evidence/interval.ts';
import type { Slice } from '../../../shared/domain/evidence/slices.ts';
import type { ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount, formatMetric, plural } from '../../ui/format.ts';
import { Empty } from '../../ui/page.tsx';
import { chanceText, intervalHelp, intervalShort } from '../../ui/significance.ts';
import { Status } from '../../ui/status.tsx';
import { Truncated } from '../../ui/text.tsx';
import { rowsPath } from '../evidence/rows-choice.ts';

function quiet(slice: Slice, text: ReactNode): ReactNode {
  return slice.tooFew ? <span className="dim">{text}</span> : text;
}

/** A rate with its interval in the line itself: a table of slices is read for how sure its rates are. */
function Rate({
  slice,
  metric,
  value,
  interval,
}: {
  readonly slice: Slice;
  readonly metric: string;
  readonly value: number | null;
  readonly interval: Interval | null;
}): ReactNode {
  return (
    <span
      className="num"
      style={{ whiteSpace: 'nowrap' }}
      title={intervalHelp(metric, interval ?? undefined, slice.rows)}
    >
      {quiet(slice, formatMetric(value))}
      {interval === null ? null : <span className="dim">{`  ${intervalShort(interval)}`}</span>}
    </span>
  );
}

const COLUMNS: readonly Column<Slice>[] = [
  {
    id: 'slice',
    header: 'Slice',
    width: 'minmax(130px, 2fr)',
    sortBy: (slice) => `${slice.column} = ${slice.value}`,
    cell: (slice) => quiet(slice, <Truncated>{`${slice.column} = ${slice.value}`}</Truncated>),
  },
  {
    id: 'state',
    header: 'State',
    width: '84px',
    cell: (slice) =>
      slice.tooFew ? (
        <Status tone="idle" title="Fewer rows than it takes to judge: shown, never judged">
          too few
        </Status>
      ) : slice.worst ? (
        <Status tone="bad" title="Found by the search for the worst slices">
          worst
        </Status>
      ) : null,
  },
  {
    id: 'rows',
    header: 'n',
    width: '66px',
    align: 'right',
    sortBy: (slice) => slice.rows,
    cell: (slice) => quiet(slice, formatCount(slice.rows)),
  },
  {
    id: 'positives',
    header: 'Malicious',
    width: '66px',
    align: 'right',
    sortBy: (slice) => slice.positives,
    cell: (slice) => quiet(slice, formatCount(slice.positives)),
  },
  {
    id: 'recall',
    header: 'Recall',
    width: '148px',
    sortBy: (slice) => slice.recall,
    cell: (slice) => (
      <Rate slice={slice} metric="recall" value={slice.recall} interval={slice.recallInterval} />
    ),
  },
  {
    id: 'fpr',
    header: 'False positive rate',
    width: '148px',
    sortBy: (slice) => slice.false_positive_rate,
    cell: (slice) => (
      <Rate
        slice={slice}
        metric="false_positive_rate"
        value={slice.false_positive_rate}
        interval={slice.falsePositiveInterval}
      />
    ),
  },
  {
    id: 'accuracy',
    header: 'Accuracy',
    width: '62px',
    align: 'right',
    sortBy: (slice) => slice.accuracy,
    cell: (slice) => quiet(slice, formatMetric(slice.accuracy)),
  },
  {
    id: 'precision',
    header: 'Precision',
    width: '62px',
    align: 'right',
    sortBy: (slice) => slice.precision,
    cell: (slice) => quiet(slice, formatMetric(slice.precision)),
  },
  {
    id: 'p',
    header: 'By chance',
    width: '84px',
    align: 'right',
    sortBy: (slice) => slice.adjustedP,
    cell: (slice) => (
      <span className="dim num" title="After correction over all slices that were looked at">
        {slice.adjustedP === null ? '–' : chanceText(slice.adjustedP)}
      </span>
    ),
  },
];

/** Worst first: what the search found, then the lowest accuracy; slices that cannot be judged come last. */
export function worstFirst(slices: readonly Slice[]): readonly Slice[] {
  const rank = (slice: Slice): number => (slice.tooFew ? 2 : slice.worst ? 0 : 1);
  return [...slices].sort(
    (a, b) => rank(a) - rank(b) || (a.accuracy ?? 2) - (b.accuracy ?? 2) || b.rows - a.rows,
  );
}

/** Quality within parts of the data. A slice leads to its errors. */
export function SlicesTab({ report }: { readonly report: ValidationReport }): ReactNode {
  const navigate = useNavigate();
  const [column, setColumn] = useState<string | null>(null);
  const columns = useMemo(() => [...new Set(report.slices.map((slice) => slice.column))], [report.slices]);
  const shown = useMemo(
    () => worstFirst(report.slices.filter((slice) => column === null || slice.column === column)),
    [report.slices, column],
  );
  const few = report.slices.filter((slice) => slice.tooFew).length;
  if (report.slices.length === 0) {
    return (
      <Empty icon={IconChartPie} title="No slices">
        {report.dataset.labelled
          ? 'No column of the data had few enough values to slice by. Name columns when you run the validation.'
          : 'Without labels there is nothing to compare slices by.'}
      </Empty>
    );
  }
  return (
    <>
      <div style={{ display: 'flex', gap: 12, alignItems: 'center', marginBottom: 10 }}>
        <Select
          aria-label="Column of the slices"
          placeholder="All columns"
          data={columns}
          value={column}
          onChange={setColumn}
          clearable
          searchable
          w={240}
        />
        <span className="dim">
          {`${plural(shown.length, 'slice')}, the worst first${few === 0 ? '' : `; ${few} with too few rows to judge`}. Open one to see its errors.`}
        </span>
      </div>
      <DataTable
        label="Slices"
        columns={COLUMNS}
        rows={shown}
        rowKey={(slice) => `${slice.column} ${slice.value}`}
        height={Math.min(620, 72 + shown.length * 36)}
        {...(report.rowsArtifact === null
          ? {}
          : {
              onOpen: (slice: Slice) =>
                void navigate(
                  rowsPath(
                    { kind: 'validation', id: report.id },
                    { preset: 'errors', slice: { column: slice.column, value: slice.value } },
                  ),
                ),
            })}
        empty={null}
      />
    </>
  );
}
