/** Reports as text for a terminal: tables with units, sample sizes and 95 % intervals. */
import type { Interval } from '../../shared/domain/evidence/interval.ts';
import type { EvidenceRows } from '../../shared/domain/evidence/rows.ts';
import { rowsBehind } from '../../shared/domain/metrics/compare.ts';
import type { ComparisonReport, GateResult, ValidationReport } from '../../shared/domain/metrics/report.ts';
import { formatRef } from '../../shared/domain/model/version.ts';
import { overallVerdict, verdictOf } from '../../shared/domain/policy/evaluate.ts';
import { COUNTED_METRICS } from '../../shared/domain/policy/judge.ts';
import { bytes, number, table } from './output.ts';

/** Slices that are printed. */
const SHOWN_SLICES = 10;
const SHOWN_FEATURES = 10;
const SHOWN_COLUMNS = 6;

const VERDICT = { pass: 'pass', fail: 'FAIL', inconclusive: 'OPEN' } as const;

const METRICS: readonly (readonly [keyof ValidationReport['metrics'] & string, string])[] = [
  ['accuracy', 'accuracy'],
  ['balanced_accuracy', 'balanced accuracy'],
  ['precision', 'precision'],
  ['recall', 'recall'],
  ['f1', 'F1'],
  ['mcc', 'MCC'],
  ['roc_auc', 'ROC AUC'],
  ['pr_auc', 'PR AUC'],
  ['false_positive_rate', 'false-positive rate'],
  ['tpr_at_fpr_0_01', 'recall at 1 % FPR'],
  ['tpr_at_fpr_0_001', 'recall at 0.1 % FPR'],
  ['positive_rate', 'rows flagged'],
  ['log_loss', 'log loss'],
  ['brier', 'Brier'],
  ['ece', 'ECE'],
];

export function interval(of: Interval | null | undefined): string {
  return of == null ? '' : `${of.low.toFixed(4)} to ${of.high.toFixed(4)}`;
}

const signed = (value: number | null): string =>
  value === null ? '–' : `${value >= 0 ? '+' : ''}${value.toFixed(4)}`;
const share = (value: number | null): string => (value === null ? '–' : `${(value * 100).toFixed(2)} %`);
const probability = (p: number | null): string =>
  p === null ? '–' : p < 0.001 ? 'p < 0.001' : `p ${p.toFixed(3)}`;

/** What everything says together, in one line; null where nothing was judged. */
export function verdictLine(gates: readonly GateResult[]): string | null {
  if (gates.length === 0) return null;
  const count = (verdict: 'pass' | 'fail' | 'inconclusive') =>
    gates.filter((gate) => verdictOf(gate) === verdict).length;
  const verdict = overallVerdict(gates);
  const words = { pass: 'passes', fail: 'does not pass', inconclusive: 'is inconclusive' }[verdict];
  return `${words}: ${count('pass')} of ${gates.length} gates pass, ${count('fail')} fail, ${count('inconclusive')} inconclusive`;
}

export function describeValidation(report: ValidationReport): string {
  const { metrics: m, latency, dataset } = report;
  const parts = [
    `${formatRef(report.ref)} on ${dataset.fileName} (${dataset.format}, ${bytes(dataset.sizeBytes)}, sha256 ${dataset.digest.slice(0, 12)}…): ${rowsText(report)}, ${Math.round(report.rowsPerSecond)} rows/s`,
  ];
  if (report.regression !== null) {
    const { mae, rmse, r2, rows } = report.regression;
    const figures = [
      ['MAE', mae, 'mae'],
      ['RMSE', rmse, 'rmse'],
      ['R²', r2, 'r2'],
    ] as const;
    parts.push(
      table(
        ['metric', 'value', '95 % interval', 'rows'],
        figures.map(([name, value, key]) => [
          name,
          number(value),
          interval(report.intervals[key]),
          String(rows),
        ]),
      ),
    );
  } else {
    if (dataset.labelled)
      parts.push(
        `confusion  tn ${m.confusion.tn}  fp ${m.confusion.fp}  fn ${m.confusion.fn}  tp ${m.confusion.tp}`,
      );
    parts.push(
      table(
        ['metric', 'value', '95 % interval', 'rows'],
        METRICS.filter(([metric]) => m[metric] !== null).map(([metric, name]) => [
          name,
          number(m[metric] as number | null),
          interval(report.intervals[metric]),
          String(rowsBehind(metric, m)),
        ]),
      ),
    );
  }
  parts.push(
    `latency p50 ${latency.p50.toFixed(2)} ms  p95 ${latency.p95.toFixed(2)} ms  p99 ${latency.p99.toFixed(2)} ms  (${latency.samples} single-row calls)`,
    ...sliceParts(report),
    ...report.outputFindings.map(
      (found) =>
        `output finding: ${found.title} (${found.severity}, ${found.rows} of ${found.of} rows)${found.detail === '' ? '' : `: ${found.detail}`}`,
    ),
    ...driftParts(report),
    ...robustnessParts(report),
  );
  if (report.gates.length > 0) parts.push(gateTable(report.gates), verdictLine(report.gates) ?? '');
  parts.push(`report ${report.id}`);
  return parts.join('\n');
}

