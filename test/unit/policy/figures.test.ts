import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Interval } from '../../../shared/domain/evidence/interval.ts';
import type { RobustnessResult } from '../../../shared/domain/evidence/robustness.ts';
import type { Slice } from '../../../shared/domain/evidence/slices.ts';
import { metricsOf } from '../../../shared/domain/metrics/classification.ts';
import { gateResultSchema } from '../../../shared/domain/metrics/report.ts';
import {
  evaluateGates,
  type GateEvidence,
  overallVerdict,
  verdictOf,
} from '../../../shared/domain/policy/evaluate.ts';
import { type Gate, gateSchema } from '../../../shared/domain/policy/policy.ts';
import { STAGING_POLICY } from '../../../shared/domain/policy/presets.ts';

const interval = (low: number, high: number): Interval => ({ low, high, level: 0.95, method: 'wilson' });
const slice = (value: string, recall: number | null, rows = 400, more: Partial<Slice> = {}): Slice => ({
  column: 'kind',
  value,
  rows,
  positives: rows / 2,
  accuracy: recall,
  recall,
  precision: recall,
  false_positive_rate: 0.01,
  recallInterval: recall === null ? null : interval(recall - 0.05, Math.min(1, recall + 0.05)),
  falsePositiveInterval: interval(0.005, 0.02),
  tooFew: rows < 50,
  worst: false,
  adjustedP: null,
  ...more,
});
const perturbed = (id: string, recallDelta: number): RobustnessResult => ({
  kind: 'noise',
  id,
  description: '',
  feature: null,
  rows: 1000,
  recall: 0.9 + recallDelta,
  recallDelta,
  falsePositiveRate: 0.1,
  falsePositiveDelta: 0.02,
  rocAuc: null,
  rocAucDelta: null,
  flipRate: 0.1,
  failures: 0,
});
const measured: GateEvidence = {
  metrics: metricsOf({ tn: 900, fp: 100, fn: 100, tp: 900 }, 0.95),
  latency: null,
  intervals: { recall: interval(0.88, 0.92), false_positive_rate: interval(0.08, 0.12) },
  slices: [slice('typosquat', 0.9), slice('homograph', 0.4), slice('rare', 0.1, 12)],
  robustness: [perturbed('noise-0.1', -0.02), perturbed('noise-0.2', -0.2)],
  sizeBytes: 3 * 1024 * 1024,
  champion: null,
};

function judge(gate: Gate, evidence: Partial<GateEvidence> = {}) {
  const results = evaluateGates({ ...STAGING_POLICY, gates: [gate] }, { ...measured, ...evidence });
  for (const result of results) gateResultSchema.parse(result);
  return results[0];
}

describe('gates within slices', () => {
  it('every value: the worst decides, and those with too few rows are counted, not judged', () => {
    expect(judge({ metric: 'recall', min: 0.5, slice: { column: 'kind' } })).toMatchObject({
      gate: 'recall in every kind at least 0.5',
      verdict: 'fail',
      measured: 0.4,
      slice: { column: 'kind', value: 'homograph' },
      rows: 400,
      reason: '0.4 in kind=homograph is below 0.5 (the worst; 2 slices judged, 1 with too few rows)',
    });
    expect(judge({ metric: 'recall', min: 0.3, slice: { column: 'kind' } })?.verdict).toBe('pass');
  });

  it('one value', () => {
    const gate = (value: string): Gate => ({ metric: 'recall', min: 0.5, slice: { column: 'kind', value } });
    expect(judge(gate('typosquat'))?.verdict).toBe('pass');
    expect(judge(gate('homograph'))?.verdict).toBe('fail');
    expect(judge(gate('rare'))).toMatchObject({ verdict: 'inconclusive', passed: false });
    expect(judge(gate('nowhere'))).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('there is no slice kind=nowhere'),
    });
  });

  it('a slice against the same slice of the champion', () => {
    const gate: Gate = { metric: 'recall', maxRegression: 0.05, slice: { column: 'kind' } };
    const champion = { ...measured, slices: [slice('typosquat', 0.92), slice('homograph', 0.8)] };
    expect(judge(gate, { champion })).toMatchObject({
      verdict: 'fail',
      baseline: 0.8,
      slice: { column: 'kind', value: 'homograph' },
    });
    expect(judge(gate, { champion: { ...champion, slices: [] } })?.verdict).toBe('inconclusive');
  });
});

