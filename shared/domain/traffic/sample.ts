import { z } from 'zod';
import { agentMoveSchema } from '../endpoint/agent-move.ts';

/** What an endpoint counted for one version since it became active in this generation. Cumulative: difference two for a window. */
export const versionTrafficSchema = z.object({
  version: z.string(),
  requests: z.number().int(),
  errors: z.number().int(),
  /** Latency histogram counts per bucket of LATENCY_BUCKETS_MS, plus one overflow bucket. */
  latencyCounts: z.array(z.number().int()),
});
export type VersionTraffic = z.infer<typeof versionTrafficSchema>;

/** Upper bounds of the latency buckets in milliseconds. */
export const LATENCY_BUCKETS_MS = [
  0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000,
] as const;

/** One reading of an endpoint, for the slot that runs the rollout's model. */
export const trafficSampleSchema = z.object({
  at: z.string(),
  generation: z.number().int(),
  canary: versionTrafficSchema.nullable(),
  stable: versionTrafficSchema.nullable(),
  /** Mirrored pairs in this generation: canary requests stable also answered. */
  pairs: z.number().int(),
  disagreements: z.number().int(),
  /** Pairs dropped because the mirror queue was full. */
  pairsDropped: z.number().int(),
  /** Set where the agent itself made this generation. Older agents do not say. */
  moved: agentMoveSchema.nullable().optional(),
  /** Until when a canary is served without another word from the console; null without one. */
  leaseUntil: z.string().nullable().optional(),
});
export type TrafficSample = z.infer<typeof trafficSampleSchema>;
