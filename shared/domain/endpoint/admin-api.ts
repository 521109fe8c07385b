/** What travels on an agent's admin listener; both ends parse with these. */
import { z } from 'zod';
import { modelNameSchema, semverSchema, sha256Schema } from '../model/version.ts';
import { dsseEnvelopeSchema } from './dsse.ts';
import { agentIdentitySchema, servedModelSchema } from './endpoint.ts';
import { heldRevocationSchema } from './revocation.ts';

/** Fresh random text of the asker, 128 bits or more: an answer that carries it was made for this question. */
export const nonceSchema = z.string().regex(/^[A-Za-z0-9_-]{22,128}$/);
const keySchema = z.string().min(1).max(300);

/** GET /admin/v1/identity?nonce= : answered without a token, because a token goes only to a proven peer. */
export const identityAnswerSchema = z.object({
  identity: agentIdentitySchema,
  /** Ed25519 over `possessionText`, Base64. */
  proof: z.base64(),
});

/** POST /admin/v1/releases: statement and signatures first, then the files by tus. */
export const openReleaseSchema = z.strictObject({
  bundles: z
    .array(z.string().max(1024 * 1024))
    .min(1)
    .max(64),
  /** Text of `request.json`, byte for byte: its digest is in the signed statement. */
  request: z.string().max(64 * 1024),
  files: z
    .array(z.strictObject({ name: z.string().max(100), sizeBytes: z.number().int().min(0) }))
    .min(1)
    .max(20),
});
export type OpenRelease = z.infer<typeof openReleaseSchema>;

export const openedReleaseSchema = z.object({
  root: sha256Schema,
  /** True when the agent holds the whole verified release: nothing to send. */
  complete: z.boolean(),
  /** `received`: there and verified, or there and waiting for `complete`. */
  files: z.array(z.object({ name: z.string(), received: z.boolean() })),
});

/** POST /admin/v1/releases/{root}/complete */
export const completedReleaseSchema = z.object({
  root: sha256Schema,
  complete: z.boolean(),
  name: modelNameSchema,
  version: semverSchema,
  /** Files that must be sent (again). */
  missing: z.array(z.string()),
});

/** POST /admin/v1/models/{name}/routing */
export const routingBodySchema = z.strictObject({
  key: keySchema,
  expectedGeneration: z.number().int().min(0),
  stableRoot: sha256Schema.nullable(),
  canary: z
    .strictObject({
      root: sha256Schema,
      percent: z.number().int().min(0).max(100),
      mirrorSample: z.number().min(0).max(1),
      salt: z.string().min(8).max(64),
    })
    .nullable(),
  nonce: nonceSchema,
});
export type RoutingBody = z.infer<typeof routingBodySchema>;

/** POST /admin/v1/models/{name}/lease: answered with a reading, whatever the generation is. */
export const leaseBodySchema = z.strictObject({
  /** The lease of this generation is renewed, and of no other. */
  generation: z.number().int().min(0),
});

/** POST /admin/v1/models/{name}/rollback */
export const rollbackBodySchema = z.strictObject({
  key: keySchema,
  to: semverSchema.nullable(),
  /** Where given: 409 unless the model is at this generation, so that two hands do not go back twice. */
  expectedGeneration: z.number().int().min(0).optional(),
  nonce: nonceSchema,
});

/** POST /admin/v1/revocations */
export const revocationBodySchema = z.strictObject({
  /** Text of `revocation.json`, byte for byte: its digest is in the signed statement. */
  revocation: z.string().max(16 * 1024),
  bundle: z.string().max(64 * 1024),
  nonce: nonceSchema,
});
export const revocationsAnswerSchema = z.object({ revocations: z.array(heldRevocationSchema) });

/** POST /admin/v1/drain */
export const drainBodySchema = z.strictObject({
  /** null = the whole agent, readiness included. */
  model: modelNameSchema.nullable(),
  /** false = takes predictions again. */
  draining: z.boolean(),
});
export const drainAnswerSchema = z.object({
  agent: z.boolean(),
  models: z.array(modelNameSchema),
  /** Predictions still under way, of all models. */
  inFlight: z.number().int(),
});
export type DrainAnswer = z.infer<typeof drainAnswerSchema>;

export const receiptAnswerSchema = z.object({ receipt: dsseEnvelopeSchema });
export const modelsAnswerSchema = z.object({ models: z.array(servedModelSchema) });
export const checkpointBodySchema = z.strictObject({
  note: z
    .string()
    .min(1)
    .max(64 * 1024),
});
export const checkpointsAnswerSchema = z.object({ notes: z.array(z.string()) });

/** Every error of the agent: `detail` for people; `code` where it is one of the program's own. */
export const agentErrorSchema = z.object({
  detail: z.string(),
  code: z.string().optional(),
  hint: z.string().optional(),
});
