import type { ComparisonReport } from '../../domain/metrics/report.ts';
import { formatRef } from '../../domain/model/version.ts';
import { figure, lineChart } from './charts.ts';
import { type ReportSection, type ReportTable, renderHtmlReport } from './page.ts';
import {
  confusionTable,
  datasetFacts,
  findingsTable,
  intervalText,
  metricName,
  metricTable,
  probability,
  SHOWN_ROWS,
  signed,
  subtitle,
} from './report-parts.ts';

/** A comparison as one self-contained HTML page, with the rows on which the two differ. */
export function renderComparisonReport(report: ComparisonReport): string {
  const champion = formatRef(report.champion);
  const challenger = formatRef(report.challenger);
  return renderHtmlReport({
    title: `${challenger} against ${champion}`,
    subtitle: subtitle(report),
    sections: [
      differenceSection(report),
      ...significanceSection(report),
      ...othersSection(report),
      {
        heading: `Champion ${champion}`,
        table: metricTable(report.championMetrics, report.intervals.champion),
        tables: report.dataset.labelled ? [confusionTable(report.championMetrics.confusion)] : [],
      },
      {
        heading: `Challenger ${challenger}`,
        table: metricTable(report.challengerMetrics, report.intervals.challenger),
        tables: report.dataset.labelled ? [confusionTable(report.challengerMetrics.confusion)] : [],
      },
      ...scoreSection(report),
      ...flipSection(report),
      ...findingsSection(report),
      ...seriesSection(report),
      ...latencySection(report),
      rowsSection(report),
      {
        heading: 'What was measured',
        facts: [
          { name: 'Champion digest (SHA-256)', value: report.championDigest },
          { name: 'Challenger digest (SHA-256)', value: report.challengerDigest },
          ...datasetFacts(report.dataset),
          { name: 'Report', value: report.id },
        ],
      },
    ],
  });
}

function differenceSection(report: ComparisonReport): ReportSection {
  const { labelled, rows } = report.dataset;
  return {
    heading: `${report.disagreements} of ${rows} rows differ`,
    text: labelled
      ? `The challenger is right on ${report.challengerFixes} of them, the champion on ${report.challengerBreaks}.`
      : 'The data has no truth: who is right is not known.',
    tone: !labelled ? 'plain' : report.challengerFixes >= report.challengerBreaks ? 'good' : 'bad',
    table: {
      columns: [
        'Metric',
        `Champion ${formatRef(report.champion)}`,
        `Challenger ${formatRef(report.challenger)}`,
        'Difference',
        '95 % interval of the difference',
      ],
      rows: report.deltas.map(({ metric, champion, challenger, delta }) => [
        metricName(metric),
        figure(champion),
        figure(challenger),
        signed(delta),
        intervalText(report.deltaIntervals[metric]),
      ]),
    },
  };
}

function significanceSection({
  significance,
  disagreementMatrix,
  champion,
  challenger,
  dataset,
}: ComparisonReport): ReportSection[] {
  if (significance === null) return [];
  const method = significance.mcnemarMethod === 'exact' ? 'exact' : 'chi-squared';
  const tables: ReportTable[] =
    disagreementMatrix.length === 2
      ? [
          {
            caption: 'Decisions side by side, in rows',
            columns: [
              `${formatRef(champion)} says`,
              `${formatRef(challenger)}: benign`,
              `${formatRef(challenger)}: malicious`,
            ],
            rows: disagreementMatrix.map((counts, index) => [
              index === 0 ? 'benign' : 'malicious',
              ...counts.map(String),
            ]),
          },
        ]
      : [];
  return [
    {
      heading: 'Is it more than chance?',
      facts: [
        {
          name: `McNemar's test on ${dataset.rows} rows (${method})`,
          value: probability(significance.mcnemarP),
        },
        { name: 'Difference in ROC AUC', value: signed(significance.aucDelta) },
        { name: 'Its 95 % interval', value: intervalText(significance.aucDeltaInterval) },
        { name: 'Its p (DeLong)', value: probability(significance.aucP) },
        { name: "Agreement (Cohen's kappa)", value: figure(significance.kappa) },
      ],
      tables,
    },
  ];
}

