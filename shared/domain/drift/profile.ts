/**
 * What data looked like when a version was judged: bins, sketches and counts a feature, never a row. It is stored with
 * the version and travels with it; later data is held against it.
 */
import { z } from 'zod';
import { digestSchema } from '../statistics/digest.ts';
import { isotonicSchema } from '../statistics/isotonic.ts';

export const PROFILE_VERSION = 1;
/** Distinct numbers counted each by itself; beyond, a quantile sketch takes over. */
export const EXACT_VALUES = 256;
/** Categories kept by name. */
export const KEPT_CATEGORIES = 100;
export const MAX_BINS = 20;

const count = z.number().int().min(0);

export const numericProfileSchema = z.object({
  kind: z.literal('numeric'),
  feature: z.string(),
  rows: count,
  /** Rows without a number (NaN), and rows that hold an infinity; all are outside of moments and sketch. */
  missing: count,
  infinite: z.object({ low: count, high: count }),
  mean: z.number(),
  /** Sum of squared distances from the mean. */
  squares: z.number().min(0),
  min: z.number(),
  max: z.number(),
  /** Every value and how often, ascending, while there are few; else null and `digest` is there. */
  values: z
    .object({ value: z.array(z.number()).max(EXACT_VALUES), rows: z.array(count).max(EXACT_VALUES) })
    .nullable(),
  digest: digestSchema.nullable(),
  /**
   * Frozen: bin i holds cuts[i−1] < value ≤ cuts[i], the ends are open. `exact` false: read from the sketch, since the
   * cuts were not known while counting.
   */
  bins: z.object({
    cuts: z.array(z.number()).max(MAX_BINS - 1),
    rows: z.array(z.number().min(0)).max(MAX_BINS),
    exact: z.boolean(),
  }),
});
export type NumericProfile = z.infer<typeof numericProfileSchema>;

export const categoricalProfileSchema = z.object({
  kind: z.literal('categorical'),
  feature: z.string(),
  rows: count,
  missing: count,
  /** The commonest, by falling rows. */
  categories: z.array(z.object({ value: z.string(), rows: count })).max(KEPT_CATEGORIES),
  /** Rows of all other values. */
  other: count,
  /** Distinct values, at least. */
  distinct: count,
});
export type CategoricalProfile = z.infer<typeof categoricalProfileSchema>;

export const featureProfileSchema = z.discriminatedUnion('kind', [
  numericProfileSchema,
  categoricalProfileSchema,
]);
export type FeatureProfile = z.infer<typeof featureProfileSchema>;

export const referenceProfileSchema = z.object({
  version: z.literal(PROFILE_VERSION),
  rows: count,
  features: z.array(featureProfileSchema),
  /** Of the model's scores, in its own scale; null where it has none. */
  score: numericProfileSchema.nullable(),
  /** Rows the model flagged; null where nobody counted. */
  flagged: count.nullable(),
  /** From score (turned so that higher is more positive) to probability, fitted on labelled rows; null without. */
  calibration: isotonicSchema.nullable(),
});
export type ReferenceProfile = z.infer<typeof referenceProfileSchema>;

/** Rows that hold a finite number. */
export function numbersOf({
  rows,
  missing,
  infinite,
}: Pick<NumericProfile, 'rows' | 'missing' | 'infinite'>): number {
  return rows - missing - infinite.low - infinite.high;
}

/** Standard deviation of the sample, null for fewer than two numbers. */
export function standardDeviationOf(profile: NumericProfile): number | null {
  const numbers = numbersOf(profile);
  return numbers < 2 ? null : Math.sqrt(profile.squares / (numbers - 1));
}
