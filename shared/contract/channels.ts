/**
 * The wire between the window and the main process, owned by neither: every call with its input and output,
 * every push event with its payload. A channel `area.method` is served by the method of that name of the
 * service of that area; the command line calls the same methods.
 */
import { z } from 'zod';
import { auditEntrySchema, auditVerdictSchema } from '../domain/audit/entry.ts';
import { endpointStatusSchema } from '../domain/endpoint/endpoint.ts';
import { comparisonReportSchema, validationReportSchema } from '../domain/metrics/report.ts';
import {
  aliasSchema,
  modelNameSchema,
  outputMappingSchema,
  semverSchema,
  sha256Schema,
  versionMetadataSchema,
  versionRefSchema,
} from '../domain/model/version.ts';
import { onnxSummarySchema } from '../domain/onnx/summary.ts';
import { operatorSchema, roleSchema } from '../domain/operator/operator.ts';
import { environmentSchema, policySchema } from '../domain/policy/policy.ts';
import { guardsSchema } from '../domain/rollout/plan.ts';
import { findingSchema } from '../domain/scan/finding.ts';
import {
  endpointViewSchema,
  jobProgressSchema,
  overviewSchema,
  requestViewSchema,
  rolloutViewSchema,
  sessionViewSchema,
  versionRowSchema,
  versionViewSchema,
} from '../domain/view/views.ts';
import type { ChannelName } from './channel-names.ts';

export type { ChannelName };

const nothing = z.object({});
const done = z.object({ done: z.literal(true) });
const jobId = z.string().min(1).max(100);
const path = z.string().min(1).max(4096);
const id = z.string().min(1).max(200);
const passphrase = z.string().min(1).max(1024);

