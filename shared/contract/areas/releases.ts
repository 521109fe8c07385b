/** Requests, endpoints and rollouts. */
import { z } from 'zod';
import { clientCertificateSchema, endpointTlsSchema } from '../../domain/endpoint/credentials.ts';
import { endpointStatusSchema } from '../../domain/endpoint/endpoint.ts';
import { modelNameSchema, semverSchema, versionRefSchema } from '../../domain/model/version.ts';
import { guardsSchema, leaseSchema } from '../../domain/rollout/plan.ts';
import { endpointViewSchema, requestViewSchema, rolloutViewSchema } from '../../domain/view/views.ts';
import { done, id, nothing, passphrase } from './common.ts';

export const releasesChannels = {
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
        lease: leaseSchema.optional(),
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
      tls: endpointTlsSchema.optional(),
      client: clientCertificateSchema.optional(),
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
} as const;
