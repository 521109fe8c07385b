import { METRIC_DIRECTION, type Measured, measuredValue, regressionOf } from '../metrics/compare.ts';
import type { GateResult } from '../metrics/report.ts';
import type { Finding } from '../scan/finding.ts';
import { compareSeverity, RULE_SET, SCAN_RULES } from '../scan/scan.ts';
import type { Gate, Policy } from './policy.ts';

/**
 * The champion a regression is judged against: its measurements on the same rows, null where the environment has no
 * champion yet, `not-compared` where it has one and nobody compared.
 */
export type ChampionEvidence = Measured | null | 'not-compared';

export interface GateEvidence extends Measured {
  readonly champion: ChampionEvidence;
}

/** 0.90 - 0.89 is 0.010000000000000009: a regression of exactly the limit passes. */
const ROUNDING = 1e-9;

/**
 * Judges every bound of every gate: one result each, in the policy's order. A value that was not measured, or is no
 * finite number, never passes.
 */
export function evaluateGates(policy: Policy, evidence: GateEvidence): GateResult[] {
  return policy.gates.flatMap((gate) => evaluateGate(gate, evidence));
}

function evaluateGate(gate: Gate, evidence: GateEvidence): GateResult[] {
  const { metric } = gate;
  const measured = finite(measuredValue(evidence, metric));
  const results: GateResult[] = [];
  if (gate.min !== undefined) {
    const passed = measured !== null && measured >= gate.min;
    results.push({
      gate: `${metric} at least ${gate.min}`,
      metric,
      bound: 'min',
      limit: gate.min,
      measured,
      baseline: null,
      passed,
      reason:
        measured === null
          ? notMeasured(metric)
          : `${shown(measured, gate.min)} is ${passed ? 'at least' : 'below'} ${gate.min}`,
    });
  }
  if (gate.max !== undefined) {
    const passed = measured !== null && measured <= gate.max;
    results.push({
      gate: `${metric} at most ${gate.max}`,
      metric,
      bound: 'max',
      limit: gate.max,
      measured,
      baseline: null,
      passed,
      reason:
        measured === null
          ? notMeasured(metric)
          : `${shown(measured, gate.max)} is ${passed ? 'at most' : 'above'} ${gate.max}`,
    });
  }
  if (gate.maxRegression !== undefined)
    results.push(evaluateRegression(gate, gate.maxRegression, measured, evidence.champion));
  if (results.length === 0) {
    // A gate that bounds nothing must not look like one that passed.
    results.push({
      gate: `${metric} without a bound`,
      metric,
      bound: 'min',
      limit: 0,
      measured,
      baseline: null,
      passed: false,
      reason: 'the gate names no min, max or maxRegression',
    });
  }
  return results;
}

function evaluateRegression(
  { metric }: Gate,
  limit: number,
  measured: number | null,
  champion: ChampionEvidence,
): GateResult {
  const baseline =
    champion === null || champion === 'not-compared' ? null : finite(measuredValue(champion, metric));
  const base = {
    gate: `${metric} at most ${limit} worse than the champion`,
    metric,
    bound: 'maxRegression',
    limit,
    measured,
    baseline,
  } as const;
  if (measured === null) return { ...base, passed: false, reason: notMeasured(metric) };
  if (champion === null) return { ...base, passed: true, reason: 'no champion yet' };
  if (champion === 'not-compared')
    return { ...base, passed: false, reason: 'there is a champion, and no comparison with it' };
  if (baseline === null)
    return { ...base, passed: false, reason: `the champion's ${metric} was not measured` };
  const regression = regressionOf(metric, measured, baseline);
  const passed = regression <= limit + ROUNDING;
  const direction = METRIC_DIRECTION[metric] === 'higher' ? 'lower' : 'higher';
  const reason =
    regression <= 0
      ? `${shown(measured, baseline)} is no worse than the champion's ${shown(baseline, measured)}`
      : `${shown(measured, baseline)} is ${shown(regression, limit)} ${direction} than the champion's ${shown(baseline, measured)}`;
  return { ...base, passed, reason };
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function notMeasured(metric: string): string {
  return `${metric} is undefined on this data or was not measured`;
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
  { rows, datasetDigest, findings, rulesRun }: ReleaseEvidence,
): EvidenceVerdict {
  const reasons: string[] = [];
  if (rows < policy.minimumRows)
    reasons.push(`The validation has ${rows} labelled rows; the policy asks for ${policy.minimumRows}.`);
  if (policy.datasets.length > 0 && !policy.datasets.includes(datasetDigest)) {
    reasons.push(
      `The dataset ${datasetDigest.slice(0, 12)}… is not among the ${policy.datasets.length} that count as evidence.`,
    );
  }
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
