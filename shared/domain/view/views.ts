/** What the window and the command line read: records joined with what may be done with them. */
import { z } from 'zod';
import {
  approvalRecordSchema,
  dossierSchema,
  requestActionSchema,
  requestRecordSchema,
} from '../approval/request.ts';
import { auditEntrySchema } from '../audit/entry.ts';
import { endpointSchema, endpointStatusSchema } from '../endpoint/endpoint.ts';
import { modelNameSchema, modelVersionSchema, semverSchema } from '../model/version.ts';
import { roleSchema } from '../operator/operator.ts';
import { policySchema } from '../policy/policy.ts';
import { rolloutPlanSchema } from '../rollout/plan.ts';
import { rolloutActionSchema, rolloutStateSchema, trafficPointSchema } from '../rollout/state.ts';
import { vaultSettingsSchema } from '../vault/settings.ts';

export const versionActionSchema = z.enum([
  'validate',
  'map',
  'describe',
  'alias',
  'submit',
  'archive',
  'revoke',
  'export',
  'verify',
]);
export type VersionAction = z.infer<typeof versionActionSchema>;

export const versionViewSchema = z.object({
  version: modelVersionSchema,
  aliases: z.array(z.string()),
  /** Endpoints that serve it, as last seen. */
  deployedOn: z.array(
    z.object({ endpoint: z.string(), role: z.enum(['stable', 'canary', 'previous']), percent: z.number() }),
  ),
  allowedActions: z.array(versionActionSchema),
  /** Versions it was derived from, nearest first. */
  ancestors: z.array(semverSchema).optional(),
  /** Versions derived from it, oldest first. */
  children: z.array(semverSchema).optional(),
});
export type VersionView = z.infer<typeof versionViewSchema>;

/** One row of the models table: a version without its long parts. */
export const versionRowSchema = z.object({
  name: modelNameSchema,
  version: semverSchema,
  digest: z.string(),
  sizeBytes: z.number(),
  state: modelVersionSchema.shape.state,
  aliases: z.array(z.string()),
  owner: z.string(),
  tags: z.array(z.string()),
  worstFinding: z.enum(['none', 'info', 'low', 'medium', 'high', 'critical']),
  /** From its newest validation, or null. */
  rocAuc: z.number().nullable(),
  f1: z.number().nullable(),
  addedBy: z.string(),
  addedAt: z.string(),
});
export type VersionRow = z.infer<typeof versionRowSchema>;

export const requestViewSchema = z.object({
  record: requestRecordSchema,
  approvals: z.array(approvalRecordSchema.omit({ bundle: true })),
  plan: rolloutPlanSchema,
  policy: policySchema,
  dossier: dossierSchema,
  files: z.array(z.object({ name: z.string(), digest: z.string(), sizeBytes: z.number() })),
  allowedActions: z.array(requestActionSchema),
  /** Why an action is not allowed, by action. */
  refusals: z.record(z.string(), z.string()),
  rolloutIds: z.array(z.string()),
});
export type RequestView = z.infer<typeof requestViewSchema>;

export const rolloutViewSchema = z.object({
  state: rolloutStateSchema,
  points: z.array(trafficPointSchema),
  allowedActions: z.array(rolloutActionSchema),
});
export type RolloutView = z.infer<typeof rolloutViewSchema>;

export const endpointViewSchema = z.object({
  endpoint: endpointSchema,
  environmentName: z.string(),
  status: endpointStatusSchema.nullable(),
});
export type EndpointView = z.infer<typeof endpointViewSchema>;

export const sessionViewSchema = z.object({
  /** `preparing`: the sample workspace is being made or opened; it opens by itself. */
  vault: z.enum(['absent', 'locked', 'open', 'preparing']),
  vaultPath: z.string(),
  /** How the vault's keys are kept. */
  keys: z.enum(['keychain', 'passphrase']).nullable(),
  vaultId: z.string().nullable(),
  operator: z.object({ name: z.string(), person: z.string(), roles: z.array(roleSchema) }).nullable(),
  operators: z.array(z.string()),
  /** The sample workspace's operators with the passphrases its banner shows; null in any other workspace. */
  sample: z
    .object({
      operators: z.array(z.object({ name: z.string(), passphrase: z.string(), roles: z.array(roleSchema) })),
    })
    .nullable(),
  /** Why nothing can be written at present (full disk, read-only folder); null where all is well. */
  readOnly: z.string().nullable(),
  runtime: z.string(),
  version: z.string(),
});
export type SessionView = z.infer<typeof sessionViewSchema>;

/** The open vault, as Settings shows it. */
export const vaultViewSchema = z.object({
  id: z.string(),
  path: z.string(),
  keys: z.enum(['keychain', 'passphrase']),
  /** Public keys: the vault's own, and the one whose private half is the recovery key. */
  recipient: z.string(),
  recoveryRecipient: z.string(),
  createdAt: z.string(),
  versions: z.number().int(),
  artifactBytes: z.number(),
  auditEntries: z.number().int(),
  lastBackup: z.object({ at: z.string(), head: z.number().int() }).nullable(),
  lastRekey: z.string().nullable(),
  settings: vaultSettingsSchema,
});
export type VaultView = z.infer<typeof vaultViewSchema>;

export const overviewSchema = z.object({
  models: z.number().int(),
  versions: z.number().int(),
  openRequests: z.number().int(),
  runningRollouts: z.number().int(),
  endpoints: z.number().int(),
  champions: z.array(
    z.object({
      name: modelNameSchema,
      version: semverSchema,
      rocAuc: z.number().nullable(),
      f1: z.number().nullable(),
    }),
  ),
  recent: z.array(auditEntrySchema),
  rollouts: z.array(rolloutViewSchema),
  /** Things that want a person: a request to approve, a paused rollout, an endpoint that does not answer. */
  attention: z.array(z.object({ kind: z.string(), title: z.string(), detail: z.string(), link: z.string() })),
});
export type Overview = z.infer<typeof overviewSchema>;

/** Progress of a long operation; `total` 0 = unknown. */
export const jobProgressSchema = z.object({
  jobId: z.string(),
  phase: z.string(),
  done: z.number(),
  total: z.number(),
});
export type JobProgress = z.infer<typeof jobProgressSchema>;
