import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import { quantileOf, wilsonInterval } from '../statistics/interval.ts';
import { Sum } from '../statistics/sum.ts';
import { type Accumulator, figure, figureSchema } from './figure.ts';
import { GrowableFloats } from './growable.ts';

/** Quantiles of a summary. */
export const SUMMARY_QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1] as const;

export const scoreSummarySchema = z.object({
  rows: z.number().int(),
  mean: z.number().nullable(),
  /** Of the sample (n − 1); null with one row. */
  standardDeviation: z.number().nullable(),
  /** Linear interpolation between neighbours, numpy's default. */
  quantiles: z.array(z.object({ q: z.number(), value: z.number() })),
  /** Share of rows flagged; null where the model flags nothing by itself. */
  anomalyRate: figureSchema.nullable(),
  /** Every row got the same score. */
  isConstant: z.boolean(),
});
export type ScoreSummary = z.infer<typeof scoreSummarySchema>;

/** What ascending scores look like; `flagged` of them were flagged. */
export function summarizeScores(sorted: Float64Array, flagged: number | null, level?: number): ScoreSummary {
  const rows = sorted.length;
  const sum = new Sum();
  for (const score of sorted) sum.add(score);
  const mean = rows === 0 ? null : sum.value / rows;
  const squares = new Sum();
  for (const score of sorted) squares.add((score - (mean ?? 0)) ** 2);
  return {
    rows,
    mean,
    standardDeviation: rows < 2 ? null : Math.sqrt(squares.value / (rows - 1)),
    quantiles: rows === 0 ? [] : SUMMARY_QUANTILES.map((q) => ({ q, value: quantileOf(sorted, q) })),
    anomalyRate:
      flagged === null
        ? null
        : figure(
            rows === 0 ? null : flagged / rows,
            rows,
            wilsonInterval(flagged, rows, level),
            'there are no rows',
          ),
    isConstant: rows > 0 && sorted[0] === sorted[rows - 1],
  };
}

/** Summary of scores without labels, 8 bytes a row. `flagged`: 1 where the model flagged the row, or null. */
export function createScoreSummary(): Accumulator<
  [scores: Float32Array | Float64Array, flagged: Uint8Array | null],
  ScoreSummary
> {
  let scores = new GrowableFloats();
  let flaggedRows: number | null = null;
  return {
    add(batch, flagged) {
      for (const score of batch) {
        if (!Number.isFinite(score))
          throw new SallyportError('model.unmappable', 'A score of the model is not a finite number.');
      }
      for (const score of batch) scores.push(score);
      if (flagged !== null) {
        flaggedRows ??= 0;
        for (const one of flagged) flaggedRows += one;
      }
    },
    result() {
      const sorted = scores.takeSorted();
      scores = GrowableFloats.of(sorted);
      return summarizeScores(sorted, flaggedRows);
    },
  };
}
