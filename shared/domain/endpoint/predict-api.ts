/** What travels on an agent's predict listener, beside the Open Inference Protocol. */
import { z } from 'zod';

/** POST /predict */
export const predictBodySchema = z.strictObject({
  model_name: z.string().min(1).max(100),
  /** Left out: the routing decides. */
  version: z.string().min(1).max(100).optional(),
  features: z.unknown(),
});

export const predictAnswerSchema = z.object({
  /** One a row: the label; of a model whose classes are text, the class; null for one that is not among them. */
  predictions: z.array(z.union([z.number(), z.string(), z.null()])),
  model_version: z.string(),
  /** From the call's arrival to its answer. */
  latency_ms: z.number(),
});
export type PredictAnswer = Readonly<z.infer<typeof predictAnswerSchema>>;

/** GET /health */
export const healthAnswerSchema = z.object({ status: z.enum(['ok', 'unavailable']), models: z.int() });

/** GET /models */
export const modelListSchema = z.object({
  models: z.array(
    z.object({ name: z.string(), version: z.string().nullable(), features: z.int().nullable() }),
  ),
});

/** GET /models/{name}/versions */
export const versionListSchema = z.object({
  name: z.string(),
  versions: z.array(
    z.object({
      version: z.string(),
      digest: z.string(),
      role: z.enum(['stable', 'canary', 'previous']),
      percent: z.number(),
    }),
  ),
});
