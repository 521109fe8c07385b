/** What small damage to the input does to detection and false alarms. */
import { z } from 'zod';

export const perturbationKindSchema = z.enum(['noise', 'missing', 'out-of-range', 'permutation', 'constant']);
export type PerturbationKind = z.infer<typeof perturbationKindSchema>;

export const robustnessResultSchema = z.object({
  kind: perturbationKindSchema,
  /** `noise-0.1`, `missing-mean`, `permutation:src_bytes`: what a gate names. */
  id: z.string(),
  description: z.string(),
  /** Feature it was done to; null = all. */
  feature: z.string().nullable(),
  rows: z.number().int(),
  recall: z.number().nullable(),
  recallDelta: z.number().nullable(),
  falsePositiveRate: z.number().nullable(),
  falsePositiveDelta: z.number().nullable(),
  rocAuc: z.number().nullable(),
  rocAucDelta: z.number().nullable(),
  /** Share of rows whose label changed. */
  flipRate: z.number(),
  /** Rows the model refused or answered with no number. */
  failures: z.number().int(),
});
export type RobustnessResult = z.infer<typeof robustnessResultSchema>;
