import type { ValidationReport } from '../../domain/metrics/report.ts';
import { formatRef } from '../../domain/model/version.ts';
import { overallVerdict, verdictOf } from '../../domain/policy/evaluate.ts';
import { curveChart, figure, histogramChart, lineChart } from './charts.ts';
import { type Html, html } from './html.ts';
import { type ReportSection, type ReportTable, renderHtmlReport } from './page.ts';
import {
  confusionTable,
  datasetFacts,
  findingsTable,
  intervalText,
  metricTable,
  percent,
  probability,
  SHOWN_ROWS,
  signed,
  subtitle,
} from './report-parts.ts';

/** A validation as one self-contained HTML page. */
export function renderValidationReport(report: ValidationReport): string {
  return renderHtmlReport({
    title: `Validation of ${formatRef(report.ref)}`,
    subtitle: subtitle(report),
    sections: [
      verdictSection(report),
      report.regression === null ? qualitySection(report) : regressionSection(report),
      ...scoreSection(report),
      ...thresholdSection(report),
      ...sliceSection(report),
      outputSection(report),
      ...driftSection(report),
      ...robustnessSection(report),
      speedSection(report),
      {
        heading: 'What was measured',
        facts: [
          { name: 'Model digest (SHA-256)', value: report.digest },
          ...datasetFacts(report.dataset),
          { name: 'Outputs read as', value: mappingText(report) },
          { name: 'Report', value: report.id },
        ],
      },
    ],
  });
}

const VERDICT_WORDS = { pass: 'pass', fail: 'FAIL', inconclusive: 'inconclusive' } as const;

function verdictSection({ gates, environmentName }: ValidationReport): ReportSection {
  if (gates.length === 0)
    return {
      heading: 'Measured, not judged',
      text: 'No policy was given, so no gate ran. This is not a pass.',
    };
  const by = environmentName ?? 'the given policy (what-if: no state was changed)';
  const count = (verdict: 'fail' | 'inconclusive') =>
    gates.filter((gate) => verdictOf(gate) === verdict).length;
  const verdict = overallVerdict(gates);
  const heading = {
    pass: `Passed: all ${gates.length} gates`,
    fail: `Not passed: ${count('fail')} of ${gates.length} gates`,
    inconclusive: `Inconclusive: ${count('inconclusive')} of ${gates.length} gates`,
  }[verdict];
  return {
    heading,
    tone: verdict === 'pass' ? 'good' : verdict === 'fail' ? 'bad' : 'open',
    text: `Judged by ${by}.${count('inconclusive') === 0 ? '' : ' An inconclusive gate had too little to stand on; it never counts as a pass.'}`,
    table: {
      columns: ['Gate', 'Measured', 'Champion', 'Rows', 'Result', 'Why'],
      rows: gates.map((gate) => [
        gate.gate,
        figure(gate.measured),
        figure(gate.baseline),
        gate.rows == null ? '–' : String(gate.rows),
        html`<span class="${verdictOf(gate)}">${VERDICT_WORDS[verdictOf(gate)]}</span>`,
        gate.reason,
      ]),
    },
  };
}

function qualitySection({ metrics, intervals, dataset }: ValidationReport): ReportSection {
  return {
    heading: 'Quality',
    text: dataset.labelled
      ? `${metrics.positives} of ${metrics.rows} rows are malicious.`
      : 'The data has no truth: only what needs none was measured.',
    table: metricTable(metrics, intervals),
    ...(dataset.labelled ? { tables: [confusionTable(metrics.confusion)] } : {}),
  };
}

function regressionSection({ regression, intervals }: ValidationReport): ReportSection {
  const rows = String(regression?.rows ?? 0);
  const line = (name: string, value: number | null, key: string): string[] => [
    name,
    figure(value),
    intervalText(intervals[key]),
    rows,
  ];
  return {
    heading: 'Quality',
    table: {
      columns: ['Metric', 'Value', '95 % interval', 'Rows'],
      rows: [
        line('Mean absolute error', regression?.mae ?? null, 'mae'),
        line('Root mean squared error', regression?.rmse ?? null, 'rmse'),
        line('R²', regression?.r2 ?? null, 'r2'),
        line('Median absolute error', regression?.median_absolute_error ?? null, 'median_absolute_error'),
        line('Largest error', regression?.max_error ?? null, 'max_error'),
      ],
    },
  };
}

