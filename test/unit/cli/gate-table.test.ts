import { expect, it } from 'vitest';
import { gateTable } from '../../../electron/cli/describe-evidence.ts';
import type { GateResult } from '../../../shared/domain/metrics/report.ts';

const gate = (metric: string, measured: number): GateResult => ({
  ...{ gate: metric, metric, bound: 'max', limit: 0, measured, baseline: null },
  ...{ passed: true, verdict: 'pass', reason: 'as it should be' },
});

it('what a gate counts is printed as a whole number, and what it measures with four decimals', () => {
  const lines = gateTable([
    gate('output_findings', 0),
    gate('evidence_problems', 1),
    gate('rows', 22_544),
    gate('recall', 1),
    gate('latency_p95', 2),
  ]).split('\n');
  const printed = lines.slice(-5).map((line) => line.trim().split(/\s{2,}/)[2]);
  expect(printed).toEqual(['0', '1', '22544', '1.0000', '2.0000']);
});
