/** Validation and comparison: evidence about versions, the data it was made on and the rows behind it. */
import { z } from 'zod';
import { dataSelectionSchema, datasetRecordSchema } from '../../domain/evidence/dataset.ts';
import { datasetInspectionSchema } from '../../domain/evidence/inspection.ts';
import {
  evidenceRefSchema,
  evidenceRowsSchema,
  rowLabelSchema,
  rowQuerySchema,
  rowVerdictSchema,
} from '../../domain/evidence/rows.ts';
import { unfinishedRunSchema } from '../../domain/evidence/unfinished.ts';
import { comparisonReportSchema, validationReportSchema } from '../../domain/metrics/report.ts';
import { sha256Schema, versionRefSchema } from '../../domain/model/version.ts';
import { policySchema } from '../../domain/policy/policy.ts';
import { done, id, jobId, nothing, path } from './common.ts';

const filter = z.string().max(4000).nullable();

export const evidenceChannels = {
  'validation.run': {
    input: versionRefSchema.extend({
      data: dataSelectionSchema,
      environmentId: z.string().nullable(),
      /** What-if; changes no state. */
      policy: policySchema.nullable(),
      robustness: z.boolean(),
      /** Whose stored profile the data is held against; null = drift is not measured. */
      driftAgainst: versionRefSchema.nullable(),
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
    /** The first is the champion, the second the challenger. */
    input: z.object({
      versions: z.array(versionRefSchema).min(2).max(8),
      data: dataSelectionSchema,
      jobId,
    }),
    output: comparisonReportSchema,
  },
  'comparison.list': {
    input: z.object({ ref: versionRefSchema.nullable() }),
    output: z.array(comparisonReportSchema),
  },
  'comparison.get': { input: z.object({ id }), output: comparisonReportSchema },
  /** What a file is, before a run: format, columns, how they meet this version's inputs. */
  'evidence.inspect': {
    input: z.object({ path, ref: versionRefSchema.nullable(), filter }),
    output: datasetInspectionSchema,
  },
  'evidence.rows': { input: rowQuerySchema.extend({ jobId }), output: evidenceRowsSchema },
  /** `verdict` null takes the label back. */
  'evidence.labelRow': {
    input: z.object({
      evidence: evidenceRefSchema,
      row: z.number().int().min(1),
      verdict: rowVerdictSchema.nullable(),
      note: z.string().max(2000),
    }),
    output: rowLabelSchema.nullable(),
  },
  'evidence.exportRows': {
    input: rowQuerySchema
      .omit({ limit: true, offset: true })
      .extend({ path, format: z.enum(['csv', 'jsonl']), jobId }),
    output: z.object({ path: z.string(), rows: z.number().int() }),
  },
  /** A dataset's file has moved: this is where it is now. */
  'evidence.locate': { input: z.object({ digest: sha256Schema, path, jobId }), output: datasetRecordSchema },
  'evidence.exportReport': {
    input: z.object({ evidence: evidenceRefSchema, path, format: z.enum(['html', 'json', 'pdf']) }),
    output: z.object({ path: z.string() }),
  },
  /** Runs that the end of the program interrupted. */
  'evidence.unfinished': { input: nothing, output: z.array(unfinishedRunSchema) },
  'evidence.resume': { input: z.object({ id, jobId }), output: evidenceRefSchema },
  'evidence.discard': { input: z.object({ id }), output: done },
  'datasets.list': { input: nothing, output: z.array(datasetRecordSchema) },
} as const;
