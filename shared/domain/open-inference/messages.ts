/** What travels in JSON on `/v2`. Unknown members and parameters are ignored, as the protocol says. */
import { z } from 'zod';
import { DATATYPES, type Datatype } from './datatypes.ts';

const parametersSchema = z.record(z.string(), z.unknown());
const datatypeNameSchema = z.enum(DATATYPES as readonly [Datatype, ...Datatype[]]);
const nameSchema = z.string().min(1).max(1000);
/** Dimensions of a tensor that is sent. No model of the field has more than a few. */
const shapeSchema = z.array(z.int().min(0)).max(16);

export const requestInputSchema = z.object({
  name: nameSchema,
  shape: shapeSchema,
  datatype: datatypeNameSchema,
  parameters: parametersSchema.optional(),
  data: z.unknown().optional(),
});
export const requestOutputSchema = z.object({ name: nameSchema, parameters: parametersSchema.optional() });

export const inferRequestSchema = z.object({
  id: z.string().max(1000).optional(),
  parameters: parametersSchema.optional(),
  inputs: z.array(requestInputSchema).min(1).max(1000),
  outputs: z.array(requestOutputSchema).max(1000).optional(),
});
export type InferRequestMessage = z.infer<typeof inferRequestSchema>;

const tensorMetadataSchema = z.object({
  name: z.string(),
  datatype: datatypeNameSchema,
  /** -1 = any size. */
  shape: z.array(z.int()),
});

/** GET /v2 */
export const serverMetadataSchema = z.object({
  name: z.string(),
  version: z.string(),
  extensions: z.array(z.string()),
});
export const liveSchema = z.object({ live: z.boolean() });
export const readySchema = z.object({ ready: z.boolean() });
export const modelReadySchema = z.object({ name: z.string(), ready: z.boolean() });

/** GET /v2/models/{model}[/versions/{version}] */
export const modelMetadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(tensorMetadataSchema),
  outputs: z.array(tensorMetadataSchema),
});
export type ModelMetadata = z.infer<typeof modelMetadataSchema>;

const tensorConfigSchema = z.object({
  name: z.string(),
  data_type: z.string(),
  dims: z.array(z.int()),
});
/** GET …/config: of Triton's model configuration what is true here. */
export const modelConfigSchema = z.object({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  /** 0: the shapes say the first dimension too. */
  max_batch_size: z.int(),
  input: z.array(tensorConfigSchema),
  output: z.array(tensorConfigSchema),
});
export type ModelConfig = z.infer<typeof modelConfigSchema>;

/** POST /v2/repository/index */
export const repositoryIndexBodySchema = z.object({ ready: z.boolean().optional() });
export const repositoryIndexSchema = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    state: z.enum(['READY', 'UNAVAILABLE']),
    reason: z.string(),
  }),
);
export type RepositoryIndex = z.infer<typeof repositoryIndexSchema>;

const durationSchema = z.object({ count: z.int(), ns: z.int() });
/** GET …/stats: counted since the agent loaded the version. What is not measured here is left out. */
export const modelStatsSchema = z.object({
  model_stats: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      /** Rows of calls that succeeded. */
      inference_count: z.int(),
      /** Runs of the model: several calls may share one. */
      execution_count: z.int(),
      inference_stats: z.object({
        success: durationSchema,
        fail: z.object({ count: z.int() }),
        queue: durationSchema,
      }),
    }),
  ),
});
export type ModelStats = z.infer<typeof modelStatsSchema>;

/** POST …/infer, where the answer is JSON, or its JSON part. */
export const inferAnswerSchema = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: datatypeNameSchema,
      shape: z.array(z.int()),
      /** Only where it is answered as binary data: its length in bytes. */
      parameters: z.object({ binary_data_size: z.int() }).optional(),
      data: z.array(z.union([z.number(), z.boolean(), z.string()])).optional(),
    }),
  ),
});

/** Every error on `/v2`. */
export const protocolErrorSchema = z.object({ error: z.string() });
