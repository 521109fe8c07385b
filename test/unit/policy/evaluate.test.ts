import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricsOf } from '../../../shared/domain/metrics/classification.ts';
import { METRIC_DIRECTION, METRIC_NAMES, measuredValue } from '../../../shared/domain/metrics/compare.ts';
import { latencyOf } from '../../../shared/domain/metrics/latency.ts';
import { gateResultSchema } from '../../../shared/domain/metrics/report.ts';
import {
  evaluateEvidence,
  evaluateGates,
  type GateEvidence,
} from '../../../shared/domain/policy/evaluate.ts';
import {
  type Gate,
  gateMetricSchema,
  type Policy,
  policySchema,
} from '../../../shared/domain/policy/policy.ts';
import { PRODUCTION_POLICY, presetPolicy, STAGING_POLICY } from '../../../shared/domain/policy/presets.ts';
import { SCAN_RULES } from '../../../shared/domain/scan/scan.ts';

const good = {
  metrics: metricsOf({ tn: 900, fp: 100, fn: 100, tp: 900 }, 0.95),
  latency: latencyOf([1, 2, 10]),
};
const better = {
  metrics: metricsOf({ tn: 950, fp: 50, fn: 50, tp: 950 }, 0.98),
  latency: latencyOf([1, 1, 5]),
};

function judge(gates: readonly Gate[], evidence: Partial<GateEvidence> = {}) {
  const policy: Policy = { ...STAGING_POLICY, gates: [...gates] };
  const results = evaluateGates(policy, { ...good, champion: null, ...evidence });
  for (const result of results) gateResultSchema.parse(result);
  return results;
}

describe('gates', () => {
  it('one result per bound', () => {
    const results = judge([{ metric: 'f1', min: 0.8, max: 0.95, maxRegression: 0.1 }], { champion: better });
    expect(results.map((result) => [result.bound, result.limit, result.passed])).toEqual([
      ['min', 0.8, true],
      ['max', 0.95, true],
      ['maxRegression', 0.1, true],
    ]);
  });

  it('bounds are inclusive', () => {
    expect(judge([{ metric: 'accuracy', min: 0.9, max: 0.9 }]).every((result) => result.passed)).toBe(true);
    expect(judge([{ metric: 'accuracy', min: 0.9000001 }])[0]).toMatchObject({
      passed: false,
      reason: '0.9 is below 0.9000001',
    });
    expect(
      judge([{ metric: 'accuracy', min: 0.9 }], { metrics: { ...good.metrics, accuracy: 0.8999999999 } })[0]
        ?.reason,
    ).toBe('0.8999999999 is below 0.9');
  });

  it('what was not measured never passes', () => {
    const unmeasured = { metrics: metricsOf({ tn: 5, fp: 0, fn: 0, tp: 0 }, null), latency: null };
    const gates = METRIC_NAMES.filter(
      (metric) => !['accuracy', 'false_positive_rate', 'positive_rate'].includes(metric),
    ).map((metric) => ({ metric, min: -1, max: 1e9, maxRegression: 1 }));
    const results = judge(gates, { ...unmeasured, champion: good });
    expect(results.length).toBe(gates.length * 3);
    expect(results.filter((result) => result.passed)).toEqual([]);
    expect(results[0]).toMatchObject({ measured: null });
    expect(
      judge([{ metric: 'roc_auc', min: 0 }], { metrics: { ...good.metrics, roc_auc: Number.NaN } })[0],
    ).toMatchObject({ passed: false, measured: null });
    expect(
      judge([{ metric: 'roc_auc', maxRegression: 1 }], { ...unmeasured, champion: null })[0],
    ).toMatchObject({ passed: false });
  });

  it('a regression needs its champion, unless there is none at all', () => {
    const gate: Gate = { metric: 'roc_auc', maxRegression: 0.01 };
    expect(judge([gate])[0]).toMatchObject({ passed: true, baseline: null, reason: 'no champion yet' });
    expect(judge([gate], { champion: 'not-compared' })[0]).toMatchObject({ passed: false });
    expect(
      judge([gate], { champion: { ...good, metrics: { ...good.metrics, roc_auc: null } } })[0],
    ).toMatchObject({ passed: false, baseline: null });
    expect(
      judge([{ metric: 'latency_p95_ms', maxRegression: 1 }], { champion: { ...good, latency: null } })[0],
    ).toMatchObject({ passed: false });
  });

  it("a regression is judged in the metric's own direction", () => {
    expect(judge([{ metric: 'f1', maxRegression: 0.01 }], { champion: better })[0]).toMatchObject({
      passed: false,
      measured: 0.9,
      baseline: 0.95,
    });
    expect(
      judge([{ metric: 'false_positive_rate', maxRegression: 0.01 }], { champion: better })[0],
    ).toMatchObject({ passed: false });
    expect(judge([{ metric: 'latency_p95_ms', maxRegression: 4 }], { champion: better })[0]).toMatchObject({
      passed: false,
      measured: 10,
      baseline: 5,
    });
    for (const metric of METRIC_NAMES.filter((name) => measuredValue(good, name) !== null))
      expect(judge([{ metric, maxRegression: 0 }], { ...better, champion: good })[0], metric).toMatchObject({
        passed: true,
      });
  });

  it('a regression of exactly the limit passes, whatever doubles make of it', () => {
    const metrics = { ...good.metrics, f1: 0.89 };
    expect(
      judge([{ metric: 'f1', maxRegression: 0.01 }], {
        metrics,
        champion: { ...good, metrics: { ...good.metrics, f1: 0.9 } },
      })[0]?.passed,
    ).toBe(true);
  });

  it('a gate without a bound is no pass', () => {
    expect(judge([{ metric: 'f1' }])).toMatchObject([{ passed: false }]);
  });

  it('every metric a policy may name has a direction', () => {
    expect(Object.keys(METRIC_DIRECTION).sort()).toEqual([...gateMetricSchema.options].sort());
  });

  it('property: better never turns a pass into a failure', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom('f1', 'false_positive_rate' as const),
        unit,
        unit,
        unit,
        unit,
        (metric, value, step, limit, baseline) => {
          const isHigher = metric === 'f1';
          const improved = isHigher ? value + step : value - step;
          const gate: Gate = {
            metric,
            ...(isHigher ? { min: limit } : { max: limit }),
            maxRegression: limit,
          };
          const champion = { ...good, metrics: { ...good.metrics, [metric]: baseline } };
          const before = judge([gate], { metrics: { ...good.metrics, [metric]: value }, champion });
          const after = judge([gate], { metrics: { ...good.metrics, [metric]: improved }, champion });
          for (const [index, result] of before.entries())
            if (result.passed) expect(after[index]?.passed).toBe(true);
        },
      ),
    );
  });
});