describe('gates over rows, intervals, drift and robustness', () => {
  it('fewer rows than the gate asks for are no verdict', () => {
    expect(judge({ metric: 'recall', min: 0.5, minimumRows: 2001 })).toMatchObject({
      verdict: 'inconclusive',
      passed: false,
      reason: '2000 rows are fewer than the 2001 the gate asks for',
    });
  });

  it('with confidence, the bad end of the interval is judged', () => {
    expect(judge({ metric: 'recall', min: 0.89 })?.verdict).toBe('pass');
    expect(judge({ metric: 'recall', min: 0.89, confident: true })).toMatchObject({
      verdict: 'fail',
      measured: 0.88,
    });
    expect(judge({ metric: 'false_positive_rate', max: 0.11, confident: true })?.verdict).toBe('fail');
    expect(judge({ metric: 'f1', min: 0.1, confident: true })?.verdict).toBe('inconclusive');
  });

  it('with confidence, a regression is judged by the interval of the difference', () => {
    const gate: Gate = { metric: 'recall', maxRegression: 0.02, confident: true };
    const champion = { ...measured };
    const pair = { rows: 2000, disagreements: 100, broken: 40 };
    const reaches = (low: number) =>
      judge(gate, { champion, pair: { ...pair, deltaIntervals: { recall: interval(low, 0.03) } } })?.verdict;
    expect(reaches(-0.01)).toBe('pass');
    expect(reaches(-0.03)).toBe('fail');
    expect(judge(gate, { champion })?.verdict).toBe('inconclusive');
  });

  it('figures of file, comparison, drift and robustness', () => {
    expect(judge({ metric: 'model_size_mb', max: 3 })?.verdict).toBe('pass');
    expect(judge({ metric: 'robustness_recall_drop', max: 0.1 })).toMatchObject({
      verdict: 'fail',
      measured: 0.2,
      reason: '0.2 under noise-0.2 is above 0.1',
    });
    expect(judge({ metric: 'robustness_recall_drop', max: 0.1, perturbation: 'noise-0.1' })?.verdict).toBe(
      'pass',
    );
    expect(judge({ metric: 'robustness_recall_drop', max: 0.1, perturbation: 'other' })?.verdict).toBe(
      'inconclusive',
    );
    expect(judge({ metric: 'drift_score_psi', max: 0.1 })?.verdict).toBe('inconclusive');
    const pair = { rows: 1000, disagreements: 100, broken: 40, deltaIntervals: {} };
    expect(judge({ metric: 'disagreement_rate', max: 0.1 }, { pair })?.verdict).toBe('pass');
    expect(judge({ metric: 'broken_rate', max: 0.03 }, { pair })?.verdict).toBe('fail');
    expect(judge({ metric: 'broken_rate', max: 0.03 })?.verdict).toBe('inconclusive');
  });

  it('a failure outweighs what is open, and what is open outweighs a pass', () => {
    const result = (verdict: 'pass' | 'fail' | 'inconclusive') => ({
      ...(judge({ metric: 'recall', min: 0 }) as NonNullable<ReturnType<typeof judge>>),
      verdict,
      passed: verdict === 'pass',
    });
    expect(overallVerdict([])).toBe('pass');
    expect(overallVerdict([result('pass'), result('inconclusive')])).toBe('inconclusive');
    expect(overallVerdict([result('inconclusive'), result('fail'), result('pass')])).toBe('fail');
    const { verdict: _, ...older } = result('fail');
    expect(verdictOf(older)).toBe('fail');
  });

  it('property: nothing but a pass has passed', () => {
    const gates: fc.Arbitrary<Gate> = fc.record(
      {
        metric: fc.constantFrom(
          'recall',
          'f1',
          'false_positive_rate',
          'drift_feature_share',
          'model_size_mb',
        ),
        min: fc.double({ min: -1, max: 2, noNaN: true }),
        max: fc.double({ min: -1, max: 2, noNaN: true }),
        confident: fc.boolean(),
        minimumRows: fc.integer({ min: 1, max: 4000 }),
      },
      { requiredKeys: ['metric', 'min'] },
    );
    fc.assert(
      fc.property(gates, (gate) => {
        for (const result of evaluateGates({ ...STAGING_POLICY, gates: [gate] }, measured))
          expect(result.passed).toBe(result.verdict === 'pass');
      }),
    );
  });
});

describe('what a gate may say', () => {
  it('refuses combinations that mean nothing', () => {
    const problems = (gate: unknown): string[] =>
      gateSchema.safeParse(gate).error?.issues.map((issue) => issue.path.join('.')) ?? [];
    expect(problems({ metric: 'recall', min: 0.5 })).toEqual([]);
    expect(problems({ metric: 'recall' })).toEqual(['metric']);
    expect(problems({ metric: 'roc_auc', min: 0.5, slice: { column: 'kind' } })).toEqual(['slice']);
    expect(problems({ metric: 'recall', min: 0.5, perturbation: 'noise-0.1' })).toEqual(['perturbation']);
    expect(problems({ metric: 'recal', min: 0.5 })).toEqual(['metric']);
  });
});
