import { z } from 'zod';
import { modelNameSchema, semverSchema, sha256Schema } from '../model/version.ts';
import { trafficSampleSchema } from '../traffic/sample.ts';
import { measurementSchema } from './measurement.ts';
import { rolloutPlanSchema } from './plan.ts';

export const rolloutPhaseSchema = z.enum([
  'preparing',
  'stepping',
  'promoting',
  'completed',
  'paused',
  'rolling-back',
  'rolled-back',
  'failed',
]);
export type RolloutPhase = z.infer<typeof rolloutPhaseSchema>;

export const verdictSchema = z.object({
  at: z.string(),
  step: z.number().int(),
  verdict: z.enum(['promote', 'hold', 'roll-back', 'inconclusive']),
  reason: z.string(),
  measurements: z.array(measurementSchema),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** Per endpoint: what was pushed, which generation the console expects next, and the sample the current step started from. */
export const rolloutEndpointSchema = z.object({
  endpointId: z.string(),
  endpointName: z.string(),
  /** Version that served before this rollout; null when the model was not served there. */
  stableVersion: semverSchema.nullable(),
  pushed: z.boolean(),
  /** Percent the endpoint has confirmed by receipt; null before the first. */
  confirmedPercent: z.number().nullable(),
  generation: z.number().int(),
  baseline: trafficSampleSchema.nullable(),
  latest: trafficSampleSchema.nullable(),
  /** Readings or effects that failed in a row, and since when. */
  consecutiveErrors: z.number().int(),
  blindSince: z.string().nullable(),
});
export type RolloutEndpoint = z.infer<typeof rolloutEndpointSchema>;

/**
 * An effect to run against an endpoint; `key` makes it idempotent there. Persisted with the state before it runs.
 * `route` with `final` makes the version stable; without it, a canary at `percent`. `withdraw` takes the canary out.
 */
export const rolloutEffectSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('push'), key: z.string(), endpointId: z.string() }),
  z.object({
    kind: z.literal('route'),
    key: z.string(),
    endpointId: z.string(),
    percent: z.number().int(),
    final: z.boolean(),
    expectedGeneration: z.number().int(),
  }),
  z.object({ kind: z.literal('withdraw'), key: z.string(), endpointId: z.string() }),
]);
export type RolloutEffect = z.infer<typeof rolloutEffectSchema>;

export const rolloutStateSchema = z.object({
  id: z.string(),
  requestId: z.string(),
  name: modelNameSchema,
  version: semverSchema,
  digest: sha256Schema,
  /** Root of the signed statement: which release directory goes out. */
  root: sha256Schema,
  environmentId: z.string(),
  target: z.string(),
  plan: rolloutPlanSchema,
  phase: rolloutPhaseSchema,
  /** Index into plan.steps. */
  step: z.number().int(),
  reason: z.string(),
  endpoints: z.array(rolloutEndpointSchema),
  pending: z.array(rolloutEffectSchema),
  /** Stable's p95 in milliseconds when it last had enough requests: the reference once all traffic is the canary's. */
  stableP95Ms: z.number().nullable(),
  /** Phase to go back to when a paused rollout is resumed. */
  resumePhase: z.enum(['preparing', 'stepping', 'promoting']).nullable(),
  /** Rises with every decision; effect keys are made from it. */
  sequence: z.number().int(),
  verdicts: z.array(verdictSchema),
  startedBy: z.string(),
  startedAt: z.string(),
  stepStartedAt: z.string(),
  updatedAt: z.string(),
});
export type RolloutState = z.infer<typeof rolloutStateSchema>;

export const rolloutActionSchema = z.enum(['pause', 'resume', 'promote', 'abort', 'roll-back']);
export type RolloutAction = z.infer<typeof rolloutActionSchema>;

/** One point of the live charts: a window between two readings, summed over the endpoints. */
export const trafficPointSchema = z.object({
  at: z.string(),
  percent: z.number(),
  canaryRps: z.number(),
  stableRps: z.number(),
  canaryErrorRate: z.number().nullable(),
  stableErrorRate: z.number().nullable(),
  canaryP95Ms: z.number().nullable(),
  stableP95Ms: z.number().nullable(),
  disagreement: z.number().nullable(),
  pairs: z.number().int(),
});
export type TrafficPoint = z.infer<typeof trafficPointSchema>;