function scoreSection(report: ValidationReport): ReportSection[] {
  const name = formatRef(report.ref);
  const figures: Html[] = [];
  if (report.roc.length > 0)
    figures.push(
      curveChart('ROC', 'false-positive rate', 'true-positive rate', [{ name, points: report.roc }], true),
    );
  if (report.precisionRecall.length > 0)
    figures.push(
      curveChart(
        'Precision and recall',
        'recall',
        'precision',
        [{ name, points: report.precisionRecall }],
        false,
      ),
    );
  if (report.scoreHistogram)
    figures.push(histogramChart('Scores, as a share of each true class', report.scoreHistogram));
  const filled = report.reliability.filter(({ rows }) => rows > 0);
  if (filled.length > 0)
    figures.push(
      curveChart(
        'Reliability: how often rows of a score are malicious',
        'mean score in the bin',
        'share malicious',
        [{ name, points: filled.map(({ confidence, frequency }) => ({ x: confidence, y: frequency })) }],
        true,
      ),
    );
  const tables: ReportTable[] = [];
  if (filled.length > 0)
    tables.push({
      caption: 'Reliability, bin by bin',
      columns: ['Scores', 'Rows', 'Mean score', 'Share malicious'],
      rows: filled.map(({ low, high, rows, confidence, frequency }) => [
        `${figure(low, 3)} to ${figure(high, 3)}`,
        String(rows),
        figure(confidence),
        figure(frequency),
      ]),
    });
  if (report.scoreQuantiles.length > 0)
    tables.push({
      caption: `Quantiles of the score over ${report.dataset.rows} rows`,
      columns: report.scoreQuantiles.map(({ q }) => percent(q)),
      rows: [report.scoreQuantiles.map(({ value }) => figure(value))],
    });
  return figures.length + tables.length === 0 ? [] : [{ heading: 'Scores', figures, tables }];
}

function thresholdSection({ sweep }: ValidationReport): ReportSection[] {
  if (sweep.length === 0) return [];
  const decision = sweep.find((point) => point.decision);
  const curve = (name: string, of: (point: (typeof sweep)[number]) => number | null) => ({
    name,
    points: sweep.map((point) => ({ x: point.threshold, y: of(point) })),
  });
  return [
    {
      heading: 'Thresholds',
      figures: [
        lineChart({
          title: 'Rates by decision threshold',
          xLabel: 'threshold on the score',
          yLabel: 'rate',
          curves: [
            curve('recall', ({ recall }) => recall),
            curve('false-positive rate', (point) => point.false_positive_rate),
            curve('precision', ({ precision }) => precision),
          ],
          ...(decision ? { mark: { x: decision.threshold, name: 'decision' } } : {}),
        }),
      ],
      ...(decision
        ? {
            facts: [
              { name: 'Decision threshold', value: figure(decision.threshold) },
              { name: 'Recall there', value: figure(decision.recall) },
              { name: 'Precision there', value: figure(decision.precision) },
              { name: 'False-positive rate there', value: figure(decision.false_positive_rate) },
            ],
          }
        : {}),
    },
  ];
}

function sliceSection({ slices }: ValidationReport): ReportSection[] {
  if (slices.length === 0) return [];
  // The worst first, those with too few rows last.
  const rank = (slice: (typeof slices)[number]): number => (slice.worst ? 0 : slice.tooFew ? 2 : 1);
  const sorted = [...slices].sort((a, b) => rank(a) - rank(b));
  const worst = slices.filter((slice) => slice.worst).length;
  return [
    {
      heading: `Slices: ${worst} of ${slices.length} stand out as worse`,
      tone: worst === 0 ? 'plain' : 'open',
      text: `p is corrected over all slices that were looked at. Slices with too few rows are shown and never judged.${slices.length > SHOWN_ROWS ? ` The first ${SHOWN_ROWS} of ${slices.length}.` : ''}`,
      table: {
        columns: [
          'Slice',
          'Rows',
          'Malicious',
          'Recall',
          '95 % interval',
          'False-positive rate',
          '95 % interval',
          'Precision',
          'Verdict',
        ],
        rows: sorted
          .slice(0, SHOWN_ROWS)
          .map((slice) => [
            `${slice.column} = ${slice.value}`,
            String(slice.rows),
            String(slice.positives),
            figure(slice.recall),
            intervalText(slice.recallInterval),
            figure(slice.false_positive_rate),
            intervalText(slice.falsePositiveInterval),
            figure(slice.precision),
            slice.tooFew
              ? html`<span class="soft">too few rows</span>`
              : slice.worst
                ? html`<span class="fail">worse (${probability(slice.adjustedP)})</span>`
                : '',
          ]),
      },
    },
  ];
}

