import type { OnnxReading } from '../onnx/reading.ts';
import { EXTERNAL_DATA, MEMORY_MARKERS } from './external-data.ts';
import type { Finding, Severity } from './finding.ts';
import { FUNCTION_CYCLES, FUNCTION_EXPANSION, FUNCTION_SHADOWING } from './functions.ts';
import { CONTEXT_OPS, CONTROL_FLOW, CUSTOM_DOMAINS, LARGE_ATTRIBUTES, PYTHON_OPS } from './operators.ts';
import type { ScanRule } from './rule.ts';
import {
  DANGLING_NAMES,
  DUPLICATE_NAMES,
  HIDDEN_FIELDS,
  HUGE_DIMENSIONS,
  OPSET_RANGE,
  SIZE_AND_DEPTH,
  TENSOR_SIZE,
} from './structure.ts';
import { CONTROL_CHARACTERS, SUSPICIOUS_TEXT } from './texts.ts';

/** Every rule, in the order in which findings are listed. */
export const SCAN_RULES: readonly ScanRule[] = [
  EXTERNAL_DATA,
  MEMORY_MARKERS,
  PYTHON_OPS,
  FUNCTION_CYCLES,
  FUNCTION_EXPANSION,
  CUSTOM_DOMAINS,
  CONTEXT_OPS,
  FUNCTION_SHADOWING,
  HIDDEN_FIELDS,
  HUGE_DIMENSIONS,
  TENSOR_SIZE,
  SIZE_AND_DEPTH,
  DUPLICATE_NAMES,
  DANGLING_NAMES,
  OPSET_RANGE,
  CONTROL_FLOW,
  LARGE_ATTRIBUTES,
  SUSPICIOUS_TEXT,
  CONTROL_CHARACTERS,
];

/** Rises whenever a rule is added or judges differently. */
export const RULE_SET = 'rules@1';

/** Places listed per rule and severity; a hostile file has hundreds of thousands. */
const LISTED = 50;

export const SEVERITY_ORDER: readonly Severity[] = ['info', 'low', 'medium', 'high', 'critical'];

/** Negative where `a` is less severe than `b`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITY_ORDER.indexOf(a) - SEVERITY_ORDER.indexOf(b);
}

export interface ScanResult {
  /** The rule set's version, then the id of each rule that ran. */
  readonly rulesRun: string[];
  /** Most severe first, at most 50 per rule and severity, then one that counts the others. */
  readonly findings: Finding[];
}

/** Runs every rule over a reading. Pure: the same file gives the same findings in the same order. */
export function scanModel(reading: OnnxReading, rules: readonly ScanRule[] = SCAN_RULES): ScanResult {
  const findings: Finding[] = [];
  for (const rule of rules) {
    // Counted per severity, so that a flood of small findings cannot push a grave one off the list.
    const listed = new Map<Severity, number>();
    for (const hit of rule.run(reading)) {
      const severity = hit.severity ?? rule.severity;
      const count = (listed.get(severity) ?? 0) + 1;
      listed.set(severity, count);
      if (count <= LISTED)
        findings.push({
          ruleId: rule.id,
          severity,
          title: rule.title,
          where: hit.where,
          detail: hit.detail,
          reference: hit.reference ?? rule.reference,
        });
    }
    for (const [severity, count] of listed) {
      if (count <= LISTED) continue;
      findings.push({
        ruleId: rule.id,
        severity,
        title: rule.title,
        where: 'model',
        detail: `${count - LISTED} more places are not listed.`,
        reference: rule.reference,
      });
    }
  }
  return {
    rulesRun: [RULE_SET, ...rules.map((rule) => rule.id)],
    findings: findings.sort((a, b) => compareSeverity(b.severity, a.severity)),
  };
}

/** True where a finding refuses the file before it is registered. */
export function isRefused(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'critical');
}
