/** Models and their versions. */
import { z } from 'zod';
import { versionDifferenceSchema } from '../../domain/model/difference.ts';
import { collectionSchema } from '../../domain/model/retention.ts';
import {
  aliasSchema,
  givenMetadataSchema,
  modelNameSchema,
  outputMappingSchema,
  semverSchema,
  sha256Schema,
  versionRefSchema,
} from '../../domain/model/version.ts';
import { onnxSummarySchema } from '../../domain/onnx/summary.ts';
import { findingSchema } from '../../domain/scan/finding.ts';
import { overviewSchema, versionRowSchema, versionViewSchema } from '../../domain/view/views.ts';
import { jobId, nothing, path } from './common.ts';

export const registryChannels = {
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
      metadata: givenMetadataSchema,
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
  /** Replaces what is said of a version (owner, tags, licence, …); the bytes never change. */
  'models.describe': {
    input: versionRefSchema.extend({ metadata: givenMetadataSchema }),
    output: versionViewSchema,
  },
  'models.unalias': {
    input: z.object({ name: modelNameSchema, alias: aliasSchema.shape.alias }),
    output: z.object({ removed: z.boolean() }),
  },
  /** Every field of two versions, with whether they differ. */
  'models.diff': {
    input: z.object({ a: versionRefSchema, b: versionRefSchema }),
    output: z.array(versionDifferenceSchema),
  },
  /** Applies the vault's retention rule and removes what no longer has to be kept; `dryRun` only says what it would do. */
  'models.collect': { input: z.object({ dryRun: z.boolean(), jobId }), output: collectionSchema },
} as const;