function othersSection({ others, dataset }: ComparisonReport): ReportSection[] {
  if (others.length === 0) return [];
  return [
    {
      heading: 'Further versions on the same rows',
      table: {
        columns: [
          ...['Version', 'Rows', 'Accuracy', 'Recall', 'Precision', 'False-positive rate', 'ROC AUC'],
          ...['ROC AUC against the champion', '95 % interval', 'Fixes', 'Breaks', 'McNemar'],
        ],
        rows: others.map(({ ref, metrics, against }) => [
          formatRef(ref),
          String(dataset.rows),
          figure(metrics.accuracy),
          figure(metrics.recall),
          figure(metrics.precision),
          figure(metrics.false_positive_rate),
          figure(metrics.roc_auc),
          signed(against?.significance?.aucDelta ?? null),
          intervalText(against?.significance?.aucDeltaInterval ?? undefined),
          against === null ? '–' : String(against.fixes),
          against === null ? '–' : String(against.breaks),
          probability(against?.significance?.mcnemarP ?? null),
        ]),
      },
    },
  ];
}

function scoreSection({
  scatter,
  scoreShift,
  champion,
  challenger,
  dataset,
}: ComparisonReport): ReportSection[] {
  if (scatter.length === 0 && scoreShift === null) return [];
  const kinds = dataset.labelled
    ? [
        { name: 'benign', label: 0 },
        { name: 'malicious', label: 1 },
      ]
    : [{ name: 'rows', label: null }];
  return [
    {
      heading: 'Scores',
      ...(scoreShift === null
        ? {}
        : {
            facts: [
              { name: 'Mean difference', value: signed(scoreShift.meanDelta) },
              { name: 'Correlation', value: figure(scoreShift.correlation) },
              { name: 'PSI', value: figure(scoreShift.psi) },
              { name: 'Kolmogorov-Smirnov', value: figure(scoreShift.ks) },
              { name: 'Wasserstein', value: figure(scoreShift.wasserstein) },
            ],
          }),
      figures:
        scatter.length === 0
          ? []
          : [
              lineChart({
                title: `Scores of ${scatter.length} of ${dataset.rows} rows, disagreements first`,
                xLabel: formatRef(champion),
                yLabel: formatRef(challenger),
                curves: kinds.map(({ name, label }) => ({
                  name,
                  points: scatter
                    .filter((point) => label === null || point.label === label)
                    .map(({ a, b }) => ({ x: a, y: b })),
                })),
                dots: true,
              }),
            ],
    },
  ];
}

function flipSection({ sliceFlips }: ComparisonReport): ReportSection[] {
  if (sliceFlips.length === 0) return [];
  const sorted = [...sliceFlips].sort((a, b) => b.fixed + b.broken - a.fixed - a.broken);
  return [
    {
      heading: 'Where answers changed',
      text: "Fixed: only the challenger is right. Broken: only the champion was. p is McNemar's, corrected over all slices; a dash means too few rows.",
      table: {
        columns: ['Slice', 'Rows', 'Fixed', 'Broken', 'Recall', 'False-positive rate', 'p'],
        rows: sorted
          .slice(0, SHOWN_ROWS)
          .map((flip) => [
            `${flip.column} = ${flip.value}`,
            String(flip.rows),
            String(flip.fixed),
            String(flip.broken),
            signed(flip.recallDelta),
            signed(flip.falsePositiveDelta),
            probability(flip.adjustedP),
          ]),
      },
    },
  ];
}

