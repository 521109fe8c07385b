import { type ReactNode, useMemo } from 'react';
import type { ValidationReport } from '../../shared/domain/metrics/report.ts';
import { ChartPanel, HorizontalBars, LineChart, ScoreHistogram, type Series } from '../charts/index.tsx';
import { ConfusionMatrix } from './evidence.tsx';
import { formatCount, formatMetric, formatMs } from './format.ts';
import { Panel } from './page.tsx';
import styles from './report-charts.module.css';
import { intervalText } from './significance.ts';

const UNIT_RANGE = [0, 1] as const;
export const CHART_HEIGHT = 250;
const formatUnit = (value: number): string => value.toFixed(value === 0 || value === 1 ? 0 : 2);
const figure = (value: number | null): string =>
  value === null ? '–' : String(Number(value.toPrecision(5)));

/** Charts side by side, as many as the window has room for. */
export function ChartGrid({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles.charts}>{children}</div>;
}

export function NotAvailable({ children }: { readonly children: string }): ReactNode {
  return (
    <div
      className="dim"
      style={{
        height: CHART_HEIGHT,
        display: 'grid',
        placeItems: 'center',
        textAlign: 'center',
        padding: 16,
      }}
    >
      {children}
    </div>
  );
}

interface OfReport {
  readonly report: ValidationReport;
}

/** Why there is no curve, as a sentence; null where there is one. */
function missingCurve({ dataset, metrics, mapping }: ValidationReport): string {
  if (!dataset.labelled) return 'The data has no labels, so nothing can be right or wrong.';
  if (mapping.scoreOutput === null)
    return 'No score output is mapped, so there is no curve. Only a label was answered.';
  if (metrics.positives === 0 || metrics.positives === metrics.rows)
    return 'All rows are of one class, so there is no curve.';
  return 'This was not measured.';
}

function Roc({ report }: OfReport): ReactNode {
  const { metrics, roc, intervals } = report;
  const { tpr_at_fpr_0_01: at1, tpr_at_fpr_0_001: at01 } = metrics;
  const series = useMemo<Series[]>(
    () => [{ label: 'true positive rate', points: roc, role: 'first', fill: true }],
    [roc],
  );
  const points = useMemo(
    () => [
      ...(at1 === null ? [] : [{ x: 0.01, y: at1, label: `${formatMetric(at1)} at 1 % FPR` }]),
      ...(at01 === null ? [] : [{ x: 0.001, y: at01, label: `${formatMetric(at01)} at 0.1 % FPR` }]),
    ],
    [at1, at01],
  );
  const interval = intervals.roc_auc;
  return (
    <ChartPanel
      title="ROC"
      note={`area ${formatMetric(metrics.roc_auc)}${interval === undefined ? '' : `, ${intervalText('roc_auc', interval)}`}`}
      height={CHART_HEIGHT}
      table={
        roc.length === 0
          ? null
          : {
              columns: ['>False positive rate', '>True positive rate'],
              rows: [
                ...points.map(({ x, y }) => [figure(x), figure(y)]),
                ...roc.map(({ x, y }) => [figure(x), figure(y)]),
              ],
            }
      }
    >
      {roc.length === 0 ? (
        <NotAvailable>{missingCurve(report)}</NotAvailable>
      ) : (
        <LineChart
          label={`ROC curve, area under it ${formatMetric(metrics.roc_auc)}`}
          series={series}
          height={CHART_HEIGHT}
          xTitle="false positive rate"
          yTitle="true positive rate"
          formatX={formatUnit}
          formatY={formatUnit}
          xRange={UNIT_RANGE}
          yRange={UNIT_RANGE}
          points={points}
          diagonal
          zoomable
        />
      )}
    </ChartPanel>
  );
}

function PrecisionRecall({ report }: OfReport): ReactNode {
  const { precisionRecall, metrics } = report;
  const series = useMemo<Series[]>(
    () => [{ label: 'precision', points: precisionRecall, role: 'first', fill: true }],
    [precisionRecall],
  );
  return (
    <ChartPanel
      title="Precision and recall"
      note={metrics.pr_auc === null ? '' : `area ${formatMetric(metrics.pr_auc)}`}
      height={CHART_HEIGHT}
      table={
        precisionRecall.length === 0
          ? null
          : {
              columns: ['>Recall', '>Precision'],
              rows: precisionRecall.map(({ x, y }) => [figure(x), figure(y)]),
            }
      }
    >
      {precisionRecall.length === 0 ? (
        <NotAvailable>{missingCurve(report)}</NotAvailable>
      ) : (
        <LineChart
          label="Precision against recall"
          series={series}
          height={CHART_HEIGHT}
          xTitle="recall"
          yTitle="precision"
          formatX={formatUnit}
          formatY={formatUnit}
          xRange={UNIT_RANGE}
          yRange={UNIT_RANGE}
          zoomable
        />
      )}
    </ChartPanel>
  );
}

