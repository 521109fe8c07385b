import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBinaryAccumulator } from '../../shared/domain/metrics/classification.ts';
import { CURVE_POINTS } from '../../shared/domain/metrics/ranking.ts';

interface Row {
  readonly label: 0 | 1;
  readonly predicted: 0 | 1;
  readonly score: number;
}
const bit = fc.constantFrom<0 | 1>(0, 1);
/** Few distinct scores, so that ties are the rule; and any doubles at all. */
const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
const rows = fc.array(fc.record({ label: bit, predicted: bit, score }), { minLength: 1, maxLength: 120 });

function measure(data: readonly Row[], batch: number, lowerIsPositive = false) {
  const accumulator = createBinaryAccumulator({ lowerIsPositive });
  for (let at = 0; at < data.length; at += batch) {
    const part = data.slice(at, at + batch);
    accumulator.add(
      Uint8Array.from(part, (row) => row.label),
      Uint8Array.from(part, (row) => row.predicted),
      Float64Array.from(part, (row) => row.score),
    );
  }
  return accumulator.finish();
}

/** All but what is summed up row by row, whose last digit depends on the order of the terms. */
function ofDecisionsAndRanks({ metrics, figures, ...rest }: ReturnType<typeof measure>) {
  const { log_loss: _, brier: __, ece: ___, ...exact } = metrics;
  const { roc_auc, average_precision, detectionRates, sweep, recall, mcc } = figures;
  return { ...rest, metrics: exact, roc_auc, average_precision, detectionRates, sweep, recall, mcc };
}

/** The definition: the share of pairs in order, each pair looked at. */
function bruteForceAuc(data: readonly Row[]): number | null {
  const positives = data.filter((row) => row.label === 1);
  const negatives = data.filter((row) => row.label === 0);
  if (positives.length === 0 || negatives.length === 0) return null;
  let wins = 0;
  for (const p of positives)
    for (const n of negatives) wins += p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0;
  return wins / positives.length / negatives.length;
}

describe('the area under the ROC curve', () => {
  it('is the share of pairs in order, ties counting one half', () => {
    fc.assert(
      fc.property(rows, (data) => {
        const expected = bruteForceAuc(data);
        const { roc_auc } = measure(data, 1000).metrics;
        if (expected === null) expect(roc_auc).toBeNull();
        else expect(roc_auc).toBeCloseTo(expected, 12);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on batches or order, and turns round with the scores', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 50 }), (data, batch) => {
        const whole = measure(data, 1000);
        expect(measure(data, batch)).toEqual(whole);
        expect(ofDecisionsAndRanks(measure(data.toReversed(), 1000))).toEqual(ofDecisionsAndRanks(whole));
        const turned = measure(
          data.map((row) => ({ ...row, score: -row.score })),
          1000,
          true,
        ).metrics;
        // A probability turned round is one minus it, not minus it.
        const { log_loss, brier, ece } = whole.metrics;
        expect({ ...turned, log_loss, brier, ece }).toEqual(whole.metrics);
      }),
    );
  });

  it('is the trapezoid under the drawn curve where nothing was thinned', () => {
    fc.assert(
      fc.property(rows, (data) => {
        const { metrics, roc } = measure(data, 1000);
        if (metrics.roc_auc === null) return;
        let area = 0;
        for (let at = 1; at < roc.length; at += 1)
          area +=
            (((roc[at]?.x ?? 0) - (roc[at - 1]?.x ?? 0)) * ((roc[at]?.y ?? 0) + (roc[at - 1]?.y ?? 0))) / 2;
        expect(area).toBeCloseTo(metrics.roc_auc, 10);
      }),
    );
  });
});

describe('what is drawn', () => {
  const many = fc.array(
    fc.record({ label: bit, predicted: bit, score: fc.double({ min: 0, max: 1, noNaN: true }) }),
    { minLength: 500, maxLength: 3000 },
  );

  it('has at most 200 points, rises, stays in the unit square and keeps its ends', () => {
    fc.assert(
      fc.property(many, (data) => {
        const { roc, precisionRecall, metrics } = measure(data, 512);
        for (const curve of [roc, precisionRecall]) {
          expect(curve.length).toBeLessThanOrEqual(CURVE_POINTS);
          for (const [at, point] of curve.entries()) {
            expect(point.x >= (curve[at - 1]?.x ?? 0) && point.x <= 1 && point.y >= 0 && point.y <= 1).toBe(
              true,
            );
          }
        }
        if (metrics.roc_auc !== null) {
          expect(roc[0]).toEqual({ x: 0, y: 0 });
          expect(roc.at(-1)).toEqual({ x: 1, y: 1 });
          expect(precisionRecall.at(-1)?.x).toBe(1);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('the histogram counts every row once', () => {
    fc.assert(
      fc.property(rows, (data) => {
        const { histogram, metrics } = measure(data, 7);
        const sum = (counts: readonly number[] = []): number =>
          counts.reduce((total, count) => total + count, 0);
        expect(sum(histogram?.positive)).toBe(metrics.positives);
        expect(sum(histogram?.negative)).toBe(metrics.rows - metrics.positives);
      }),
    );
  });
});