function rowsText({ dataset, metrics }: Pick<ValidationReport, 'dataset' | 'metrics'>): string {
  const of =
    dataset.filter === null ? '' : ` of ${dataset.rowsInFile ?? '?'} by the filter ${dataset.filter}`;
  const truth = dataset.labelled ? ` (${metrics.positives} positive)` : ' without truth';
  return `${dataset.rows} rows${of}${truth}`;
}

export function gateTable(gates: readonly GateResult[]): string {
  return table(
    ['', 'gate', 'measured', 'rows', 'why'],
    gates.map((gate) => [
      VERDICT[verdictOf(gate)],
      gate.gate,
      measured(gate),
      gate.rows == null ? '' : String(gate.rows),
      gate.reason,
    ]),
  );
}

const measured = ({ metric, measured: value }: GateResult): string =>
  value !== null && (COUNTED_METRICS as readonly string[]).includes(metric) ? String(value) : number(value);

function sliceParts({ slices }: ValidationReport): string[] {
  const worst = slices.filter((slice) => slice.worst);
  const shown = (worst.length > 0 ? worst : slices).slice(0, SHOWN_SLICES);
  if (shown.length === 0) return [];
  const head = worst.length > 0 ? `worst slices (of ${slices.length})` : `slices (of ${slices.length})`;
  return [
    table(
      [head, 'rows', 'recall', '95 % interval', 'FPR', '95 % interval', ''],
      shown.map((slice) => [
        `${slice.column}=${slice.value}`,
        String(slice.rows),
        number(slice.recall),
        interval(slice.recallInterval),
        number(slice.false_positive_rate),
        interval(slice.falsePositiveInterval),
        slice.tooFew ? 'too few rows' : slice.adjustedP === null ? '' : probability(slice.adjustedP),
      ]),
    ),
  ];
}

function driftParts({ drift }: ValidationReport): string[] {
  if (drift === null) return [];
  const { reference, score, estimatedAccuracy } = drift;
  const order = { drift: 0, watch: 1, stable: 2, 'too-few': 3 } as const;
  const features = [...drift.features]
    .sort((a, b) => order[a.verdict] - order[b.verdict] || (b.psi ?? 0) - (a.psi ?? 0))
    .slice(0, SHOWN_FEATURES);
  const estimate =
    estimatedAccuracy === null
      ? ''
      : `; accuracy without labels, an estimate: ${number(estimatedAccuracy.value)} (${number(estimatedAccuracy.low)} to ${number(estimatedAccuracy.high)})`;
  return [
    `drift against ${formatRef(reference.ref)} (${reference.rows} rows): ${share(drift.driftedShare)} of ${drift.features.length} features${estimate}`,
    table(
      ['feature', 'verdict', 'PSI', 'threshold', 'KS', 'adjusted p'],
      [...(score === null ? [] : [score]), ...features].map((each) => [
        each.feature,
        each.verdict,
        number(each.psi),
        number(each.psiThreshold),
        number(each.ks),
        each.adjustedP === null ? '–' : each.adjustedP.toPrecision(2),
      ]),
    ),
  ];
}

function robustnessParts({ robustness }: ValidationReport): string[] {
  if (robustness.length === 0) return [];
  // Damage to everything, and the features whose damage costs most.
  const single = robustness
    .filter(({ feature }) => feature !== null)
    .sort((a, b) => (a.recallDelta ?? 0) - (b.recallDelta ?? 0));
  const shown = [...robustness.filter(({ feature }) => feature === null), ...single.slice(0, SHOWN_FEATURES)];
  const left = robustness.length - shown.length;
  return [
    table(
      [
        `perturbation${left === 0 ? '' : ` (${left} milder left out)`}`,
        'rows',
        'recall',
        'change',
        'FPR',
        'change',
        'flipped',
        'failures',
      ],
      shown.map((result) => [
        result.id,
        String(result.rows),
        number(result.recall),
        signed(result.recallDelta),
        number(result.falsePositiveRate),
        signed(result.falsePositiveDelta),
        share(result.flipRate),
        String(result.failures),
      ]),
    ),
  ];
}

