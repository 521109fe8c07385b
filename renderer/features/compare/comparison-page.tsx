import { Stack } from '@mantine/core';
import { IconEqual } from '@tabler/icons-react';
import { type ReactNode, useMemo } from 'react';
import { useParams } from 'react-router';
import type { ComparisonReport, DisagreementRow } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { DeltasTable } from '../../ui/deltas-table.tsx';
import { formatCount, formatMs, formatShare } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Empty, Page, Panel, Stat, Stats } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import { Ago, Digest, Truncated, VersionLink } from '../../ui/text.tsx';

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

export function ComparisonPage(): ReactNode {
  const { id = '' } = useParams();
  const query = useCall('comparison.get', { id });
  const report = query.data;
  const parent = { to: '/compare', label: 'Compare' };
  if (report === undefined) {
    return (
      <Page title="Comparison" parent={parent}>
        <Loaded query={query} skeleton={<Bars rows={6} height={64} />}>
          {() => null}
        </Loaded>
      </Page>
    );
  }
  return (
    <Page
      title={`${formatRef(report.challenger)} against ${formatRef(report.champion)}`}
      parent={parent}
      note={
        <>
          <span>
            challenger <VersionLink of={report.challenger} />
          </span>
          <span>
            champion <VersionLink of={report.champion} />
          </span>
          <span>{`on ${report.dataset.fileName}`}</span>
          <Digest value={report.dataset.digest} what="dataset digest" />
          <span>
            by {report.runBy} <Ago at={report.createdAt} />
          </span>
        </>
      }
    >
      <ComparisonView report={report} />
    </Page>
  );
}

function ComparisonView({ report }: { readonly report: ComparisonReport }): ReactNode {
  const columns = useMemo(() => columnsOf(report), [report]);
  const shown = report.disagreementRows.length;
  return (
    <Stack gap={14}>
      <Stats>
        <Stat label="Rows" value={formatCount(report.dataset.rows)} />
        <Stat
          label="They disagree on"
          value={formatCount(report.disagreements)}
          note={formatShare(report.dataset.rows === 0 ? null : report.disagreements / report.dataset.rows)}
        />
        <Stat
          label="Challenger fixes"
          value={<span style={{ color: 'var(--sp-ok)' }}>{formatCount(report.challengerFixes)}</span>}
          note="only the challenger is right"
        />
        <Stat
          label="Challenger breaks"
          value={<span style={{ color: 'var(--sp-bad)' }}>{formatCount(report.challengerBreaks)}</span>}
          note="only the champion is right"
        />
        <Stat
          label="Latency p95"
          value={formatMs(report.challengerLatency.p95)}
          note={`champion ${formatMs(report.championLatency.p95)}`}
        />
      </Stats>
      <Panel
        title="Metrics"
        note="green is better, red is worse; latencies within 10 % or 0.1 ms are the same"
        flush
      >
        <DeltasTable deltas={report.deltas} />
      </Panel>
      <Panel
        title="Rows on which they disagree"
        note={
          shown < report.disagreements
            ? `the first ${formatCount(shown)} of ${formatCount(report.disagreements)}`
            : ''
        }
        flush
      >
        <DataTable
          bare
          label="Disagreeing rows"
          columns={columns}
          rows={report.disagreementRows}
          rowKey={(row) => String(row.row)}
          height={Math.min(560, 120 + shown * 36)}
          empty={
            <Empty icon={IconEqual} title="They agree on every row">
              On this dataset the two cannot be told apart by their labels.
            </Empty>
          }
        />
      </Panel>
    </Stack>
  );
}
