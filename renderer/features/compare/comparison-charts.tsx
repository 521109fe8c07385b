import { type ReactNode, useCallback, useMemo } from 'react';
import { useNavigate } from 'react-router';
import type { ComparisonReport } from '../../../shared/domain/metrics/report.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { ChartPanel, LineChart, PairBars, ScatterChart, type Series } from '../../charts/index.tsx';
import {
  formatClock,
  formatCount,
  formatInstant,
  formatMetric,
  formatMs,
  formatShare,
} from '../../ui/format.ts';
import { CHART_HEIGHT } from '../../ui/report-charts.tsx';
import { rowsPath } from '../evidence/rows-choice.ts';
import { binNames } from './comparison-words.ts';

interface OfReport {
  readonly report: ComparisonReport;
}

/** Rows of the table that stands in for the scatter. */
const LISTED = 200;
const NO_THRESHOLDS = { a: null, b: null } as const;

/** Both scores of up to 2,000 rows; a click opens the row. */
export function ScoreScatter({ report }: OfReport): ReactNode {
  const navigate = useNavigate();
  const { scatter, scoreShift, id, rowsArtifact } = report;
  const pick = useCallback(
    (row: number) =>
      void navigate(rowsPath({ kind: 'comparison', id }, { preset: 'all', filter: `row = ${row}` })),
    [navigate, id],
  );
  if (scatter.length === 0) return null;
  const shift =
    scoreShift === null
      ? ''
      : [
          scoreShift.correlation === null ? '' : `correlation ${scoreShift.correlation.toFixed(3)}`,
          scoreShift.psi === null ? '' : `shift PSI ${scoreShift.psi.toFixed(3)}`,
          scoreShift.meanDelta === null
            ? ''
            : `mean ${scoreShift.meanDelta < 0 ? '−' : '+'}${Math.abs(scoreShift.meanDelta).toFixed(4)}`,
        ]
          .filter((part) => part !== '')
          .join(', ');
  return (
    <ChartPanel
      title="Scores against each other"
      note={shift}
      height={CHART_HEIGHT}
      table={{
        columns: ['>Row', '>Champion', '>Challenger', '>Label'],
        rows: scatter
          .slice(0, LISTED)
          .map(({ row, a, b, label }) => [
            formatCount(row),
            formatMetric(a),
            formatMetric(b),
            label === null ? '–' : String(label),
          ]),
      }}
    >
      <ScatterChart
        label={`Scores of ${formatCount(scatter.length)} rows, champion against challenger${shift === '' ? '' : `: ${shift}`}`}
        points={scatter}
        height={CHART_HEIGHT}
        xTitle={`score of ${formatRef(report.champion)}`}
        yTitle={`score of ${formatRef(report.challenger)}`}
        thresholds={NO_THRESHOLDS}
        {...(rowsArtifact === null ? {} : { onPick: pick })}
      />
    </ChartPanel>
  );
}

/** Latency of one row a call, both side by side. */
export function LatencyBars({ report }: OfReport): ReactNode {
  const { latencyHistogram: histogram, championLatency, challengerLatency } = report;
  const categories = useMemo(() => binNames(histogram?.edgesMs ?? []), [histogram]);
  const series = useMemo(
    () => [
      { label: 'Challenger', values: histogram?.challenger ?? [] },
      { label: 'Champion', values: histogram?.champion ?? [] },
    ],
    [histogram],
  );
  if (histogram === null) return null;
  return (
    <ChartPanel
      title="Latency"
      note={`p95 ${formatMs(challengerLatency.p95)}, champion ${formatMs(championLatency.p95)}`}
      height={CHART_HEIGHT}
      table={{
        columns: ['Milliseconds', '>Challenger', '>Champion'],
        rows: categories.map((name, index) => [
          name,
          formatCount(histogram.challenger[index] ?? 0),
          formatCount(histogram.champion[index] ?? 0),
        ]),
      }}
    >
      <PairBars
        label={`Latency of single calls: challenger p95 ${formatMs(challengerLatency.p95)}, champion ${formatMs(championLatency.p95)}`}
        categories={categories}
        series={series}
        height={CHART_HEIGHT}
        xTitle="milliseconds, one row a call"
        yTitle="calls"
      />
    </ChartPanel>
  );
}

/** Replayed traffic: how often they disagree, and what share each flags, over time. */
export function TrafficSeries({ report }: OfReport): ReactNode {
  const { series } = report;
  const points = useMemo(
    () =>
      series.map((bucket) => ({
        x: Date.parse(bucket.at),
        disagree: bucket.rows === 0 ? null : bucket.disagreements / bucket.rows,
        champion: bucket.positiveRates[0] ?? null,
        challenger: bucket.positiveRates[1] ?? null,
      })),
    [series],
  );
  const disagreement = useMemo<Series[]>(
    () => [
      {
        label: 'disagreement',
        points: points.map(({ x, disagree }) => ({ x, y: disagree })),
        role: 'first',
        fill: true,
      },
    ],
    [points],
  );
  const flagged = useMemo<Series[]>(
    () => [
      {
        label: 'challenger',
        points: points.map(({ x, challenger }) => ({ x, y: challenger })),
        role: 'first',
      },
      { label: 'champion', points: points.map(({ x, champion }) => ({ x, y: champion })), role: 'second' },
    ],
    [points],
  );
  const long = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0) > 86_400_000;
  const formatTime = useCallback(
    (value: number) => {
      const at = new Date(value).toISOString();
      return long ? formatInstant(at).slice(5, 16) : formatClock(at);
    },
    [long],
  );
  if (series.length === 0) return null;
  const percent = (value: number): string => formatShare(value, 1);
  return (
    <>
      <ChartPanel
        title="Disagreement over time"
        note={`${formatCount(series.length)} intervals`}
        height={CHART_HEIGHT}
        table={{
          columns: ['From', '>Rows', '>Disagreements'],
          rows: series.map((bucket) => [
            formatInstant(bucket.at),
            formatCount(bucket.rows),
            formatCount(bucket.disagreements),
          ]),
        }}
      >
        <LineChart
          label="Share of rows on which the two disagree, over time"
          series={disagreement}
          height={CHART_HEIGHT}
          xTitle="time"
          yTitle="share of rows"
          formatX={formatTime}
          formatY={percent}
          zoomable
        />
      </ChartPanel>
      <ChartPanel
        title="Flagged over time"
        height={CHART_HEIGHT}
        table={{
          columns: ['From', '>Champion', '>Challenger'],
          rows: series.map((bucket) => [
            formatInstant(bucket.at),
            formatShare(bucket.positiveRates[0] ?? null),
            formatShare(bucket.positiveRates[1] ?? null),
          ]),
        }}
      >
        <LineChart
          label="Share of rows each of the two flags, over time"
          series={flagged}
          height={CHART_HEIGHT}
          xTitle="time"
          yTitle="share flagged"
          formatX={formatTime}
          formatY={percent}
          legend
          zoomable
        />
      </ChartPanel>
    </>
  );
}
