/** What is wrong with a model's answers themselves, whatever the truth is. */
import { z } from 'zod';
import { severitySchema } from '../scan/finding.ts';

export const outputFindingIdSchema = z.enum([
  /** The label is not the one the model's own probabilities say. */
  'label-contradicts-probability',
  'probabilities-do-not-sum-to-one',
  'probability-out-of-range',
  'non-finite-output',
  'constant-label',
  'constant-score',
  'unexpected-label',
  /** The same row gave two answers in batches of different size. */
  'batch-dependent-output',
]);
export type OutputFindingId = z.infer<typeof outputFindingIdSchema>;

export const outputFindingSchema = z.object({
  id: outputFindingIdSchema,
  severity: severitySchema,
  title: z.string(),
  /** Rows it was seen on, of `of`. */
  rows: z.number().int(),
  of: z.number().int(),
  /** The first rows, 1-based, at most 20. */
  examples: z.array(z.number().int()),
  detail: z.string(),
});
export type OutputFinding = z.infer<typeof outputFindingSchema>;
