import { z } from 'zod';

/** Guards that stop a rollout by themselves. A guard that is null does not run, and the dossier says so. */
export const guardsSchema = z.strictObject({
  /** Highest share of failed requests of the new version, 0..1. */
  maxErrorRate: z.number().min(0).max(1).nullable(),
  /** Highest p95 latency of the new version as a multiple of the stable version's; only above `p95FloorMs`. */
  maxP95Ratio: z.number().min(1).nullable(),
  /** p95 below this is never a breach, in milliseconds. */
  p95FloorMs: z.number().min(0),
  /** Highest share of mirrored pairs whose labels differ between the new and the stable version, 0..1. */
  maxDisagreement: z.number().min(0).max(1).nullable(),
  /** No verdict on errors and latency under so many requests of the new version in the step. */
  minimumRequests: z.number().int().min(1),
  /** No verdict on disagreement under so many pairs. */
  minimumPairs: z.number().int().min(1),
});
export type Guards = z.infer<typeof guardsSchema>;

/** `plan.json`: how the release goes out. Signed with everything else; `deploy` has no plan flags of its own. */
export const rolloutPlanSchema = z.strictObject({
  strategy: z.enum(['direct', 'canary']),
  /** Percent of traffic per step, rising, the last one 100. `direct` is [100]. */
  steps: z.array(z.number().int().min(1).max(100)).min(1).max(20),
  /** Least time a step is watched, in milliseconds. */
  bakeMs: z.number().int().min(0),
  /** Longest time a step may stay without a verdict before it counts as inconclusive (paused), in milliseconds. */
  maxStepMs: z.number().int().min(1000),
  /** Share of canary requests that stable also answers, off the response path, 0..1. */
  mirrorSample: z.number().min(0).max(1),
  guards: guardsSchema,
  /** Salt of sticky routing, so that all agents route one key alike. */
  salt: z.string().min(8).max(64),
});
export type RolloutPlan = z.infer<typeof rolloutPlanSchema>;

export const DEFAULT_GUARDS: Guards = {
  maxErrorRate: 0.01, maxP95Ratio: 2, p95FloorMs: 50, maxDisagreement: 0.05, minimumRequests: 200, minimumPairs: 500,
};
