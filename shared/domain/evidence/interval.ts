import { z } from 'zod';

/** A confidence interval around a measured figure; `level` 0.95 = 95 %. */
export const intervalSchema = z.object({
  low: z.number(),
  high: z.number(),
  level: z.number(),
  /** How it was made: Wilson for rates, DeLong for ROC AUC, bootstrap for the rest. */
  method: z.enum(['wilson', 'delong', 'bootstrap', 'normal']),
});
export type Interval = z.infer<typeof intervalSchema>;
