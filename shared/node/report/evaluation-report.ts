import type { ComparisonReport, ValidationReport } from '../../domain/metrics/report.ts';
import { formatRef } from '../../domain/model/version.ts';
import { curveChart, figure, histogramChart } from './charts.ts';
import { type ReportSection, renderHtmlReport } from './page.ts';

/** Disagreeing rows a page shows; the stored report keeps more. */
const SHOWN_ROWS = 200;

/** A validation as one self-contained HTML page. */
export function renderValidationReport(report: ValidationReport): string {
  const { metrics, gates, latency } = report;
  const judged = gates.length > 0;
  const by = report.environmentName ?? 'the given policy (what-if: no state was changed)';
  const failed = gates.filter(({ passed }) => !passed).length;
  const sections: ReportSection[] = [
    judged
      ? {
          heading: report.passed ? 'Passed' : `Not passed: ${failed} of ${gates.length} gates`,
          tone: report.passed ? 'good' : 'bad',
          text: `Judged by ${by}.`,
          table: {
            columns: ['Gate', 'Measured', 'Champion', 'Result', 'Why'],
            rows: gates.map((gate) => [
              gate.gate,
              figure(gate.measured),
              figure(gate.baseline),
              gate.passed ? 'pass' : 'FAIL',
              gate.reason,
            ]),
          },
        }
      : { heading: 'Measured, not judged', text: 'No policy was given, so no gate ran. This is not a pass.' },
    { heading: 'Quality', facts: metricFacts(metrics), table: confusionTable(metrics.confusion) },
  ];
  const figures = [
    ...(report.roc.length > 0
      ? [
          curveChart(
            'ROC',
            'false-positive rate',
            'true-positive rate',
            [{ name: formatRef(report.ref), points: report.roc }],
            true,
          ),
        ]
      : []),
    ...(report.precisionRecall.length > 0
      ? [
          curveChart(
            'Precision and recall',
            'recall',
            'precision',
            [{ name: formatRef(report.ref), points: report.precisionRecall }],
            false,
          ),
        ]
      : []),
    ...(report.scoreHistogram
      ? [histogramChart('Scores, as a share of each true class', report.scoreHistogram)]
      : []),
  ];
  if (figures.length > 0) sections.push({ heading: 'Scores', figures });
  sections.push(
    {
      heading: 'Speed',
      facts: [
        { name: 'p50', value: `${figure(latency.p50)} ms` },
        { name: 'p95', value: `${figure(latency.p95)} ms` },
        { name: 'p99', value: `${figure(latency.p99)} ms` },
        { name: 'Single-row calls', value: String(latency.samples) },
        { name: 'Rows per second, in batches', value: figure(Math.round(report.rowsPerSecond)) },
      ],
    },
    {
      heading: 'What was measured',
      facts: [
        { name: 'Model digest (SHA-256)', value: report.digest },
        ...datasetFacts(report),
        { name: 'Outputs read as', value: mappingText(report) },
      ],
    },
  );
  return renderHtmlReport({
    title: `Validation of ${formatRef(report.ref)}`,
    subtitle: subtitle(report),
    sections,
  });
}

