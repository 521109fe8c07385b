/** A report held against a policy: its gates, what they stand on, and the model's answers themselves. */
import type { ComparisonReport, DatasetInfo, GateResult, ValidationReport } from '../metrics/report.ts';
import type { Finding } from '../scan/finding.ts';
import { type ChampionEvidence, evaluateEvidence, evaluateGates, overallVerdict } from './evaluate.ts';
import type { GateFigures, PairFigures } from './figures.ts';
import type { Policy } from './policy.ts';

/** What of a version is judged besides its measurements. */
export interface JudgedVersion {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly findings: readonly Finding[];
  readonly rulesRun: readonly string[];
}

/** What gates beside the policy's own bounds measure: these count, the rest are shares, milliseconds or megabytes. */
export const COUNTED_METRICS = ['rows', 'output_findings', 'evidence_problems'] as const;

/** What is known of the champion: null where there is none; both reports may be of other rows, which do not count. */
export interface ChampionReports {
  readonly digest: string;
  readonly sizeBytes: number;
  /** Newest first. */
  readonly validations: readonly ValidationReport[];
  readonly comparisons: readonly ComparisonReport[];
}

export type JudgedReport = Omit<ValidationReport, 'gates' | 'passed' | 'id'>;

export interface Judgement {
  readonly gates: GateResult[];
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly passed: boolean;
}

/** Judges a report as it stands. Never a pass where something was not measured. */
export function judgeReport(
  policy: Policy,
  report: JudgedReport,
  version: JudgedVersion,
  champion: ChampionReports | null,
): Judgement {
  const beside = championEvidence(report, version, champion);
  const gates = [
    ...evaluateGates(policy, { ...figuresOfReport(report, version.sizeBytes), ...beside }),
    rowsGate(policy, report.dataset),
    evidenceGate(policy, report.dataset, version),
    outputGate(policy, report),
  ];
  const verdict = overallVerdict(gates);
  return { gates, verdict, passed: verdict === 'pass' };
}

function figuresOfReport(report: JudgedReport, sizeBytes: number): GateFigures {
  const { metrics, latency, intervals, slices, drift, robustness, regression } = report;
  return { metrics, latency, intervals, slices, drift, robustness, regression, sizeBytes };
}

/** Whether two reports were made on the very same rows with the same truth. */
export function isSameRows(a: DatasetInfo, b: DatasetInfo): boolean {
  return (
    a.digest === b.digest &&
    a.filter === b.filter &&
    a.rows === b.rows &&
    a.labelled === b.labelled &&
    a.labelColumn === b.labelColumn
  );
}

/** The champion on the same rows: its newest validation, else what a comparison of the two says of it. */
function championEvidence(
  report: JudgedReport,
  version: JudgedVersion,
  champion: ChampionReports | null,
): { champion: ChampionEvidence; pair: PairFigures | null } {
  if (champion === null) return { champion: null, pair: null };
  const validation = champion.validations.find(
    (each) => each.digest === champion.digest && isSameRows(each.dataset, report.dataset),
  );
  const comparison = champion.comparisons.find(
    (each) =>
      each.championDigest === champion.digest &&
      each.challengerDigest === version.digest &&
      isSameRows(each.dataset, report.dataset),
  );
  const pair = comparison
    ? {
        rows: comparison.dataset.rows,
        disagreements: comparison.disagreements,
        broken: comparison.challengerBreaks,
        deltaIntervals: comparison.deltaIntervals,
      }
    : null;
  if (validation) return { champion: figuresOfReport(validation, champion.sizeBytes), pair };
  if (!comparison) return { champion: 'not-compared', pair };
  return {
    champion: {
      metrics: comparison.championMetrics,
      latency: comparison.championLatency,
      intervals: comparison.intervals.champion,
      sizeBytes: champion.sizeBytes,
    },
    pair,
  };
}

/** What the gates stand on, as gates of their own: a report that lacks rows must say so where the verdict is read. */
function rowsGate(policy: Policy, dataset: DatasetInfo): GateResult {
  const rows = labelledRows(dataset);
  const enough = rows >= policy.minimumRows;
  return {
    gate: `at least ${policy.minimumRows} labelled rows`,
    metric: 'rows',
    bound: 'min',
    limit: policy.minimumRows,
    measured: rows,
    baseline: null,
    passed: enough,
    verdict: enough ? 'pass' : 'inconclusive',
    reason: dataset.labelled
      ? `${rows} is ${enough ? 'at least' : 'below'} ${policy.minimumRows}`
      : 'the data has no truth to measure against',
    rows,
    slice: null,
  };
}

function labelledRows(dataset: DatasetInfo): number {
  return dataset.labelled ? dataset.rows : 0;
}

function evidenceGate(policy: Policy, dataset: DatasetInfo, version: JudgedVersion): GateResult {
  const { reasons } = evaluateEvidence(policy, {
    // Too few rows are a gate of their own.
    rows: Math.max(labelledRows(dataset), policy.minimumRows),
    datasetDigest: dataset.digest,
    filter: dataset.filter,
    findings: version.findings,
    rulesRun: version.rulesRun,
  });
  const sound = reasons.length === 0;
  return {
    gate: 'accepted dataset and complete scan',
    metric: 'evidence_problems',
    bound: 'max',
    limit: 0,
    measured: reasons.length,
    baseline: null,
    passed: sound,
    verdict: sound ? 'pass' : 'fail',
    reason: sound ? 'the dataset counts, every scan rule ran, no finding is too severe' : reasons.join(' '),
  };
}

/** Answers that contradict themselves fail unless the policy says otherwise: figures made from them mean little. */
function outputGate(policy: Policy, { outputFindings, dataset }: JudgedReport): GateResult {
  const counted = outputFindings.filter(({ severity }) => severity !== 'info');
  const allowed = policy.outputFindings === 'allow';
  const passed = counted.length === 0 || allowed;
  const words = counted.map(({ title, rows, of }) => `${title} (${rows} of ${of} rows)`).join('; ');
  return {
    gate: 'answers that do not contradict themselves',
    metric: 'output_findings',
    bound: 'max',
    limit: 0,
    measured: counted.length,
    baseline: null,
    passed,
    verdict: passed ? 'pass' : 'fail',
    reason:
      counted.length === 0
        ? 'nothing was found in the answers'
        : allowed
          ? `${words}; the policy allows it`
          : words,
    rows: dataset.rows,
    slice: null,
  };
}
