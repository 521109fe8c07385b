/** A run that was under way when the program ended: it goes on from its last checkpoint, or is given up. */
import { z } from 'zod';

export const unfinishedRunSchema = z.object({
  id: z.string(),
  kind: z.enum(['validation', 'comparison']),
  /** What was measured on what, for people: `phish-url@1.1.0 on labelled.csv`. */
  title: z.string(),
  rowsDone: z.number().int(),
  rowsTotal: z.number().int().nullable(),
  startedAt: z.string(),
  startedBy: z.string(),
});
export type UnfinishedRun = z.infer<typeof unfinishedRunSchema>;