function outputSection({ outputFindings, dataset }: ValidationReport): ReportSection {
  if (outputFindings.length === 0)
    return {
      heading: 'Answers held against each other',
      text: `Labels, probabilities and scores of ${dataset.rows} rows do not contradict each other.`,
    };
  return {
    heading: `Answers held against each other: ${outputFindings.length} findings`,
    tone: 'bad',
    table: findingsTable(outputFindings),
  };
}

function driftSection({ drift }: ValidationReport): ReportSection[] {
  if (drift === null) return [];
  const { reference, rows, score, features, estimatedAccuracy } = drift;
  const order = { drift: 0, watch: 1, stable: 2, 'too-few': 3 } as const;
  const sorted = [...features].sort(
    (a, b) => order[a.verdict] - order[b.verdict] || (b.psi ?? 0) - (a.psi ?? 0),
  );
  const shown = [...(score === null ? [] : [score]), ...sorted].slice(0, SHOWN_ROWS);
  const small = (p: number | null): string => (p === null ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3));
  return [
    {
      heading: `Drift: ${percent(drift.driftedShare)} of ${features.length} features moved`,
      tone: drift.driftedShare > 0 || score?.verdict === 'drift' ? 'open' : 'good',
      text: `${rows} rows held against ${reference.rows} rows of ${formatRef(reference.ref)} (dataset ${reference.datasetDigest.slice(0, 12)}…). A PSI above its threshold is more than chance explains for these sample sizes; p is corrected over all features.`,
      ...(estimatedAccuracy === null
        ? {}
        : {
            facts: [
              {
                name: 'Accuracy without labels: an estimate',
                value: `${figure(estimatedAccuracy.value)} (${figure(estimatedAccuracy.low)} to ${figure(estimatedAccuracy.high)})`,
              },
            ],
          }),
      table: {
        columns: ['Feature', 'Verdict', 'PSI', 'Threshold', 'KS', 'Jensen-Shannon', 'Wasserstein (sd)', 'p'],
        rows: shown.map((each) => [
          each.feature,
          html`<span class="${{ drift: 'fail', watch: 'inconclusive', stable: 'pass', 'too-few': 'soft' }[each.verdict]}">${each.verdict}</span>`,
          figure(each.psi),
          figure(each.psiThreshold),
          figure(each.ks),
          figure(each.jensenShannon),
          figure(each.wasserstein),
          small(each.adjustedP),
        ]),
      },
    },
  ];
}

function robustnessSection({ robustness }: ValidationReport): ReportSection[] {
  if (robustness.length === 0) return [];
  return [
    {
      heading: 'Robustness: what small damage to the input does',
      table: {
        columns: [
          'Damage',
          'Rows',
          'Recall',
          'Change',
          'False-positive rate',
          'Change',
          'ROC AUC',
          'Change',
          'Labels changed',
          'No answer',
        ],
        rows: robustness
          .slice(0, SHOWN_ROWS)
          .map((result) => [
            html`${result.id}<br><span class="soft">${result.description}</span>`,
            String(result.rows),
            figure(result.recall),
            signed(result.recallDelta),
            figure(result.falsePositiveRate),
            signed(result.falsePositiveDelta),
            figure(result.rocAuc),
            signed(result.rocAucDelta),
            percent(result.flipRate),
            String(result.failures),
          ]),
      },
    },
  ];
}

function speedSection({ latency, rowsPerSecond, execution, durationMs }: ValidationReport): ReportSection {
  return {
    heading: 'Speed',
    facts: [
      { name: 'p50', value: `${figure(latency.p50)} ms` },
      { name: 'p95', value: `${figure(latency.p95)} ms` },
      { name: 'p99', value: `${figure(latency.p99)} ms` },
      { name: 'Single-row calls', value: String(latency.samples) },
      { name: 'Rows per second, in batches', value: figure(Math.round(rowsPerSecond)) },
      { name: 'Whole run', value: `${figure(durationMs / 1000, 3)} s` },
      ...(execution === null
        ? []
        : [
            { name: 'Threads', value: String(execution.threads) },
            { name: 'Rows a batch', value: String(execution.batchRows) },
            { name: 'Seed of everything drawn', value: String(execution.seed) },
          ]),
    ],
  };
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
