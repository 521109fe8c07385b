import { z } from 'zod';
import { modelNameSchema, semverSchema, sha256Schema } from '../model/version.ts';
import { agentMoveSchema } from './agent-move.ts';
import { endpointTlsSchema } from './credentials.ts';

/** A serving endpoint the console knows. Its token is in the secret store, never here. */
export const endpointSchema = z.object({
  id: z.string(),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,59}$/, {
    error: 'An endpoint name is lower-case letters, digits, dots, underscores and hyphens.',
  }),
  environmentId: z.string(),
  kind: z.literal('agent'),
  adminUrl: z.url(),
  predictUrl: z.url(),
  /** SHA-256 hex over the agent's signing key and age recipient: what a person compares at first contact. */
  fingerprint: sha256Schema,
  /** Ed25519 SubjectPublicKeyInfo, PEM: signs receipts and checkpoints. */
  signingKeyPem: z.string(),
  ageRecipient: z.string(),
  /** Left out: the system's authorities are asked. */
  tls: endpointTlsSchema.optional(),
  addedAt: z.string(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

/** GET identity of an agent's admin listener. `fingerprint` = SHA-256 hex of `signingKeyPem + "\n" + ageRecipient`. */
export const agentIdentitySchema = z.object({
  product: z.literal('sallyport-agent'),
  apiVersion: z.literal(1),
  environmentId: z.string(),
  signingKeyPem: z.string(),
  ageRecipient: z.string(),
});
export type AgentIdentity = z.infer<typeof agentIdentitySchema>;

/** What an agent serves for one model. */
export const servedModelSchema = z.object({
  name: modelNameSchema,
  generation: z.number().int(),
  stable: z.object({ version: semverSchema, digest: sha256Schema, root: sha256Schema }).nullable(),
  canary: z
    .object({
      version: semverSchema,
      digest: sha256Schema,
      root: sha256Schema,
      percent: z.number().int(),
      mirrorSample: z.number(),
    })
    .nullable(),
  /** The version a rollback would go to, kept warm. */
  previous: z.object({ version: semverSchema, digest: sha256Schema, root: sha256Schema }).nullable(),
  /** Set where the agent itself made this generation. Older agents do not say. */
  moved: agentMoveSchema.nullable().optional(),
});
export type ServedModel = z.infer<typeof servedModelSchema>;

/** Body of a receipt; travels as a DSSE envelope signed by the agent's Ed25519 key. */
export const receiptSchema = z.object({
  nonce: z.string(),
  environmentId: z.string(),
  at: z.string(),
  model: servedModelSchema,
  /** SHA-256 of the bytes each serving slot was loaded from, hashed when it was loaded. */
  loaded: z.array(z.object({ version: semverSchema, digest: sha256Schema })),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** What an agent signs when it has obeyed a revocation: durable, and nothing of the revoked model loaded. */
export const revocationReceiptSchema = z.object({
  nonce: z.string(),
  environmentId: z.string(),
  at: z.string(),
  serial: z.number().int(),
  digest: sha256Schema,
  /** Every model of the agent, as it is served now. */
  models: z.array(servedModelSchema),
});
export type RevocationReceipt = z.infer<typeof revocationReceiptSchema>;

/** What a check of an endpoint found. */
export const endpointStatusSchema = z.object({
  endpointId: z.string(),
  reachable: z.boolean(),
  checkedAt: z.string(),
  latencyMs: z.number().nullable(),
  models: z.array(servedModelSchema),
  problem: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
});
export type EndpointStatus = z.infer<typeof endpointStatusSchema>;
