import { z } from 'zod';
import { semverSchema } from '../model/version.ts';
import { measurementSchema } from '../rollout/measurement.ts';

/** A step back that an agent took by itself, and why. An agent never takes one forward. */
export const agentMoveSchema = z.object({
  at: z.string(),
  kind: z.enum(['guard', 'lease', 'revoked', 'damaged']),
  /** The generation it moved away from: the last one that somebody asked for. */
  from: z.number().int(),
  /** The version that was taken out of traffic. */
  version: semverSchema,
  reason: z.string(),
  /** What a guard's breach was judged by; empty for the other kinds. */
  measurements: z.array(measurementSchema),
});
export type AgentMove = z.infer<typeof agentMoveSchema>;