/** A comparison as one self-contained HTML page, with the rows on which the two differ. */
export function renderComparisonReport(report: ComparisonReport): string {
  const champion = formatRef(report.champion);
  const challenger = formatRef(report.challenger);
  const shown = report.disagreementRows.slice(0, SHOWN_ROWS);
  const context = [...new Set(shown.flatMap((row) => Object.keys(row.context)))];
  const verdict = (label: number): string => (label === 1 ? 'malicious' : 'benign');
  return renderHtmlReport({
    title: `${challenger} against ${champion}`,
    subtitle: subtitle(report),
    sections: [
      {
        heading: `${report.disagreements} of ${report.dataset.rows} rows differ`,
        text: `The challenger is right on ${report.challengerFixes} of them, the champion on ${report.challengerBreaks}.`,
        tone: report.challengerFixes >= report.challengerBreaks ? 'good' : 'bad',
        table: {
          columns: ['Metric', `Champion ${champion}`, `Challenger ${challenger}`, 'Difference'],
          rows: report.deltas.map(({ metric, champion: before, challenger: after, delta }) => [
            metric,
            figure(before),
            figure(after),
            signed(delta),
          ]),
        },
      },
      {
        heading: `Champion ${champion}`,
        facts: metricFacts(report.championMetrics),
        table: confusionTable(report.championMetrics.confusion),
      },
      {
        heading: `Challenger ${challenger}`,
        facts: metricFacts(report.challengerMetrics),
        table: confusionTable(report.challengerMetrics.confusion),
      },
      {
        heading: 'Rows on which they differ',
        text:
          shown.length < report.disagreements
            ? `The first ${shown.length} of ${report.disagreements}.`
            : `All ${shown.length}.`,
        table: {
          columns: ['Row', 'Truth', 'Champion', 'Score', 'Challenger', 'Score', ...context],
          rows: shown.map((row) => [
            String(row.row),
            verdict(row.label),
            verdict(row.championLabel),
            figure(row.championScore),
            verdict(row.challengerLabel),
            figure(row.challengerScore),
            ...context.map((name) => row.context[name] ?? ''),
          ]),
        },
      },
      {
        heading: 'What was measured',
        facts: [
          { name: 'Champion digest (SHA-256)', value: report.championDigest },
          { name: 'Challenger digest (SHA-256)', value: report.challengerDigest },
          ...datasetFacts(report),
        ],
      },
    ],
  });
}

type Metrics = ValidationReport['metrics'];

function metricFacts(metrics: Metrics): { name: string; value: string }[] {
  return [
    { name: 'Rows', value: String(metrics.rows) },
    { name: 'Malicious', value: String(metrics.positives) },
    { name: 'Accuracy', value: figure(metrics.accuracy) },
    { name: 'Balanced accuracy', value: figure(metrics.balanced_accuracy) },
    { name: 'Precision', value: figure(metrics.precision) },
    { name: 'Recall', value: figure(metrics.recall) },
    { name: 'F1', value: figure(metrics.f1) },
    { name: 'MCC', value: figure(metrics.mcc) },
    { name: 'ROC AUC', value: figure(metrics.roc_auc) },
    { name: 'False-positive rate', value: figure(metrics.false_positive_rate) },
  ];
}

function confusionTable({ tn, fp, fn, tp }: Metrics['confusion']): NonNullable<ReportSection['table']> {
  return {
    columns: ['Truth', 'Judged benign', 'Judged malicious'],
    rows: [
      ['benign', String(tn), String(fp)],
      ['malicious', String(fn), String(tp)],
    ],
  };
}

function datasetFacts({
  dataset,
}: {
  readonly dataset: ValidationReport['dataset'];
}): { name: string; value: string }[] {
  return [
    { name: 'Dataset', value: dataset.fileName },
    { name: 'Dataset digest (SHA-256)', value: dataset.digest },
    { name: 'Size', value: `${dataset.sizeBytes} bytes` },
    { name: 'Label column', value: dataset.labelColumn },
    { name: 'Feature columns', value: String(dataset.featureColumns) },
    { name: 'Other columns', value: dataset.ignoredColumns.slice(0, 20).join(', ') || 'none' },
  ];
}

function mappingText({ mapping }: ValidationReport): string {
  const label =
    mapping.labelOutput === null
      ? 'no label output'
      : `label "${mapping.labelOutput}", malicious = ${mapping.positiveLabel}`;
  const score =
    mapping.scoreOutput === null
      ? 'no score output'
      : `score "${mapping.scoreOutput}", column ${mapping.scoreColumn}, ${mapping.lowerIsPositive ? 'lower' : 'higher'} is more malicious`;
  return `${label}; ${score}`;
}

function subtitle({
  runBy,
  createdAt,
  dataset,
}: {
  readonly runBy: string;
  readonly createdAt: string;
  readonly dataset: ValidationReport['dataset'];
}): string {
  return `${dataset.fileName} · ${dataset.rows} rows · ${createdAt} · by ${runBy}`;
}

function signed(delta: number | null): string {
  return delta === null ? '–' : `${delta > 0 ? '+' : ''}${figure(delta)}`;
}
