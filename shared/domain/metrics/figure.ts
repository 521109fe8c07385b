import { z } from 'zod';
import { type Interval, intervalSchema } from '../evidence/interval.ts';

/** One measured figure as a reviewer reads it: the value, its interval, how many rows it rests on. */
export const figureSchema = z.object({
  /** null where it is undefined; `reason` then says why. Never NaN. */
  value: z.number().nullable(),
  interval: intervalSchema.nullable(),
  /** Rows (or trials) the figure is computed from. */
  rows: z.number().int(),
  reason: z.string().nullable(),
});
export type Figure = z.infer<typeof figureSchema>;

/** A figure, or the reason why there is none. */
export function figure(
  value: number | null,
  rows: number,
  interval: Interval | null,
  reason: string,
): Figure {
  return value === null ? { value, interval: null, rows, reason } : { value, interval, rows, reason: null };
}

/** A ratio, or null where it is undefined. */
export function ratio(numerator: number, denominator: number): number | null {
  return denominator === 0 ? null : numerator / denominator;
}

/** What every streaming measurement is: batches in, one result out. Arrays are copied from, never kept. */
export interface Accumulator<Batch extends readonly unknown[], Result> {
  add(...batch: Batch): void;
  /** May be asked more than once, and between batches. */
  result(): Result;
}