export const CHANNELS = {
  'session.status': { input: nothing, output: sessionViewSchema },
  'session.signIn': { input: z.object({ operator: z.string(), passphrase }), output: sessionViewSchema },
  'session.signOut': { input: nothing, output: sessionViewSchema },

  'vault.create': {
    input: z.object({
      operator: z.string(),
      person: z.string(),
      operatorPassphrase: passphrase,
      keys: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('keychain') }),
        z.object({ kind: z.literal('passphrase'), passphrase }),
      ]),
    }),
    output: z.object({ vaultId: z.string(), recoveryKey: z.string() }),
  },
  'vault.unlock': { input: z.object({ passphrase: passphrase.nullable() }), output: sessionViewSchema },
  'vault.recover': {
    input: z.object({
      recoveryKey: z.string(),
      keys: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('keychain') }),
        z.object({ kind: z.literal('passphrase'), passphrase }),
      ]),
    }),
    output: sessionViewSchema,
  },
  'vault.lock': { input: nothing, output: sessionViewSchema },

  'overview.get': { input: nothing, output: overviewSchema },

  'models.list': {
    input: z.object({
      text: z.string().max(500),
      limit: z.number().int().min(1).max(1000),
      offset: z.number().int().min(0),
    }),
    output: z.object({ rows: z.array(versionRowSchema), total: z.number().int() }),
  },
  'models.get': { input: versionRefSchema, output: versionViewSchema },
  'models.inspectFile': {
    input: z.object({ path }),
    output: z.object({
      digest: sha256Schema,
      sizeBytes: z.number(),
      onnx: onnxSummarySchema,
      rulesRun: z.array(z.string()),
      findings: z.array(findingSchema),
      mapping: outputMappingSchema.nullable(),
      mappingProblem: z.string(),
    }),
  },
  'models.add': {
    input: z.object({
      path,
      name: modelNameSchema,
      version: semverSchema,
      parent: semverSchema.nullable(),
      metadata: versionMetadataSchema,
      jobId,
    }),
    output: versionViewSchema,
  },
  'models.setMapping': {
    input: versionRefSchema.extend({ mapping: outputMappingSchema }),
    output: versionViewSchema,
  },
  'models.alias': { input: aliasSchema, output: versionViewSchema },
  'models.archive': { input: versionRefSchema, output: versionViewSchema },
  'models.revoke': {
    input: versionRefSchema.extend({ reason: z.string().min(1).max(2000) }),
    output: versionViewSchema,
  },
  'models.verify': {
    input: z.object({ ref: versionRefSchema.nullable(), jobId }),
    output: z.object({
      checked: z.number().int(),
      bytes: z.number(),
      bad: z.array(z.object({ ref: z.string(), problem: z.string() })),
    }),
  },
  'models.export': {
    input: versionRefSchema.extend({ directory: path }),
    output: z.object({ path, digest: sha256Schema }),
  },

  'validation.run': {
    input: versionRefSchema.extend({
      path,
      labelColumn: z.string().nullable(),
      environmentId: z.string().nullable(),
      policy: policySchema.nullable(),
      jobId,
    }),
    output: validationReportSchema,
  },
  'validation.list': {
    input: z.object({ ref: versionRefSchema.nullable() }),
    output: z.array(validationReportSchema),
  },
  'validation.get': { input: z.object({ id }), output: validationReportSchema },

  'comparison.run': {
    input: z.object({
      champion: versionRefSchema,
      challenger: versionRefSchema,
      path,
      labelColumn: z.string().nullable(),
      jobId,
    }),
    output: comparisonReportSchema,
  },
  'comparison.list': {
    input: z.object({ ref: versionRefSchema.nullable() }),
    output: z.array(comparisonReportSchema),
  },
  'comparison.get': { input: z.object({ id }), output: comparisonReportSchema },

  'operators.list': { input: nothing, output: z.array(operatorSchema) },
  'operators.add': {
    input: z.object({
      name: operatorSchema.shape.name,
      person: operatorSchema.shape.person,
      roles: z.array(roleSchema).min(1),
      passphrase,
    }),
    output: operatorSchema,
  },
  'environments.list': { input: nothing, output: z.array(environmentSchema) },
  'environments.add': {
    input: z.object({ name: environmentSchema.shape.name, policy: policySchema }),
    output: environmentSchema,
  },
  'environments.setPolicy': { input: z.object({ id, policy: policySchema }), output: environmentSchema },

  'requests.list': { input: nothing, output: z.array(requestViewSchema) },
  'requests.get': { input: z.object({ id }), output: requestViewSchema },
  'requests.submit': {
    input: versionRefSchema.extend({
      environmentId: id,
      passphrase,
      plan: z.object({
        strategy: z.enum(['direct', 'canary']),
        steps: z.array(z.number().int()),
        bakeMs: z.number().int(),
        maxStepMs: z.number().int(),
        mirrorSample: z.number(),
        guards: guardsSchema,
      }),
    }),
    output: requestViewSchema,
  },
  'requests.approve': { input: z.object({ id, passphrase }), output: requestViewSchema },
  'requests.reject': {
    input: z.object({ id, reason: z.string().min(1).max(2000) }),
    output: requestViewSchema,
  },
  'requests.withdraw': { input: z.object({ id }), output: requestViewSchema },

  'endpoints.list': { input: nothing, output: z.array(endpointViewSchema) },
  'endpoints.add': {
    input: z.object({
      name: z.string(),
      environmentId: id,
      adminUrl: z.string(),
      predictUrl: z.string(),
      token: z.string().min(1).max(4096),
      fingerprint: z.string(),
    }),
    output: endpointViewSchema,
  },
  'endpoints.check': { input: z.object({ id }), output: endpointStatusSchema },
  'endpoints.remove': { input: z.object({ id }), output: done },

  'rollouts.list': { input: nothing, output: z.array(rolloutViewSchema) },
  'rollouts.get': { input: z.object({ id }), output: rolloutViewSchema },
  'rollouts.deploy': { input: z.object({ requestId: id, target: z.string() }), output: rolloutViewSchema },
  'rollouts.pause': { input: z.object({ id }), output: rolloutViewSchema },
  'rollouts.resume': { input: z.object({ id }), output: rolloutViewSchema },
  'rollouts.promote': { input: z.object({ id }), output: rolloutViewSchema },
  'rollouts.abort': { input: z.object({ id, reason: z.string().max(2000) }), output: rolloutViewSchema },
  'rollouts.rollback': {
    input: z.object({ name: modelNameSchema, target: z.string(), to: semverSchema.nullable() }),
    output: z.object({
      version: semverSchema,
      previous: semverSchema,
      durationMs: z.number(),
      endpoints: z.array(z.string()),
    }),
  },

  'audit.list': {
    input: z.object({
      before: z.number().int().nullable(),
      limit: z.number().int().min(1).max(500),
      text: z.string().max(200),
    }),
    output: z.object({ entries: z.array(auditEntrySchema), total: z.number().int() }),
  },
  'audit.verify': { input: nothing, output: auditVerdictSchema },
  'audit.export': {
    input: z.object({ path }),
    output: z.object({ path, entries: z.number().int(), head: z.string() }),
  },

  'jobs.cancel': { input: z.object({ jobId }), output: done },
  'dialogs.open': {
    input: z.object({ kind: z.enum(['model', 'dataset', 'policy', 'directory']) }),
    output: z.object({ path: path.nullable() }),
  },
  'dialogs.save': {
    input: z.object({ suggestedName: z.string().max(200) }),
    output: z.object({ path: path.nullable() }),
  },
} as const satisfies Record<ChannelName, { input: z.ZodType; output: z.ZodType }>;

export type Channels = typeof CHANNELS;
export type ChannelInput<C extends ChannelName> = z.input<Channels[C]['input']>;
export type ChannelOutput<C extends ChannelName> = z.output<Channels[C]['output']>;

/** Topics a window's cache is keyed by; `invalidated` names those that changed. */
export const topicSchema = z.enum([
  'session',
  'models',
  'validation',
  'comparison',
  'operators',
  'environments',
  'requests',
  'endpoints',
  'rollouts',
  'audit',
  'overview',
]);
export type Topic = z.infer<typeof topicSchema>;

export const EVENTS = {
  invalidated: z.object({ topics: z.array(topicSchema) }),
  'job.progress': jobProgressSchema,
  'rollout.updated': rolloutViewSchema,
  'menu.command': z.object({ command: z.string() }),
  appearance: z.object({ dark: z.boolean() }),
} as const;
export type EventName = keyof typeof EVENTS;
export type EventPayload<E extends EventName> = z.output<(typeof EVENTS)[E]>;
