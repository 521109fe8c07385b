/**
 * Gates: a policy's bounds held against what was measured. Three verdicts, each with its reason: pass, fail, and
 * inconclusive (too few rows, or nothing was measured), which never counts as a pass.
 */
import type { Interval } from '../evidence/interval.ts';
import { METRIC_DIRECTION, regressionOf } from '../metrics/compare.ts';
import type { GateResult } from '../metrics/report.ts';
import type { Finding } from '../scan/finding.ts';
import { compareSeverity, RULE_SET, SCAN_RULES } from '../scan/scan.ts';
import { badEnd, type Figure, figuresOf, type GateFigures, type PairFigures } from './figures.ts';
import type { Gate, Policy } from './policy.ts';

/**
 * The champion a regression is judged against: its measurements on the same rows, null where the environment has no
 * champion yet, `not-compared` where it has one and nobody compared.
 */
export type ChampionEvidence = GateFigures | null | 'not-compared';

export interface GateEvidence extends GateFigures {
  readonly champion: ChampionEvidence;
  /** The comparison of the two on the same rows, where there is one. */
  readonly pair?: PairFigures | null;
}

/** 0.90 - 0.89 is 0.010000000000000009: a regression of exactly the limit passes. */
const ROUNDING = 1e-9;

/**
 * Judges every bound of every gate: one result each, in the policy's order; of a gate over every slice, the worst one.
 * A value that was not measured, or is no finite number, never passes.
 */
export function evaluateGates(policy: Policy, evidence: GateEvidence): GateResult[] {
  return policy.gates.flatMap((gate) => evaluateGate(gate, evidence));
}

/** What all results together say: any failure fails, else anything inconclusive leaves it open. */
export function overallVerdict(gates: readonly GateResult[]): 'pass' | 'fail' | 'inconclusive' {
  if (gates.some((gate) => verdictOf(gate) === 'fail')) return 'fail';
  return gates.some((gate) => verdictOf(gate) === 'inconclusive') ? 'inconclusive' : 'pass';
}

/** The verdict of one result; results of older reports know only passed or not. */
export function verdictOf(gate: GateResult): 'pass' | 'fail' | 'inconclusive' {
  return gate.verdict ?? (gate.passed ? 'pass' : 'fail');
}

type Bound = GateResult['bound'];
interface Judged {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly measured: number | null;
  readonly baseline: number | null;
  readonly reason: string;
  /** How far on the good side of the limit; the worst slice has the least. */
  readonly margin: number;
}

function evaluateGate(gate: Gate, evidence: GateEvidence): GateResult[] {
  const bounds: [Bound, number][] = [];
  if (gate.min !== undefined) bounds.push(['min', gate.min]);
  if (gate.max !== undefined) bounds.push(['max', gate.max]);
  if (gate.maxRegression !== undefined) bounds.push(['maxRegression', gate.maxRegression]);
  const figures = figuresOf(gate, evidence, evidence.pair ?? null);
  if (bounds.length === 0) {
    // A gate that bounds nothing must not look like one that passed.
    const reason = 'the gate names no min, max or maxRegression';
    const judged: Judged = {
      verdict: 'fail',
      measured: figures[0]?.value ?? null,
      baseline: null,
      reason,
      margin: 0,
    };
    return [toResult(gate, 'min', 0, `${gate.metric} without a bound`, figures[0] as Figure, judged)];
  }
  return bounds.map(([bound, limit]) => worstOf(gate, bound, limit, evidence, figures));
}

/** Judges each figure, and answers the one that decides: a failure before something open, else the closest pass. */
function worstOf(
  gate: Gate,
  bound: Bound,
  limit: number,
  evidence: GateEvidence,
  figures: readonly Figure[],
): GateResult {
  const judged = figures.map((figure) => ({ figure, result: judge(gate, bound, limit, evidence, figure) }));
  // Of a gate over all slices, those with too few rows are skipped as long as one can be judged.
  const conclusive = judged.filter(({ result }) => result.verdict !== 'inconclusive');
  const everySlice = gate.slice !== undefined && gate.slice.value === undefined;
  const looked = everySlice && conclusive.length > 0 ? conclusive : judged;
  const worst = looked.reduce((a, b) => (worse(b.result, a.result) ? b : a));
  const title = titleOf(gate, bound, limit);
  const result = toResult(gate, bound, limit, title, worst.figure, worst.result);
  if (!everySlice || conclusive.length === 0) return result;
  const skipped = judged.length - conclusive.length;
  const counts = `${conclusive.length} slices judged${skipped === 0 ? '' : `, ${skipped} with too few rows`}`;
  return { ...result, reason: `${result.reason} (the worst; ${counts})` };
}

