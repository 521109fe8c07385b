import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import { wilsonInterval } from '../statistics/interval.ts';
import { type Accumulator, figure, figureSchema, ratio } from './figure.ts';

/** Classes a matrix may have: its square is held and drawn. */
export const MAX_CLASSES = 200;

export const multiClassFiguresSchema = z.object({
  rows: z.number().int(),
  classes: z.array(z.string()),
  /** Rows by true class (first index) and predicted class. */
  matrix: z.array(z.array(z.number().int())),
  accuracy: figureSchema,
  /** Mean recall of the classes that occur. */
  balancedAccuracy: z.number().nullable(),
  /** Matthews' coefficient for many classes (Gorodkin 2004). */
  mcc: z.number().nullable(),
  /** Cohen's agreement of truth and prediction beyond chance. */
  kappa: z.number().nullable(),
  perClass: z.array(
    z.object({
      name: z.string(),
      support: z.number().int(),
      precision: figureSchema,
      recall: figureSchema,
      f1: z.number().nullable(),
    }),
  ),
  /** Plain means over the classes that occur or were predicted, and means weighted by support; undefined counts as 0. */
  macro: z.object({ precision: z.number(), recall: z.number(), f1: z.number() }).nullable(),
  weighted: z.object({ precision: z.number(), recall: z.number(), f1: z.number() }).nullable(),
});
export type MultiClassFigures = z.infer<typeof multiClassFiguresSchema>;

/** Confusion matrix of many classes and what follows from it, streaming. Codes are places in `classes`. */
export function createMultiClass(
  classes: readonly string[],
): Accumulator<[labels: ArrayLike<number>, predicted: ArrayLike<number>], MultiClassFigures> {
  const size = classes.length;
  if (size < 2 || size > MAX_CLASSES)
    throw new SallyportError(
      'input.invalid',
      `A confusion matrix has 2 to ${MAX_CLASSES} classes, not ${size}.`,
    );
  const counts = new Float64Array(size * size);
  return {
    add(labels, predicted) {
      if (labels.length !== predicted.length)
        throw new SallyportError('input.invalid', 'A batch has not as many labels as predictions.');
      const isCode = (code: number | undefined): boolean =>
        code !== undefined && Number.isInteger(code) && code >= 0 && code < size;
      for (let row = 0; row < labels.length; row += 1)
        if (!isCode(labels[row]) || !isCode(predicted[row]))
          throw new SallyportError('input.invalid', `A class code is none of the ${size} known.`);
      for (let row = 0; row < labels.length; row += 1) {
        const cell = (labels[row] ?? 0) * size + (predicted[row] ?? 0);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
    },
    result: () => figuresOf(classes, counts),
  };
}

function figuresOf(classes: readonly string[], counts: Float64Array): MultiClassFigures {
  const size = classes.length;
  const matrix = classes.map((_, at) => Array.from(counts.subarray(at * size, (at + 1) * size)));
  const truth = matrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const given = classes.map((_, at) => matrix.reduce((sum, row) => sum + (row[at] ?? 0), 0));
  const rows = truth.reduce((sum, count) => sum + count, 0);
  const hits = matrix.map((row, at) => row[at] ?? 0);
  const right = hits.reduce((sum, count) => sum + count, 0);
  const perClass = classes.map((name, at) => {
    const support = truth[at] ?? 0;
    const predicted = given[at] ?? 0;
    const hit = hits[at] ?? 0;
    return {
      name,
      support,
      precision: figure(ratio(hit, predicted), predicted, wilsonInterval(hit, predicted), 'never predicted'),
      recall: figure(ratio(hit, support), support, wilsonInterval(hit, support), 'does not occur'),
      f1: ratio(2 * hit, support + predicted),
    };
  });
  // Σ over classes; products of counts stay exact up to 2^53.
  const chance = truth.reduce((sum, count, at) => sum + count * (given[at] ?? 0), 0);
  const ofTruth = rows * rows - truth.reduce((sum, count) => sum + count * count, 0);
  const ofGiven = rows * rows - given.reduce((sum, count) => sum + count * count, 0);
  const occurring = perClass.filter(({ support }) => support > 0);
  const seen = perClass.filter(({ support }, at) => support > 0 || (given[at] ?? 0) > 0);
  const mean = (weight: (support: number) => number) => {
    const total = seen.reduce((sum, { support }) => sum + weight(support), 0);
    const of = (value: (one: (typeof seen)[number]) => number | null): number =>
      seen.reduce((sum, one) => sum + weight(one.support) * (value(one) ?? 0), 0) / total;
    return total === 0
      ? null
      : {
          precision: of((one) => one.precision.value),
          recall: of((one) => one.recall.value),
          f1: of((one) => one.f1),
        };
  };
  return {
    rows,
    classes: [...classes],
    matrix,
    accuracy: figure(ratio(right, rows), rows, wilsonInterval(right, rows), 'there are no rows'),
    balancedAccuracy: ratio(
      occurring.reduce((sum, { recall }) => sum + (recall.value ?? 0), 0),
      occurring.length,
    ),
    mcc: ratio(right * rows - chance, Math.sqrt(ofTruth) * Math.sqrt(ofGiven)),
    kappa: ratio(right * rows - chance, rows * rows - chance),
    perClass,
    macro: mean(() => 1),
    weighted: mean((support) => support),
  };
}
