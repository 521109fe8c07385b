/** A model run on its own test data: input and output values written down by whoever made it, compared within a tolerance. */
import { z } from 'zod';

/** |actual - expected| ≤ absolute + relative × |expected|, as numpy's allclose and ONNX's own backend tests have it. */
export const toleranceSchema = z.object({
  relative: z.number().min(0),
  absolute: z.number().min(0),
});
export type Tolerance = z.infer<typeof toleranceSchema>;

/** Of ONNX's backend tests. */
export const DEFAULT_TOLERANCE: Tolerance = { relative: 1e-3, absolute: 1e-7 };

/** One value of one output, held against the one written down. */
export const comparedOutputSchema = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** Why it does not pass, in words; empty where it does. */
  reason: z.string(),
  elementType: z.string(),
  dims: z.array(z.number()),
  elements: z.number().int(),
  /** Elements outside the tolerance. */
  different: z.number().int(),
  /** Largest differences of elements that are finite on both sides; null for text and where there are none. */
  maxAbsolute: z.number().nullable(),
  maxRelative: z.number().nullable(),
  /** The first element outside the tolerance: its place, what was expected and what came. */
  first: z.object({ index: z.array(z.number().int()), expected: z.string(), actual: z.string() }).nullable(),
});
export type ComparedOutput = z.infer<typeof comparedOutputSchema>;

export const testSetReportSchema = z.object({
  /** Name of the folder, such as `test_data_set_0`. */
  name: z.string(),
  /**
   * `failed`: it ran, and an output differs. `error`: it did not run. `not-supported`: it holds values that the
   * runtime's Node binding can neither take nor give. Only `passed` is a pass.
   */
  status: z.enum(['passed', 'failed', 'error', 'not-supported']),
  reason: z.string(),
  outputs: z.array(comparedOutputSchema),
  durationMs: z.number(),
});
export type TestSetReport = z.infer<typeof testSetReportSchema>;

export const testDataReportSchema = z.object({
  /** `name@version`, or the file's name. */
  model: z.string(),
  digest: z.string(),
  /** SHA-256 over all files of the folder. */
  dataDigest: z.string(),
  tolerance: toleranceSchema,
  sets: z.array(testSetReportSchema),
  passed: z.boolean(),
});
export type TestDataReport = z.infer<typeof testDataReportSchema>;
