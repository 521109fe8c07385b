import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import { percentileInterval, quantileOf } from '../statistics/interval.ts';
import type { Random } from '../statistics/random.ts';
import { Sum } from '../statistics/sum.ts';
import { REPLICATES } from './bootstrap.ts';
import { type Accumulator, figure, figureSchema } from './figure.ts';
import { GrowableFloats } from './growable.ts';
import { RowMean } from './row-mean.ts';

export const regressionFiguresSchema = z.object({
  rows: z.number().int(),
  mae: figureSchema,
  rmse: figureSchema,
  r2: figureSchema,
  maxError: figureSchema,
  medianAbsoluteError: figureSchema,
  /** Mean of prediction minus target. */
  bias: z.number().nullable(),
});
export type RegressionFigures = z.infer<typeof regressionFiguresSchema>;

/** Rows are dealt round-robin into groups whose sums are resampled: bounded time whatever the rows. */
const GROUPS = 256;

/**
 * MAE, RMSE, R², largest and median error of predictions in the target's unit; 8 bytes a row for the median alone.
 * R² is 1 − SSE/SST, null where the target is constant. Intervals of RMSE and R² resample 256 groups of rows.
 */
export function createRegression({
  random,
  level,
}: {
  readonly random?: Random;
  readonly level?: number;
} = {}): Accumulator<[targets: ArrayLike<number>, predictions: ArrayLike<number>], RegressionFigures> {
  const absolute = new RowMean();
  const squared = new Sum();
  const signed = new Sum();
  const targets = new Sum();
  const targetSquares = new Sum();
  let errors = new GrowableFloats();
  /** Targets are taken from the first one, so that squares of large values do not cancel. */
  let origin = 0;
  let rows = 0;
  let largest = 0;
  const groups = Array.from({ length: 4 }, () => new Float64Array(GROUPS));
  const [counts, errorSquares, sums, squares] = groups as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];

  return {
    add(truth, predictions) {
      if (truth.length !== predictions.length)
        throw new SallyportError('input.invalid', 'A batch has not as many targets as predictions.');
      for (let row = 0; row < truth.length; row += 1) {
        if (!Number.isFinite(truth[row]) || !Number.isFinite(predictions[row]))
          throw new SallyportError(
            'model.unmappable',
            `Row ${rows + row + 1}: target or prediction is not finite.`,
          );
      }
      if (rows === 0) origin = truth[0] ?? 0;
      for (let row = 0; row < truth.length; row += 1) {
        const target = (truth[row] ?? 0) - origin;
        const error = (predictions[row] ?? 0) - (truth[row] ?? 0);
        const size = Math.abs(error);
        absolute.add(size);
        squared.add(size * size);
        signed.add(error);
        targets.add(target);
        targetSquares.add(target * target);
        errors.push(size);
        largest = Math.max(largest, size);
        const group = rows % GROUPS;
        counts[group] = (counts[group] ?? 0) + 1;
        errorSquares[group] = (errorSquares[group] ?? 0) + size * size;
        sums[group] = (sums[group] ?? 0) + target;
        squares[group] = (squares[group] ?? 0) + target * target;
        rows += 1;
      }
    },
    result() {
      const sorted = errors.takeSorted();
      errors = GrowableFloats.of(sorted);
      const noRows = 'there are no rows';
      const mse = squared.value / rows;
      const spread = targetSquares.value - targets.value ** 2 / rows;
      const r2 = rows < 2 || !(spread > 0) ? null : 1 - squared.value / spread;
      const rmses = new Float64Array(REPLICATES);
      const r2s = new Float64Array(REPLICATES);
      if (random !== undefined) {
        for (let at = 0; at < REPLICATES; at += 1) {
          let [n, sse, sum, square] = [0, 0, 0, 0];
          for (let group = 0; group < Math.min(rows, GROUPS); group += 1) {
            const times = random.poisson(1);
            n += times * (counts[group] ?? 0);
            sse += times * (errorSquares[group] ?? 0);
            sum += times * (sums[group] ?? 0);
            square += times * (squares[group] ?? 0);
          }
          const around = square - sum ** 2 / n;
          rmses[at] = Math.sqrt(sse / n);
          r2s[at] = around > 0 ? 1 - sse / around : Number.NaN;
        }
      }
      const drawn = (replicates: Float64Array) =>
        random === undefined || rows === 0 ? null : percentileInterval(replicates, 0, level);
      return {
        rows,
        mae: absolute.figure(level),
        rmse: figure(rows === 0 ? null : Math.sqrt(mse), rows, drawn(rmses), noRows),
        r2: figure(r2, rows, drawn(r2s), rows < 2 ? 'fewer than two rows' : 'the target is constant'),
        maxError: figure(rows === 0 ? null : largest, rows, null, noRows),
        medianAbsoluteError: figure(rows === 0 ? null : quantileOf(sorted, 0.5), rows, null, noRows),
        bias: rows === 0 ? null : signed.value / rows,
      };
    },
  };
}
