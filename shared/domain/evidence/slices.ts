/** Quality within parts of the data: per value of a column, and the worst parts found by the program. */
import { z } from 'zod';
import { intervalSchema } from './interval.ts';

export const sliceSchema = z.object({
  column: z.string(),
  /** The column's value, or a range such as `[10, 50)` of a numeric column. */
  value: z.string(),
  rows: z.number().int(),
  positives: z.number().int(),
  accuracy: z.number().nullable(),
  recall: z.number().nullable(),
  precision: z.number().nullable(),
  false_positive_rate: z.number().nullable(),
  recallInterval: intervalSchema.nullable(),
  falsePositiveInterval: intervalSchema.nullable(),
  /** Fewer rows than the guard asks for: shown, never judged. */
  tooFew: z.boolean(),
  /** Found by the search for worst slices; `adjustedP` after correction over all slices that were looked at. */
  worst: z.boolean(),
  adjustedP: z.number().nullable(),
});
export type Slice = z.infer<typeof sliceSchema>;

/** How answers changed within one slice between champion and challenger. */
export const sliceFlipSchema = z.object({
  column: z.string(),
  value: z.string(),
  rows: z.number().int(),
  fixed: z.number().int(),
  broken: z.number().int(),
  recallDelta: z.number().nullable(),
  falsePositiveDelta: z.number().nullable(),
  /** McNemar's test on the slice, corrected over all slices; null below the guard. */
  adjustedP: z.number().nullable(),
});
export type SliceFlip = z.infer<typeof sliceFlipSchema>;
