import { z } from 'zod';

/** One guard's measurement over the current step, kept for every verdict. */
export const measurementSchema = z.object({
  guard: z.enum(['error-rate', 'p95', 'disagreement']),
  measured: z.number().nullable(),
  limit: z.number(),
  samples: z.number().int(),
  minimumSamples: z.number().int(),
  outcome: z.enum(['pass', 'breach', 'insufficient']),
  /** Why the outcome is not what measured and limit alone would say; '' otherwise. */
  note: z.string(),
});
export type Measurement = z.infer<typeof measurementSchema>;
