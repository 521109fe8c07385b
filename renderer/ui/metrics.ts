import { METRIC_DIRECTION } from '../../shared/domain/metrics/compare.ts';
import type { ClassificationMetrics } from '../../shared/domain/metrics/report.ts';
import type { COUNTED_METRICS } from '../../shared/domain/policy/judge.ts';
import type { GateMetric } from '../../shared/domain/policy/policy.ts';
import { formatCount, formatMetric, formatMs } from './format.ts';

export const METRIC_LABELS: Readonly<Record<GateMetric, string>> = {
  accuracy: 'Accuracy',
  balanced_accuracy: 'Balanced accuracy',
  precision: 'Precision',
  recall: 'Recall',
  f1: 'F1',
  mcc: 'MCC',
  roc_auc: 'ROC AUC',
  false_positive_rate: 'False positive rate',
  pr_auc: 'PR AUC',
  log_loss: 'Log loss',
  brier: 'Brier score',
  ece: 'Calibration error',
  tpr_at_fpr_0_01: 'Detection at 1 % FPR',
  tpr_at_fpr_0_001: 'Detection at 0.1 % FPR',
  positive_rate: 'Flagged rate',
  mae: 'Mean absolute error',
  rmse: 'Root mean squared error',
  r2: 'R²',
  model_size_mb: 'Model size',
  disagreement_rate: 'Disagreement rate',
  broken_rate: 'Broken rows',
  drift_score_psi: 'Score drift (PSI)',
  drift_feature_share: 'Drifted features',
  robustness_recall_drop: 'Recall drop when perturbed',
  robustness_false_positive_rise: 'False alarm rise when perturbed',
  latency_p50_ms: 'Latency p50',
  latency_p95_ms: 'Latency p95',
  latency_p99_ms: 'Latency p99',
};

/** Labels that fit a narrow tile; the whole name is in its tooltip. */
export const SHORT_METRIC_LABELS: Readonly<Partial<Record<GateMetric, string>>> = {
  balanced_accuracy: 'Balanced',
  false_positive_rate: 'FP rate',
  tpr_at_fpr_0_01: 'At 1 % FPR',
  tpr_at_fpr_0_001: 'At 0.1 % FPR',
  brier: 'Brier',
  ece: 'ECE',
  positive_rate: 'Flagged',
  mae: 'MAE',
  rmse: 'RMSE',
};

export const QUALITY_METRICS = [
  'roc_auc',
  'f1',
  'precision',
  'recall',
  'accuracy',
  'balanced_accuracy',
  'mcc',
  'false_positive_rate',
] as const satisfies readonly (keyof ClassificationMetrics & GateMetric)[];

/** Gates that judge the evidence itself rather than a metric; their figures are counts. */
const EVIDENCE_LABELS: Readonly<Record<string, string>> = {
  rows: 'Labelled rows',
  output_findings: 'Flaws of the answers',
  evidence_problems: 'Flaws of the evidence',
} satisfies Record<(typeof COUNTED_METRICS)[number], string>;

export function metricLabel(metric: string): string {
  return (METRIC_LABELS as Readonly<Record<string, string>>)[metric] ?? EVIDENCE_LABELS[metric] ?? metric;
}

function isLatency(metric: string): boolean {
  return metric.startsWith('latency_');
}

/** A metric's value in its own unit: milliseconds for latency, four decimals for the rest. */
export function formatMetricValue(metric: string, value: number | null): string {
  if (metric in EVIDENCE_LABELS) return value === null ? formatMetric(null) : formatCount(value);
  if (metric === 'model_size_mb') return value === null ? formatMetric(null) : `${value.toFixed(2)} MB`;
  return isLatency(metric) ? formatMs(value) : formatMetric(value);
}

/** True where a larger value is a better detector. */
export function higherIsBetter(metric: string): boolean {
  return (METRIC_DIRECTION as Readonly<Record<string, 'higher' | 'lower'>>)[metric] !== 'lower';
}

/** Smallest difference in latency that says something, in milliseconds and as a share of the champion's. */
const LATENCY_NOISE = { ms: 0.1, share: 0.1 } as const;

/**
 * Whether a change of this metric is an improvement. Differences that vanish when written are none, and latencies of
 * two runs on one machine differ by chance: within 0.1 ms or a tenth of the champion's they are the same.
 */
export function judgeDelta(
  metric: string,
  delta: number | null,
  champion: number | null = null,
): 'better' | 'worse' | 'same' | 'unknown' {
  if (delta === null) return 'unknown';
  const size = Math.abs(delta);
  const same = isLatency(metric)
    ? size <= Math.max(LATENCY_NOISE.ms, LATENCY_NOISE.share * (champion ?? 0))
    : size < 0.00005;
  if (same) return 'same';
  return delta > 0 === higherIsBetter(metric) ? 'better' : 'worse';
}