export function describeComparison(report: ComparisonReport, shownRows: number): string {
  const { dataset, significance } = report;
  const champion = formatRef(report.champion);
  const challenger = formatRef(report.challenger);
  const parts = [
    `${challenger} against ${champion} on ${dataset.fileName}: ${rowsText({ dataset, metrics: report.challengerMetrics })}`,
    table(
      ['metric', champion, challenger, 'difference', '95 % interval'],
      report.deltas
        .filter(({ champion: before, challenger: after }) => before !== null || after !== null)
        .map(({ metric, champion: before, challenger: after, delta }) => [
          metric,
          number(before),
          number(after),
          signed(delta),
          interval(report.deltaIntervals[metric]),
        ]),
    ),
    `${report.disagreements} of ${dataset.rows} rows differ${dataset.labelled ? `: the challenger is right on ${report.challengerFixes}, the champion on ${report.challengerBreaks}` : ''}.`,
  ];
  if (significance !== null) {
    const auc =
      significance.aucDelta === null
        ? ''
        : `  ROC AUC ${signed(significance.aucDelta)} (${interval(significance.aucDeltaInterval)}, ${probability(significance.aucP)})`;
    parts.push(
      `McNemar ${probability(significance.mcnemarP)} (${significance.mcnemarMethod})${auc}  kappa ${number(significance.kappa)}`,
    );
  }
  if (report.others.length > 0)
    parts.push(
      table(
        [
          ...['further version', 'accuracy', 'recall', 'FPR', 'ROC AUC', 'difference', '95 % interval'],
          ...['fixed', 'broken', 'McNemar'],
        ],
        report.others.map(({ ref, metrics, against }) => [
          formatRef(ref),
          number(metrics.accuracy),
          number(metrics.recall),
          number(metrics.false_positive_rate),
          number(metrics.roc_auc),
          signed(against?.significance?.aucDelta ?? null),
          interval(against?.significance?.aucDeltaInterval),
          against === null ? '' : String(against.fixes),
          against === null ? '' : String(against.breaks),
          probability(against?.significance?.mcnemarP ?? null),
        ]),
      ),
    );
  const flips = report.sliceFlips.filter(({ fixed, broken }) => fixed + broken > 0).slice(0, SHOWN_SLICES);
  if (flips.length > 0)
    parts.push(
      table(
        ['slice', 'rows', 'fixed', 'broken', 'recall', 'FPR', ''],
        flips.map((flip) => [
          `${flip.column}=${flip.value}`,
          String(flip.rows),
          String(flip.fixed),
          String(flip.broken),
          signed(flip.recallDelta),
          signed(flip.falsePositiveDelta),
          flip.adjustedP === null ? '' : probability(flip.adjustedP),
        ]),
      ),
    );
  const rows = report.disagreementRows.slice(0, shownRows);
  if (rows.length > 0)
    parts.push(
      table(
        ['row', 'truth', 'champion', 'challenger', 'context'],
        rows.map((row) => [
          String(row.row),
          dataset.labelled ? String(row.label) : '–',
          String(row.championLabel),
          String(row.challengerLabel),
          Object.values(row.context).join(' ').slice(0, 100),
        ]),
      ),
    );
  parts.push(`report ${report.id}`);
  return parts.join('\n');
}

export function describeRows({ columns, rows, total }: EvidenceRows): string {
  const answers = rows[0]?.answers.length ?? 1;
  const names = answers === 1 ? [''] : Array.from({ length: answers }, (_, at) => ` ${'abcdefgh'[at]}`);
  // What says most to a person is text: kinds, names, addresses.
  const isText = (column: number): boolean =>
    rows.some(({ cells }) => (cells[column] ?? '') !== '' && Number.isNaN(Number(cells[column])));
  const places = columns.map((_, column) => column);
  const shown = [...places.filter(isText), ...places.filter((column) => !isText(column))].slice(
    0,
    SHOWN_COLUMNS,
  );
  return [
    table(
      [
        'row',
        'truth',
        ...names.flatMap((name) => [`answer${name}`, `score${name}`]),
        'verdict',
        ...shown.map((column) => columns[column] ?? ''),
      ],
      rows.map((row) => [
        String(row.row),
        row.label === null ? '–' : String(row.label),
        ...row.answers.flatMap(({ predicted, score }) => [String(predicted), number(score)]),
        row.verdict?.verdict ?? '',
        ...shown.map((column) => (row.cells[column] ?? '').slice(0, 60)),
      ]),
    ),
    `${rows.length} of ${total} rows`,
  ].join('\n');
}