function findingsSection(report: ComparisonReport): ReportSection[] {
  const { outputFindings, champion, challenger, others } = report;
  const tables = [
    ...(outputFindings.champion.length > 0
      ? [findingsTable(outputFindings.champion, `Champion ${formatRef(champion)}`)]
      : []),
    ...(outputFindings.challenger.length > 0
      ? [findingsTable(outputFindings.challenger, `Challenger ${formatRef(challenger)}`)]
      : []),
    ...others.flatMap((other) =>
      other.outputFindings.length > 0 ? [findingsTable(other.outputFindings, formatRef(other.ref))] : [],
    ),
  ];
  return tables.length === 0 ? [] : [{ heading: 'Answers that contradict themselves', tone: 'bad', tables }];
}

function seriesSection({ series, champion, challenger }: ComparisonReport): ReportSection[] {
  const [first] = series;
  const last = series.at(-1);
  if (!first || !last) return [];
  const at = (bucket: (typeof series)[number]): number => Date.parse(bucket.at);
  const ends = [first.at, last.at] as const;
  const rate = (index: number) =>
    series.map((bucket) => ({ x: at(bucket), y: bucket.positiveRates[index] ?? null }));
  return [
    {
      heading: 'Over time',
      figures: [
        lineChart({
          title: 'Rows that differ, as a share of each period',
          xLabel: 'time',
          yLabel: 'share of rows',
          curves: [
            {
              name: 'differ',
              points: series.map((bucket) => ({
                x: at(bucket),
                y: bucket.rows === 0 ? null : bucket.disagreements / bucket.rows,
              })),
            },
          ],
          xEnds: ends,
        }),
        lineChart({
          title: 'Rows flagged, as a share of each period',
          xLabel: 'time',
          yLabel: 'share of rows',
          curves: [
            { name: formatRef(champion), points: rate(0) },
            { name: formatRef(challenger), points: rate(1) },
          ],
          xEnds: ends,
        }),
      ],
    },
  ];
}

function latencySection({
  latencyHistogram,
  championLatency,
  challengerLatency,
  champion,
  challenger,
}: ComparisonReport): ReportSection[] {
  const row = (name: string, latency: typeof championLatency): string[] => [
    name,
    `${figure(latency.p50)} ms`,
    `${figure(latency.p95)} ms`,
    `${figure(latency.p99)} ms`,
    String(latency.samples),
  ];
  const middle = (bin: number): number =>
    ((latencyHistogram?.edgesMs[bin] ?? 0) + (latencyHistogram?.edgesMs[bin + 1] ?? 0)) / 2;
  const curve = (name: string, counts: readonly number[]) => ({
    name,
    points: counts.map((count, bin) => ({ x: middle(bin), y: count })),
  });
  return [
    {
      heading: 'Speed',
      table: {
        columns: ['Version', 'p50', 'p95', 'p99', 'Single-row calls'],
        rows: [row(formatRef(champion), championLatency), row(formatRef(challenger), challengerLatency)],
      },
      figures:
        latencyHistogram === null
          ? []
          : [
              lineChart({
                title: 'Latency of single-row calls',
                xLabel: 'milliseconds',
                yLabel: 'calls',
                curves: [
                  curve(formatRef(champion), latencyHistogram.champion),
                  curve(formatRef(challenger), latencyHistogram.challenger),
                ],
              }),
            ],
    },
  ];
}

function rowsSection({ disagreementRows, disagreements, dataset }: ComparisonReport): ReportSection {
  const shown = disagreementRows.slice(0, SHOWN_ROWS);
  const context = [...new Set(shown.flatMap((row) => Object.keys(row.context)))];
  const verdict = (label: number): string => (label === 1 ? 'malicious' : 'benign');
  return {
    heading: 'Rows on which they differ',
    text:
      shown.length < disagreements
        ? `The first ${shown.length} of ${disagreements}.`
        : `All ${shown.length}.`,
    table: {
      columns: ['Row', 'Truth', 'Champion', 'Score', 'Challenger', 'Score', ...context],
      rows: shown.map((row) => [
        String(row.row),
        dataset.labelled ? verdict(row.label) : '–',
        verdict(row.championLabel),
        figure(row.championScore),
        verdict(row.challengerLabel),
        figure(row.challengerScore),
        ...context.map((name) => row.context[name] ?? ''),
      ]),
    },
  };
}
