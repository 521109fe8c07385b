/** What the pages of validations and comparisons share. */
import type { Interval } from '../../domain/evidence/interval.ts';
import type { OutputFinding } from '../../domain/evidence/output-findings.ts';
import { rowsBehind } from '../../domain/metrics/compare.ts';
import type { ClassificationMetrics, DatasetInfo } from '../../domain/metrics/report.ts';
import { figure } from './charts.ts';
import type { ReportSection, ReportTable } from './page.ts';

/** Rows of long tables that a page shows; the stored report keeps more. */
export const SHOWN_ROWS = 200;

const METRIC_NAMES: readonly (readonly [keyof ClassificationMetrics & string, string])[] = [
  ['accuracy', 'Accuracy'],
  ['balanced_accuracy', 'Balanced accuracy'],
  ['precision', 'Precision'],
  ['recall', 'Recall (detection rate)'],
  ['f1', 'F1'],
  ['mcc', 'MCC'],
  ['roc_auc', 'ROC AUC'],
  ['pr_auc', 'PR AUC (average precision)'],
  ['false_positive_rate', 'False-positive rate'],
  ['tpr_at_fpr_0_01', 'Detection rate at 1 % false positives'],
  ['tpr_at_fpr_0_001', 'Detection rate at 0.1 % false positives'],
  ['positive_rate', 'Share of rows flagged'],
  ['log_loss', 'Log loss (nats)'],
  ['brier', 'Brier score'],
  ['ece', 'Expected calibration error'],
];
const SHORT_NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(METRIC_NAMES),
  latency_p50_ms: 'Latency p50 (ms)',
  latency_p95_ms: 'Latency p95 (ms)',
  latency_p99_ms: 'Latency p99 (ms)',
};

export function metricName(metric: string): string {
  return SHORT_NAMES[metric] ?? metric;
}

export function intervalText(interval: Interval | null | undefined): string {
  return interval == null
    ? '–'
    : `${figure(interval.low)} to ${figure(interval.high)} (${interval.method === 'delong' ? 'DeLong' : interval.method})`;
}

export function signed(delta: number | null): string {
  return delta === null ? '–' : `${delta > 0 ? '+' : ''}${figure(delta)}`;
}

export function percent(share: number | null): string {
  return share === null ? '–' : `${figure(share * 100)} %`;
}

export function probability(p: number | null): string {
  return p === null ? '–' : p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}

/** Every metric with the rows it stands on and its interval; a dash where it is undefined, never 0. */
export function metricTable(
  metrics: ClassificationMetrics,
  intervals: Readonly<Record<string, Interval>>,
): ReportTable {
  return {
    columns: ['Metric', 'Value', '95 % interval', 'Rows'],
    rows: METRIC_NAMES.map(([metric, name]) => [
      name,
      figure(metrics[metric] as number | null),
      intervalText(intervals[metric]),
      String(rowsBehind(metric, metrics)),
    ]),
  };
}

export function confusionTable({ tn, fp, fn, tp }: ClassificationMetrics['confusion']): ReportTable {
  return {
    caption: 'Confusion, in rows',
    columns: ['Truth', 'Judged benign', 'Judged malicious'],
    rows: [
      ['benign', String(tn), String(fp)],
      ['malicious', String(fn), String(tp)],
    ],
  };
}

export function findingsTable(findings: readonly OutputFinding[], model?: string): ReportTable {
  return {
    ...(model === undefined ? {} : { caption: model }),
    columns: ['Finding', 'Severity', 'Rows', 'First rows', 'What it means'],
    rows: findings.map(({ title, severity, rows, of, examples, detail }) => [
      title,
      severity,
      `${rows} of ${of}`,
      examples.slice(0, 5).join(', '),
      detail,
    ]),
  };
}

export function datasetFacts(dataset: DatasetInfo): NonNullable<ReportSection['facts']> {
  return [
    { name: 'Dataset', value: dataset.fileName },
    { name: 'Dataset digest (SHA-256)', value: dataset.digest },
    { name: 'Format', value: dataset.format },
    { name: 'Size', value: `${dataset.sizeBytes} bytes` },
    {
      name: 'Rows',
      value:
        dataset.rowsInFile === null || dataset.rowsInFile === dataset.rows
          ? String(dataset.rows)
          : `${dataset.rows} of ${dataset.rowsInFile}`,
    },
    ...(dataset.filter === null ? [] : [{ name: 'Filter', value: dataset.filter }]),
    { name: 'Label column', value: dataset.labelled ? dataset.labelColumn : 'none: there is no truth' },
    { name: 'Feature columns', value: String(dataset.featureColumns) },
    { name: 'Other columns', value: dataset.ignoredColumns.slice(0, 20).join(', ') || 'none' },
  ];
}

export function subtitle({
  runBy,
  createdAt,
  dataset,
}: {
  readonly runBy: string;
  readonly createdAt: string;
  readonly dataset: DatasetInfo;
}): string {
  return `${dataset.fileName} · ${dataset.rows} rows · ${createdAt} · by ${runBy}`;
}