function Sweep({ report }: OfReport): ReactNode {
  const { sweep } = report;
  const series = useMemo<Series[]>(() => {
    const of = (metric: 'recall' | 'precision' | 'false_positive_rate') =>
      sweep.map((point) => ({ x: point.threshold, y: point[metric] }));
    return [
      { label: 'recall', points: of('recall'), role: 'first' },
      { label: 'precision', points: of('precision'), role: 'second' },
      { label: 'false positive rate', points: of('false_positive_rate'), role: 'limit' },
    ];
  }, [sweep]);
  const decision = sweep.find((point) => point.decision);
  const marks = useMemo(
    () =>
      decision === undefined
        ? []
        : [{ at: decision.threshold, label: `decides at ${figure(decision.threshold)}` }],
    [decision],
  );
  if (sweep.length === 0) return null;
  return (
    <ChartPanel
      title="Thresholds"
      note="what another threshold would do"
      height={CHART_HEIGHT}
      table={{
        columns: ['>Threshold', '>Recall', '>Precision', '>False positive rate', 'Decision'],
        rows: sweep.map((point) => [
          figure(point.threshold),
          figure(point.recall),
          figure(point.precision),
          figure(point.false_positive_rate),
          point.decision ? 'in use' : '',
        ]),
      }}
    >
      <LineChart
        label="Recall, precision and false positive rate by threshold"
        series={series}
        height={CHART_HEIGHT}
        xTitle="threshold of the score"
        yTitle="rate"
        formatX={figure}
        formatY={formatUnit}
        yRange={UNIT_RANGE}
        marks={marks}
        legend
        zoomable
      />
    </ChartPanel>
  );
}

function Reliability({ report }: OfReport): ReactNode {
  const { reliability, metrics } = report;
  const bins = useMemo(() => reliability.filter((bin) => bin.rows > 0), [reliability]);
  const series = useMemo<Series[]>(
    () => [
      {
        label: 'share that is malicious',
        points: bins.map(({ confidence, frequency }) => ({ x: confidence, y: frequency })),
        role: 'first',
        dots: true,
      },
    ],
    [bins],
  );
  if (bins.length === 0) return null;
  return (
    <ChartPanel
      title="Reliability"
      note={`calibration error ${formatMetric(metrics.ece)}`}
      height={CHART_HEIGHT}
      table={{
        columns: ['Score', '>Rows', '>Mean score', '>Share malicious'],
        rows: bins.map((bin) => [
          `${figure(bin.low)} to ${figure(bin.high)}`,
          formatCount(bin.rows),
          figure(bin.confidence),
          figure(bin.frequency),
        ]),
      }}
    >
      <LineChart
        label={`Reliability curve, calibration error ${formatMetric(metrics.ece)}; on the dashed line a score means what it says`}
        series={series}
        height={CHART_HEIGHT}
        xTitle="mean score of the bin"
        yTitle="share that is malicious"
        formatX={formatUnit}
        formatY={formatUnit}
        xRange={UNIT_RANGE}
        yRange={UNIT_RANGE}
        diagonal
      />
    </ChartPanel>
  );
}

/** How well the answers meet the truth: curves, thresholds, confusion, calibration. */
export function QualityPanels({ report }: OfReport): ReactNode {
  return (
    <>
      <Roc report={report} />
      <PrecisionRecall report={report} />
      <Sweep report={report} />
      {report.dataset.labelled ? (
        <Panel title="Confusion matrix" note="rows: truth, columns: answer">
          <div style={{ height: CHART_HEIGHT }}>
            <ConfusionMatrix confusion={report.metrics.confusion} />
          </div>
        </Panel>
      ) : null}
      <Reliability report={report} />
    </>
  );
}

/** The answers themselves, whatever the truth is: scores and latency. */
export function OutputPanels({ report }: OfReport): ReactNode {
  const { scoreHistogram, latency, mapping } = report;
  const percentiles = useMemo(
    () => [
      { name: 'p50', value: latency.p50 },
      { name: 'p95', value: latency.p95 },
      { name: 'p99', value: latency.p99 },
    ],
    [latency],
  );
  const bins = scoreHistogram?.negative.length ?? 0;
  const width = scoreHistogram === null ? 0 : (scoreHistogram.max - scoreHistogram.min) / Math.max(1, bins);
  return (
    <>
      <ChartPanel
        title="Scores by class"
        height={CHART_HEIGHT}
        table={
          scoreHistogram === null
            ? null
            : {
                columns: ['Score from', '>Benign', '>Malicious'],
                rows: scoreHistogram.negative.map((count, index) => [
                  figure(scoreHistogram.min + index * width),
                  formatCount(count),
                  formatCount(scoreHistogram.positive[index] ?? 0),
                ]),
              }
        }
      >
        {scoreHistogram === null ? (
          <NotAvailable>
            No score output is mapped, so there is no curve. Only a label was answered.
          </NotAvailable>
        ) : (
          <ScoreHistogram
            label="Histogram of scores for benign and malicious rows"
            {...scoreHistogram}
            threshold={mapping.threshold}
            height={CHART_HEIGHT}
          />
        )}
      </ChartPanel>
      <ChartPanel
        title="Latency"
        note={`one row a call, ${formatCount(latency.samples)} calls`}
        height={CHART_HEIGHT}
        table={{
          columns: ['Percentile', '>Latency'],
          rows: percentiles.map(({ name, value }) => [name, formatMs(value)]),
        }}
      >
        <HorizontalBars
          label={`Latency: median ${formatMs(latency.p50)}, 95th percentile ${formatMs(latency.p95)}, 99th ${formatMs(latency.p99)}`}
          items={percentiles}
          format={formatMs}
          height={CHART_HEIGHT}
        />
      </ChartPanel>
    </>
  );
}

/** Everything that is drawn of a report, in one grid. */
export function ReportCharts({ report }: OfReport): ReactNode {
  return (
    <ChartGrid>
      <QualityPanels report={report} />
      <OutputPanels report={report} />
    </ChartGrid>
  );
}