const ORDER = { fail: 0, inconclusive: 1, pass: 2 } as const;
function worse(a: Judged, b: Judged): boolean {
  return ORDER[a.verdict] - ORDER[b.verdict] < 0 || (a.verdict === b.verdict && a.margin < b.margin);
}

function titleOf(gate: Gate, bound: Bound, limit: number): string {
  const { slice, metric } = gate;
  const where =
    slice === undefined
      ? ''
      : slice.value === undefined
        ? ` in every ${slice.column}`
        : ` in ${slice.column}=${slice.value}`;
  const under = gate.perturbation === undefined ? '' : ` under ${gate.perturbation}`;
  const sure = gate.confident ? ', with 95 % confidence' : '';
  const subject = `${metric}${where}${under}`;
  if (bound === 'maxRegression') return `${subject} at most ${limit} worse than the champion${sure}`;
  return `${subject} at ${bound === 'min' ? 'least' : 'most'} ${limit}${sure}`;
}

function toResult(
  gate: Gate,
  bound: Bound,
  limit: number,
  title: string,
  figure: Figure,
  { verdict, measured, baseline, reason }: Judged,
): GateResult {
  return {
    gate: title,
    metric: gate.metric,
    bound,
    limit,
    measured,
    baseline,
    passed: verdict === 'pass',
    verdict,
    reason,
    rows: figure.rows,
    slice: figure.slice,
  };
}

function inconclusive(reason: string, measured: number | null = null): Judged {
  return { verdict: 'inconclusive', measured, baseline: null, reason, margin: 0 };
}

function judge(gate: Gate, bound: Bound, limit: number, evidence: GateEvidence, figure: Figure): Judged {
  const { value, about } = figure;
  if (value === null) return inconclusive(`${figure.missing}${gate.slice === undefined ? '' : about}`);
  if (gate.minimumRows !== undefined && (figure.rows ?? 0) < gate.minimumRows)
    return inconclusive(
      `${figure.rows ?? 0} rows${about} are fewer than the ${gate.minimumRows} the gate asks for`,
      value,
    );
  if (bound === 'maxRegression') return judgeRegression(gate, limit, evidence, figure, value);
  let judged = value;
  let words = '';
  if (gate.confident) {
    if (figure.interval === null)
      return inconclusive(`no interval was computed for ${gate.metric}${about}`, value);
    judged = badEnd(gate.metric, figure.interval);
    words = ` (the bad end of the 95 % interval of ${shown(value, limit)})`;
  }
  const passed = bound === 'min' ? judged >= limit : judged <= limit;
  const word = bound === 'min' ? (passed ? 'at least' : 'below') : passed ? 'at most' : 'above';
  return {
    verdict: passed ? 'pass' : 'fail',
    measured: judged,
    baseline: null,
    reason: `${shown(judged, limit)}${words}${about} is ${word} ${limit}`,
    margin: bound === 'min' ? judged - limit : limit - judged,
  };
}

