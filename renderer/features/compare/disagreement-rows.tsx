import { IconEqual } from '@tabler/icons-react';
import { type ReactNode, useMemo } from 'react';
import type { ComparisonReport, DisagreementRow } from '../../../shared/domain/metrics/report.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount } from '../../ui/format.ts';
import { Empty } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import { Truncated } from '../../ui/text.tsx';

/** Other columns of the dataset shown beside a disagreeing row. */
const CONTEXT_COLUMNS = 5;

function Answer({
  label,
  score,
  right,
}: {
  readonly label: number;
  readonly score: number | null;
  readonly right: boolean;
}): ReactNode {
  return (
    <span className="num">
      <span style={{ color: right ? 'var(--sp-ok)' : 'var(--sp-bad)', fontWeight: 600 }}>{label}</span>
      {score === null ? null : <span className="dim">{`  ${score.toFixed(4)}`}</span>}
    </span>
  );
}

function columnsOf(report: ComparisonReport): readonly Column<DisagreementRow>[] {
  const context = [...new Set(report.disagreementRows.flatMap((row) => Object.keys(row.context)))].slice(
    0,
    CONTEXT_COLUMNS,
  );
  return [
    {
      id: 'row',
      header: 'Row',
      width: '76px',
      align: 'right',
      sortBy: (row) => row.row,
      cell: (row) => formatCount(row.row),
    },
    {
      id: 'effect',
      header: 'Effect',
      width: '92px',
      sortBy: (row) => Number(row.challengerLabel === row.label),
      cell: (row) =>
        row.challengerLabel === row.label ? (
          <Status tone="ok">fixed</Status>
        ) : row.championLabel === row.label ? (
          <Status tone="bad">broken</Status>
        ) : (
          <Status tone="idle">both wrong</Status>
        ),
    },
    {
      id: 'label',
      header: 'Truth',
      width: '56px',
      align: 'right',
      sortBy: (row) => row.label,
      cell: (row) => row.label,
    },
    {
      id: 'champion',
      header: 'Champion',
      width: '120px',
      sortBy: (row) => row.championScore,
      cell: (row) => (
        <Answer label={row.championLabel} score={row.championScore} right={row.championLabel === row.label} />
      ),
    },
    {
      id: 'challenger',
      header: 'Challenger',
      width: '120px',
      sortBy: (row) => row.challengerScore,
      cell: (row) => (
        <Answer
          label={row.challengerLabel}
          score={row.challengerScore}
          right={row.challengerLabel === row.label}
        />
      ),
    },
    ...context.map((name) => ({
      id: `context-${name}`,
      header: name,
      width: 'minmax(120px, 1fr)',
      sortBy: (row: DisagreementRow) => row.context[name] ?? null,
      cell: (row: DisagreementRow) => <Truncated mono>{row.context[name] ?? ''}</Truncated>,
    })),
  ];
}

/** The first rows on which the two disagree, as the report keeps them. */
export function DisagreementRows({ report }: { readonly report: ComparisonReport }): ReactNode {
  const columns = useMemo(() => columnsOf(report), [report]);
  return (
    <DataTable
      bare
      label="Disagreeing rows"
      columns={columns}
      rows={report.disagreementRows}
      rowKey={(row) => String(row.row)}
      height={Math.min(560, 120 + report.disagreementRows.length * 36)}
      empty={
        <Empty icon={IconEqual} title="They agree on every row">
          On this dataset the two cannot be told apart by their labels.
        </Empty>
      }
    />
  );
}
