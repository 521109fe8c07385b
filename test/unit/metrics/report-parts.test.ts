import { describe, expect, it } from 'vitest';
import { createComparison } from '../../../shared/domain/metrics/comparison.ts';
import { createRegression } from '../../../shared/domain/metrics/regression.ts';
import { comparisonReportSchema, validationReportSchema } from '../../../shared/domain/metrics/report.ts';
import {
  comparisonParts,
  regressionParts,
  validationParts,
} from '../../../shared/domain/metrics/report-parts.ts';
import { createRandom } from '../../../shared/domain/statistics/random.ts';

/** Above 20,000 rows, where ranks are resampled in bins. */
const ROWS = 30_000;

function compared(labelled: boolean) {
  const random = createRandom(1);
  const comparison = createComparison({
    models: [{ decisionThreshold: 0.5 }, { decisionThreshold: 0.5 }],
    random: createRandom(2),
  });
  const labels = new Uint8Array(ROWS);
  const scores = [new Float32Array(ROWS), new Float32Array(ROWS)] as const;
  for (let row = 0; row < ROWS; row += 1) {
    labels[row] = random.uniform() < 0.3 ? 1 : 0;
    const shared = random.normal();
    for (const [model, by] of [1, 1.4].entries()) {
      const logit = shared + by * ((labels[row] ?? 0) - 0.5) * 2 + random.normal() / 2;
      const of = scores[model];
      if (of !== undefined) of[row] = 1 / (1 + Math.exp(-logit));
    }
  }
  const flagged = (of: Float32Array) => Uint8Array.from(of, (score) => (score >= 0.5 ? 1 : 0));
  comparison.add(labelled ? labels : null, scores.map(flagged), [...scores]);
  return comparison.finish();
}

describe('results in the form of reports', () => {
  const result = compared(true);
  const [pair] = result.pairs;
  if (pair === undefined) throw new Error('no pair');

  it('of a detector are what a validation report takes', () => {
    for (const model of result.models) {
      const parts = validationParts(model);
      for (const [name, value] of Object.entries(parts))
        expect(validationReportSchema.shape[name as keyof typeof parts].safeParse(value).success, name).toBe(
          true,
        );
      expect(parts.metrics.pr_auc).toBeTypeOf('number');
      expect(parts.sweep.filter(({ decision }) => decision)).toHaveLength(1);
      expect(parts.reliability.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS);
    }
  });
  it('of a comparison are what its report takes', () => {
    const parts = comparisonParts(pair, true);
    for (const [name, value] of Object.entries(parts))
      expect(comparisonReportSchema.shape[name as keyof typeof parts].safeParse(value).success, name).toBe(
        true,
      );
    expect(parts.significance?.mcnemarP).toBeLessThan(1e-6);
    expect(parts.disagreementMatrix.flat().reduce((sum, rows) => sum + rows, 0)).toBe(ROWS);
  });
  it('binned resampling gives about the interval of the closed form', () => {
    const { low = 0, high = 0 } = pair.auc?.interval ?? {};
    const bootstrap = pair.aucBootstrap ?? { low: 1, high: 1 };
    const width = high - low;
    expect(Math.abs(bootstrap.low - low)).toBeLessThan(width / 5);
    expect(Math.abs(bootstrap.high - high)).toBeLessThan(width / 5);
    const delta =
      (result.models[1]?.metrics.tpr_at_fpr_0_01 ?? 0) - (result.models[0]?.metrics.tpr_at_fpr_0_01 ?? 0);
    const detection = pair.deltaIntervals.tpr_at_fpr_0_01;
    expect((detection?.low ?? 1) <= delta && delta <= (detection?.high ?? 0)).toBe(true);
  });
  it('of traffic without labels say nothing of right and wrong', () => {
    const unlabelled = compared(false);
    const [other] = unlabelled.pairs;
    if (other === undefined) throw new Error('no pair');
    expect(comparisonParts(other, unlabelled.labelled)).toMatchObject({
      significance: { mcnemarP: null, aucDelta: null, aucP: null },
      challengerFixes: 0,
      challengerBreaks: 0,
      disagreements: pair.agreement.disagreements,
    });
  });
  it('of a regression are what its report takes', () => {
    const accumulator = createRegression({ random: createRandom(3) });
    accumulator.add([1, 2, 4, 8], [1, 3, 4, 7]);
    const { regression, intervals } = regressionParts(accumulator.result());
    expect(validationReportSchema.shape.regression.safeParse(regression).success).toBe(true);
    expect(regression).toMatchObject({ rows: 4, mae: 0.5, max_error: 1, median_absolute_error: 0.5 });
    expect(Object.keys(intervals)).toContain('mae');
  });
});
