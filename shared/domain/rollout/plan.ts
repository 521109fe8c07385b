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

/** How long an agent serves a canary without hearing from the console, and what it does then. */
export const leaseSchema = z.strictObject({
  /** Time to live from first traffic to promotion, in milliseconds; each call of the console that drives it renews it. */
  ms: z
    .number()
    .int()
    .min(1000)
    .max(30 * 86_400_000),
  /** `hold`: the canary stays at its percent, its guards awake. Nothing goes forward either way. */
  after: z.enum(['hold', 'roll-back']),
});
export type Lease = z.infer<typeof leaseSchema>;

/** Of plans that were signed without a lease. */
export const DEFAULT_LEASE: Lease = { ms: 300_000, after: 'roll-back' };

/** `plan.json`: how the release goes out. Signed with everything else; `deploy` has no plan flags of its own. */
export const rolloutPlanSchema = z
  .strictObject({
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
    /** Left out: `DEFAULT_LEASE`. */
    lease: leaseSchema.optional(),
    /** Salt of sticky routing, so that all agents route one key alike. */
    salt: z.string().min(8).max(64),
  })
  .superRefine((plan, context) => {
    for (const problem of planProblems(plan))
      context.addIssue({ code: 'custom', message: problem, path: ['steps'] });
  });
export type RolloutPlan = z.infer<typeof rolloutPlanSchema>;

export function leaseOf(plan: Pick<RolloutPlan, 'lease'>): Lease {
  return plan.lease ?? DEFAULT_LEASE;
}

export const DEFAULT_GUARDS: Guards = {
  maxErrorRate: 0.01,
  maxP95Ratio: 2,
  p95FloorMs: 50,
  maxDisagreement: 0.05,
  minimumRequests: 200,
  minimumPairs: 500,
};

/** What is wrong with a plan's steps, in words; empty when it can be run. */
export function planProblems(plan: {
  readonly strategy: 'direct' | 'canary';
  readonly steps: readonly number[];
  readonly bakeMs: number;
  readonly maxStepMs: number;
}): string[] {
  const problems: string[] = [];
  const { steps } = plan;
  if (steps.some((step) => !Number.isInteger(step) || step < 1 || step > 100))
    problems.push('A step is a whole percentage from 1 to 100.');
  if (steps.some((step, i) => i > 0 && step <= (steps[i - 1] ?? 0)))
    problems.push('Steps rise: each one is larger than the one before.');
  if (steps[steps.length - 1] !== 100) problems.push('The last step is 100 %.');
  if (plan.strategy === 'direct' && steps.length !== 1)
    problems.push('A direct rollout has the one step 100 %.');
  if (plan.strategy === 'canary' && (steps[0] ?? 100) >= 100)
    problems.push(
      'A canary starts below 100 %: with all traffic on the new version there is nothing to compare it with.',
    );
  if (plan.maxStepMs < plan.bakeMs) problems.push('The longest time of a step is at least its bake time.');
  return problems;
}