function judgeRegression(
  gate: Gate,
  limit: number,
  evidence: GateEvidence,
  figure: Figure,
  measured: number,
): Judged {
  const { metric } = gate;
  const { champion } = evidence;
  if (champion === null)
    return { verdict: 'pass', measured, baseline: null, reason: 'no champion yet', margin: limit };
  if (champion === 'not-compared')
    return inconclusive('there is a champion, and no comparison with it', measured);
  const baseline = championValue(gate, figure, champion);
  if (baseline === null)
    return inconclusive(`the champion's ${metric}${figure.about} was not measured`, measured);
  if (gate.confident) {
    const interval = gate.slice === undefined ? evidence.pair?.deltaIntervals[metric] : undefined;
    if (interval === undefined)
      return inconclusive(
        `no interval of the difference was computed for ${metric}${figure.about}`,
        measured,
      );
    return confidentRegression(metric, limit, measured, baseline, interval);
  }
  const regression = regressionOf(metric, measured, baseline);
  const direction = METRIC_DIRECTION[metric] === 'higher' ? 'lower' : 'higher';
  const reason =
    regression <= 0
      ? `${shown(measured, baseline)}${figure.about} is no worse than the champion's ${shown(baseline, measured)}`
      : `${shown(measured, baseline)}${figure.about} is ${shown(regression, limit)} ${direction} than the champion's ${shown(baseline, measured)}`;
  return {
    verdict: regression <= limit + ROUNDING ? 'pass' : 'fail',
    measured,
    baseline,
    reason,
    margin: limit - regression,
  };
}

function championValue(gate: Gate, figure: Figure, champion: GateFigures): number | null {
  const named = figure.slice === null ? gate : { ...gate, slice: figure.slice };
  return figuresOf(named, champion, null)[0]?.value ?? null;
}

/** The difference is worse than the limit at most with the chance the interval leaves. */
function confidentRegression(
  metric: Gate['metric'],
  limit: number,
  measured: number,
  baseline: number,
  interval: Interval,
): Judged {
  const worst = METRIC_DIRECTION[metric] === 'higher' ? -interval.low : interval.high;
  const passed = worst <= limit + ROUNDING;
  return {
    verdict: passed ? 'pass' : 'fail',
    measured,
    baseline,
    reason: `the 95 % interval of the difference to the champion's ${shown(baseline, measured)} reaches ${shown(worst, limit)} worse, ${passed ? 'at most' : 'above'} ${limit}`,
    margin: limit - worst,
  };
}

/** Six digits, or all where those would look like the number it is compared with. */
function shown(value: number, beside: number): string {
  const short = Number(value.toPrecision(6));
  return String(short === beside ? value : short);
}

export interface ReleaseEvidence {
  /** Labelled rows of the validation. */
  readonly rows: number;
  readonly datasetDigest: string;
  /** The expression rows were chosen by; a choice of rows is no evidence. */
  readonly filter?: string | null;
  readonly findings: readonly Finding[];
  /** As `scanModel` returned it. */
  readonly rulesRun: readonly string[];
}

export interface EvidenceVerdict {
  readonly passed: boolean;
  /** One sentence per failing; empty where it passed. */
  readonly reasons: string[];
}

/** Judges what the gates stand on: enough rows, an accepted dataset, no finding too severe, and that every scan rule ran. */
export function evaluateEvidence(
  policy: Policy,
  { rows, datasetDigest, filter = null, findings, rulesRun }: ReleaseEvidence,
): EvidenceVerdict {
  const reasons: string[] = [];
  if (rows < policy.minimumRows)
    reasons.push(`The validation has ${rows} labelled rows; the policy asks for ${policy.minimumRows}.`);
  if (policy.datasets.length > 0 && !policy.datasets.includes(datasetDigest)) {
    reasons.push(
      `The dataset ${datasetDigest.slice(0, 12)}… is not among the ${policy.datasets.length} that count as evidence.`,
    );
  }
  if (filter !== null) reasons.push('Rows were chosen by a filter; evidence is made on the whole dataset.');
  const ran = new Set(rulesRun);
  const missing = SCAN_RULES.map((rule) => rule.id).filter((id) => !ran.has(id));
  if (missing.length > 0)
    reasons.push(`These scan rules did not run: ${missing.join(', ')}. Scan the version again.`);
  else if (!ran.has(RULE_SET))
    reasons.push(`The scan ran another rule set than ${RULE_SET}. Scan the version again.`);
  for (const finding of findings) {
    if (compareSeverity(finding.severity, policy.maximumSeverity) > 0) {
      reasons.push(
        `Scan finding "${finding.title}" (${finding.ruleId}, ${finding.where}) is ${finding.severity}; the policy allows up to ${policy.maximumSeverity}.`,
      );
    }
  }
  return { passed: reasons.length === 0, reasons };
}
