import type { Gate } from '../../../shared/domain/policy/policy.ts';
import { formatMetricValue, metricLabel } from '../../ui/metrics.ts';

/** `ROC AUC ≥ 0.9500`, `F1 not worse than the champion by more than 0.0100`. */
export function describeGate(gate: Gate): string {
  const parts = [
    ...(gate.min === undefined ? [] : [`≥ ${formatMetricValue(gate.metric, gate.min)}`]),
    ...(gate.max === undefined ? [] : [`≤ ${formatMetricValue(gate.metric, gate.max)}`]),
    ...(gate.maxRegression === undefined
      ? []
      : [`not worse than the champion by more than ${formatMetricValue(gate.metric, gate.maxRegression)}`]),
  ];
  return `${metricLabel(gate.metric)} ${parts.join(', ')}`;
}
