import type { GateMetric } from '../policy/policy.ts';
import type { Latency } from './latency.ts';
import type { ClassificationMetrics, ComparisonReport } from './report.ts';

export type MetricDelta = ComparisonReport['deltas'][number];

/** Every measured metric, in the order of tables, and which direction is better. */
export const METRIC_DIRECTION: Readonly<Record<GateMetric, 'higher' | 'lower'>> = {
  accuracy: 'higher',
  balanced_accuracy: 'higher',
  precision: 'higher',
  recall: 'higher',
  f1: 'higher',
  mcc: 'higher',
  roc_auc: 'higher',
  pr_auc: 'higher',
  log_loss: 'lower',
  brier: 'lower',
  ece: 'lower',
  tpr_at_fpr_0_01: 'higher',
  tpr_at_fpr_0_001: 'higher',
  false_positive_rate: 'lower',
  latency_p50_ms: 'lower',
  latency_p95_ms: 'lower',
  latency_p99_ms: 'lower',
  positive_rate: 'lower',
  mae: 'lower',
  rmse: 'lower',
  r2: 'higher',
  model_size_mb: 'lower',
  disagreement_rate: 'lower',
  broken_rate: 'lower',
  drift_score_psi: 'lower',
  drift_feature_share: 'lower',
  robustness_recall_drop: 'lower',
  robustness_false_positive_rise: 'lower',
};

export const METRIC_NAMES = Object.keys(METRIC_DIRECTION) as readonly GateMetric[];

export interface Measured {
  readonly metrics: ClassificationMetrics;
  readonly latency: Latency | null;
}

/** The measured value a gate or a table names, or null where it is undefined or was not measured. */
export function measuredValue({ metrics, latency }: Measured, metric: GateMetric): number | null {
  switch (metric) {
    case 'latency_p50_ms':
      return latency?.p50 ?? null;
    case 'latency_p95_ms':
      return latency?.p95 ?? null;
    case 'latency_p99_ms':
      return latency?.p99 ?? null;
    default:
      return metric in metrics ? (metrics[metric as keyof ClassificationMetrics] as number | null) : null;
  }
}

/** Rows a metric stands on: rates of one class stand on that class alone, precision on the rows that were flagged. */
export function rowsBehind(metric: string, { rows, positives, confusion }: ClassificationMetrics): number {
  if (metric === 'recall' || metric.startsWith('tpr_')) return positives;
  if (metric === 'false_positive_rate') return rows - positives;
  return metric === 'precision' ? confusion.tp + confusion.fp : rows;
}

/** How much worse `measured` is than `baseline` in the metric's own direction; negative where it is better. */
export function regressionOf(metric: GateMetric, measured: number, baseline: number): number {
  return METRIC_DIRECTION[metric] === 'higher' ? baseline - measured : measured - baseline;
}

/** Challenger minus champion, metric by metric; null where either is undefined. Latency rows only where both were measured. */
export function compareMetrics(
  champion: ClassificationMetrics,
  challenger: ClassificationMetrics,
  latency: { readonly champion: Latency; readonly challenger: Latency } | null = null,
): MetricDelta[] {
  const before: Measured = { metrics: champion, latency: latency?.champion ?? null };
  const after: Measured = { metrics: challenger, latency: latency?.challenger ?? null };
  return METRIC_NAMES.filter((metric) =>
    metric.startsWith('latency_') ? latency !== null : metric in champion,
  ).map((metric) => {
    const a = measuredValue(before, metric);
    const b = measuredValue(after, metric);
    return { metric, champion: a, challenger: b, delta: a === null || b === null ? null : b - a };
  });
}
