import type { ReactNode } from 'react';
import { rowsBehind } from '../../shared/domain/metrics/compare.ts';
import type {
  ClassificationMetrics,
  RegressionMetrics,
  ValidationReport,
} from '../../shared/domain/metrics/report.ts';
import { formatCount, formatMetric, formatShare } from './format.ts';
import { METRIC_LABELS, metricLabel, QUALITY_METRICS, SHORT_METRIC_LABELS } from './metrics.ts';
import { Stat, Stats } from './page.tsx';
import { intervalHelp, intervalShort } from './significance.ts';

/** Measured by deeper runs only: shown where there is a figure. */
const DEEPER = [
  'pr_auc',
  'tpr_at_fpr_0_01',
  'tpr_at_fpr_0_001',
  'log_loss',
  'brier',
  'ece',
  'positive_rate',
] as const satisfies readonly (keyof ClassificationMetrics)[];

interface MetricStatsProps {
  readonly metrics: ClassificationMetrics;
  readonly intervals?: ValidationReport['intervals'];
  readonly labelled?: boolean;
  readonly regression?: RegressionMetrics | null;
}

/** The measured quality side by side, each with its interval; what is undefined on the data is a dash, never zero. */
export function MetricStats({
  metrics,
  intervals = {},
  labelled = true,
  regression = null,
}: MetricStatsProps): ReactNode {
  if (regression !== null) return <RegressionStats regression={regression} intervals={intervals} />;
  const deeper = DEEPER.filter((metric) => metrics[metric] !== null);
  const shown = labelled ? [...QUALITY_METRICS, ...deeper] : deeper;
  return (
    <Stats>
      {shown.map((metric) => {
        const interval = intervals[metric];
        const n = rowsBehind(metric, metrics);
        return (
          <Stat
            key={metric}
            label={SHORT_METRIC_LABELS[metric] ?? METRIC_LABELS[metric]}
            title={`${METRIC_LABELS[metric]}; ${intervalHelp(metric, interval, n)}`}
            value={formatMetric(metrics[metric])}
            {...(interval === undefined ? {} : { note: intervalShort(interval) })}
          />
        );
      })}
      <Stat
        label="Rows"
        value={formatCount(metrics.rows)}
        note={
          labelled
            ? `${formatShare(metrics.rows === 0 ? null : metrics.positives / metrics.rows, 0)} positive`
            : 'without labels'
        }
        title={
          labelled
            ? `${formatCount(metrics.positives)} of ${formatCount(metrics.rows)} rows are malicious`
            : `${formatCount(metrics.rows)} rows, and what they really are is not known`
        }
      />
    </Stats>
  );
}

function RegressionStats({
  regression,
  intervals,
}: {
  readonly regression: RegressionMetrics;
  readonly intervals: ValidationReport['intervals'];
}): ReactNode {
  const figures = [
    ['mae', metricLabel('mae'), regression.mae],
    ['rmse', metricLabel('rmse'), regression.rmse],
    ['r2', metricLabel('r2'), regression.r2],
    ['median_absolute_error', 'Median error', regression.median_absolute_error],
    ['max_error', 'Largest error', regression.max_error],
  ] as const;
  return (
    <Stats>
      {figures.map(([metric, label, value]) => {
        const interval = intervals[metric];
        return (
          <Stat
            key={metric}
            label={label}
            title={`${label}; ${intervalHelp(metric, interval, regression.rows)}`}
            value={formatMetric(value)}
            {...(interval === undefined ? {} : { note: intervalShort(interval) })}
          />
        );
      })}
      <Stat label="Rows" value={formatCount(regression.rows)} />
    </Stats>
  );
}
