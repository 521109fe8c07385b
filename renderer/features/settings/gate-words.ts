import type { Gate, Policy } from '../../../shared/domain/policy/policy.ts';
import { formatDuration, plural } from '../../ui/format.ts';
import { formatMetricValue, metricLabel } from '../../ui/metrics.ts';

/** `ROC AUC ≥ 0.9500`, `F1 not worse than the champion by more than 0.0100`. */
export function describeGate(gate: Gate): string {
  const { metric, min, max, maxRegression, ...rest } = gate;
  const parts = [
    ...(min === undefined ? [] : [`≥ ${formatMetricValue(metric, min)}`]),
    ...(max === undefined ? [] : [`≤ ${formatMetricValue(metric, max)}`]),
    ...(maxRegression === undefined
      ? []
      : [`not worse than the champion by more than ${formatMetricValue(metric, maxRegression)}`]),
    // Whatever else a gate can say is told as it is written.
    ...Object.entries(rest)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`),
  ];
  return `${metricLabel(metric)} ${parts.join(', ')}`;
}

export interface PolicyChange {
  readonly field: string;
  readonly before: string;
  readonly after: string;
  /** It lets something through that was refused before. */
  readonly looser: boolean;
}

const LABELS: Readonly<Record<string, string>> = {
  gates: 'Gates',
  minimumRows: 'Minimum rows',
  datasets: 'Datasets that count',
  maximumSeverity: 'Worst finding allowed',
  quorum: 'Approvals needed',
  requestHours: 'Request stays open',
};
const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'];

function describe(policy: Policy, field: keyof Policy): string {
  switch (field) {
    case 'gates':
      return policy.gates.length === 0 ? 'none' : policy.gates.map(describeGate).join('\n');
    case 'datasets':
      return policy.datasets.length === 0 ? 'any' : policy.datasets.join('\n');
    case 'quorum':
      return plural(policy.quorum.approvals, 'person', 'people');
    case 'requestHours':
      return formatDuration(policy.requestHours * 3_600_000);
    case 'minimumRows':
      return policy.minimumRows.toLocaleString('en-US');
    default: {
      const value = policy[field];
      return value === undefined ? 'not set' : String(value);
    }
  }
}

/** Whether a gate demands of the same thing at least what `gate` does. */
function isAsStrict(other: Gate, gate: Gate): boolean {
  const { min: otherMin, max: otherMax, maxRegression: otherRegression, ...otherRest } = other;
  const { min, max, maxRegression, ...rest } = gate;
  const sorted = (part: object): string => JSON.stringify(Object.entries(part).sort());
  return (
    sorted(otherRest) === sorted(rest) &&
    (min === undefined || (otherMin ?? Number.NEGATIVE_INFINITY) >= min) &&
    (max === undefined || (otherMax ?? Number.POSITIVE_INFINITY) <= max) &&
    (maxRegression === undefined || (otherRegression ?? Number.POSITIVE_INFINITY) <= maxRegression)
  );
}

/** Whether the field alone demands less than before: fewer gates, people or rows, more datasets or findings. */
function isLooser(before: Policy, after: Policy, field: keyof Policy): boolean {
  switch (field) {
    case 'gates':
      return before.gates.some((gate) => !after.gates.some((other) => isAsStrict(other, gate)));
    case 'datasets':
      return (
        before.datasets.length > 0 &&
        (after.datasets.length === 0 || after.datasets.some((digest) => !before.datasets.includes(digest)))
      );
    case 'quorum':
      return after.quorum.approvals < before.quorum.approvals;
    case 'minimumRows':
      return after.minimumRows < before.minimumRows;
    case 'maximumSeverity':
      return SEVERITIES.indexOf(after.maximumSeverity) > SEVERITIES.indexOf(before.maximumSeverity);
    default:
      return false;
  }
}

/** What a changed policy changes, field by field, as the confirmation shows it. */
export function policyChanges(before: Policy, after: Policy): PolicyChange[] {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof Policy)[];
  return fields
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({
      field: LABELS[field] ?? field,
      before: describe(before, field),
      after: describe(after, field),
      looser: isLooser(before, after, field),
    }));
}
