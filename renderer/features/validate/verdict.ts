/** What a validation report says as a whole, in words. */
import type { GateResult, ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { overallVerdict, verdictOf } from '../../../shared/domain/policy/evaluate.ts';
import { plural } from '../../ui/format.ts';
import { metricLabel } from '../../ui/metrics.ts';

export type ReportVerdict = 'pass' | 'fail' | 'inconclusive' | 'none';

/** `none`: no gate was asked. What was refused for another reason than a gate is a failure all the same. */
export function verdictOfReport({
  gates,
  passed,
}: Pick<ValidationReport, 'gates' | 'passed'>): ReportVerdict {
  if (gates.length === 0) return 'none';
  const verdict = overallVerdict(gates);
  return verdict === 'pass' && !passed ? 'fail' : verdict;
}

/** The gates that decide the verdict: all that failed, or where none did, all that stay open. */
export function decidingGates(gates: readonly GateResult[]): readonly GateResult[] {
  const failed = gates.filter((gate) => verdictOf(gate) === 'fail');
  return failed.length > 0 ? failed : gates.filter((gate) => verdictOf(gate) === 'inconclusive');
}

export function verdictTitle(report: Pick<ValidationReport, 'gates' | 'passed' | 'environmentName'>): string {
  const { gates, environmentName } = report;
  const verdict = verdictOfReport(report);
  const of = plural(gates.length, 'gate');
  const policy = environmentName === null ? 'the what-if policy' : `the policy of ${environmentName}`;
  const deciding = decidingGates(gates).length;
  if (verdict === 'none') return 'Measured without gates: nothing here is a pass or a failure';
  if (verdict === 'pass') return `Passes ${policy}: ${gates.length === 1 ? 'its one gate' : `all ${of}`}`;
  if (verdict === 'inconclusive')
    return `Inconclusive against ${policy}: ${deciding} of ${of} cannot be judged`;
  return deciding === 0 ? `Fails ${policy}` : `Fails ${policy}: ${deciding} of ${of}`;
}

/** `Recall in service = http: 0.71 is below 0.8`. */
export function gateReason({ metric, slice, reason }: GateResult): string {
  const where = slice === undefined || slice === null ? '' : ` in ${slice.column} = ${slice.value}`;
  return `${metricLabel(metric)}${where}: ${reason === '' ? 'no reason was written' : reason}`;
}
