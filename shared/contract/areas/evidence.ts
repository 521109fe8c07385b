/** Validation and comparison: evidence about versions. */
import { z } from 'zod';
import { comparisonReportSchema, validationReportSchema } from '../../domain/metrics/report.ts';
import { versionRefSchema } from '../../domain/model/version.ts';
import { policySchema } from '../../domain/policy/policy.ts';
import { id, jobId, path } from './common.ts';

export const evidenceChannels = {
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
} as const;