describe('evidence', () => {
  const rulesRun = ['rules@1', ...SCAN_RULES.map((rule) => rule.id)];
  const digest = 'a'.repeat(64);
  const sound = { rows: 1000, datasetDigest: digest, findings: [], rulesRun };
  const finding = {
    ruleId: 'custom-domain',
    severity: 'high',
    title: 'Operators from outside ONNX',
    where: 'graph/node[0]',
    detail: '',
    reference: '',
  } as const;

  it('passes where all is there', () => {
    expect(evaluateEvidence(PRODUCTION_POLICY, sound)).toEqual({ passed: true, reasons: [] });
    expect(evaluateEvidence({ ...PRODUCTION_POLICY, datasets: [digest] }, sound).passed).toBe(true);
  });

  it('says each thing that is missing', () => {
    expect(evaluateEvidence(PRODUCTION_POLICY, { ...sound, rows: 999 }).reasons).toEqual([
      'The validation has 999 labelled rows; the policy asks for 1000.',
    ]);
    expect(
      evaluateEvidence({ ...PRODUCTION_POLICY, datasets: ['b'.repeat(64)] }, sound).reasons[0],
    ).toContain('aaaaaaaaaaaa…');
    expect(evaluateEvidence(PRODUCTION_POLICY, { ...sound, findings: [finding] }).reasons[0]).toContain(
      'custom-domain',
    );
    expect(
      evaluateEvidence({ ...PRODUCTION_POLICY, maximumSeverity: 'high' }, { ...sound, findings: [finding] })
        .passed,
    ).toBe(true);
    const all = evaluateEvidence(
      { ...PRODUCTION_POLICY, datasets: ['b'.repeat(64)] },
      { rows: 1, datasetDigest: digest, findings: [finding], rulesRun: [] },
    );
    expect(all.passed).toBe(false);
    expect(all.reasons).toHaveLength(4);
  });

  it('a rule that did not run is never a pass, nor is another rule set', () => {
    for (const rule of SCAN_RULES) {
      expect(
        evaluateEvidence(PRODUCTION_POLICY, { ...sound, rulesRun: rulesRun.filter((id) => id !== rule.id) })
          .reasons[0],
      ).toContain(rule.id);
    }
    expect(
      evaluateEvidence(PRODUCTION_POLICY, { ...sound, rulesRun: ['rules@0', ...rulesRun.slice(1)] }).passed,
    ).toBe(false);
  });
});

describe('presets', () => {
  it('are valid policies, production the stricter', () => {
    expect(policySchema.parse(STAGING_POLICY)).toEqual(STAGING_POLICY);
    expect(policySchema.parse(PRODUCTION_POLICY)).toEqual(PRODUCTION_POLICY);
    expect(PRODUCTION_POLICY.quorum.approvals).toBeGreaterThan(STAGING_POLICY.quorum.approvals);
  });

  it('an environment is treated as production unless its name says that it is for trying', () => {
    expect(presetPolicy('production')).toBe(PRODUCTION_POLICY);
    expect(presetPolicy('soc-north')).toBe(PRODUCTION_POLICY);
    expect(presetPolicy('devices')).toBe(PRODUCTION_POLICY);
    expect(presetPolicy('staging')).toBe(STAGING_POLICY);
    expect(presetPolicy('staging-eu')).toBe(STAGING_POLICY);
  });
});
