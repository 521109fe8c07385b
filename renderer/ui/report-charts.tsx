import { type ReactNode, useMemo } from 'react';
import type { ClassificationMetrics, ValidationReport } from '../../shared/domain/metrics/report.ts';
import { HorizontalBars, LineChart, ScoreHistogram, type Series } from '../charts/index.tsx';
import { ConfusionMatrix } from './evidence.tsx';
import { formatCount, formatMetric, formatMs, formatShare } from './format.ts';
import { METRIC_LABELS, QUALITY_METRICS, SHORT_METRIC_LABELS } from './metrics.ts';
import { Panel, Stat, Stats } from './page.tsx';
import styles from './report-charts.module.css';

const UNIT_RANGE = [0, 1] as const;
const formatUnit = (value: number): string => value.toFixed(value === 0 || value === 1 ? 0 : 2);
const CHART_HEIGHT = 250;

/** The quality metrics side by side; what is undefined on the data is a dash, never zero. */
export function MetricStats({ metrics }: { readonly metrics: ClassificationMetrics }): ReactNode {
  return (
    <Stats>
      {QUALITY_METRICS.map((metric) => (
        <Stat
          key={metric}
          label={SHORT_METRIC_LABELS[metric] ?? METRIC_LABELS[metric]}
          title={METRIC_LABELS[metric]}
          value={formatMetric(metrics[metric])}
        />
      ))}
      <Stat
        label="Rows"
        value={formatCount(metrics.rows)}
        note={`${formatShare(metrics.rows === 0 ? null : metrics.positives / metrics.rows, 0)} positive`}
        title={`${formatCount(metrics.positives)} of ${formatCount(metrics.rows)} rows are malicious`}
      />
    </Stats>
  );
}

function NotAvailable({ children }: { readonly children: string }): ReactNode {
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

/** ROC, precision and recall, confusion matrix, scores by class, latency. */
export function ReportCharts({ report }: { readonly report: ValidationReport }): ReactNode {
  const { metrics, roc, precisionRecall, scoreHistogram, latency, mapping } = report;
  const rocSeries = useMemo<Series[]>(
    () => [{ label: 'true positive rate', points: roc, role: 'first', fill: true }],
    [roc],
  );
  const prSeries = useMemo<Series[]>(
    () => [{ label: 'precision', points: precisionRecall, role: 'first', fill: true }],
    [precisionRecall],
  );
  const percentiles = useMemo(
    () => [
      { name: 'p50', value: latency.p50 },
      { name: 'p95', value: latency.p95 },
      { name: 'p99', value: latency.p99 },
    ],
    [latency],
  );
  const noScore = 'No score output is mapped, so there is no curve. Only a label was answered.';
  return (
    <div className={styles.charts}>
      <Panel title="ROC" note={`area ${formatMetric(metrics.roc_auc)}`}>
        {roc.length === 0 ? (
          <NotAvailable>{noScore}</NotAvailable>
        ) : (
          <LineChart
            label={`ROC curve, area under it ${formatMetric(metrics.roc_auc)}`}
            series={rocSeries}
            height={CHART_HEIGHT}
            xTitle="false positive rate"
            yTitle="true positive rate"
            formatX={formatUnit}
            formatY={formatUnit}
            xRange={UNIT_RANGE}
            yRange={UNIT_RANGE}
            diagonal
            zoomable
          />
        )}
      </Panel>
      <Panel title="Precision and recall">
        {precisionRecall.length === 0 ? (
          <NotAvailable>{noScore}</NotAvailable>
        ) : (
          <LineChart
            label="Precision against recall"
            series={prSeries}
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
      </Panel>
      <Panel title="Confusion matrix" note="rows: truth, columns: answer">
        <div style={{ height: CHART_HEIGHT }}>
          <ConfusionMatrix confusion={metrics.confusion} />
        </div>
      </Panel>
      <Panel title="Scores by class">
        {scoreHistogram === null ? (
          <NotAvailable>{noScore}</NotAvailable>
        ) : (
          <ScoreHistogram
            label="Histogram of scores for benign and malicious rows"
            {...scoreHistogram}
            threshold={mapping.threshold}
            height={CHART_HEIGHT}
          />
        )}
      </Panel>
      <Panel title="Latency" note={`one row a call, ${formatCount(latency.samples)} calls`}>
        <HorizontalBars
          label={`Latency: median ${formatMs(latency.p50)}, 95th percentile ${formatMs(latency.p95)}, 99th ${formatMs(latency.p99)}`}
          items={percentiles}
          format={formatMs}
          height={CHART_HEIGHT}
        />
      </Panel>
    </div>
  );
}
