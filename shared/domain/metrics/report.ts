import { z } from 'zod';
import { outputMappingSchema, sha256Schema, versionRefSchema } from '../model/version.ts';

export const confusionSchema = z.object({
  tn: z.number().int(),
  fp: z.number().int(),
  fn: z.number().int(),
  tp: z.number().int(),
});
export type Confusion = z.infer<typeof confusionSchema>;

/**
 * Measured quality of a binary detector, positive class = malicious. A metric that is undefined on the data
 * (no positives, no score output) is null, never 0. Names are those gates use.
 */
export const classificationMetricsSchema = z.object({
  rows: z.number().int(),
  positives: z.number().int(),
  confusion: confusionSchema,
  accuracy: z.number().nullable(),
  balanced_accuracy: z.number().nullable(),
  precision: z.number().nullable(),
  recall: z.number().nullable(),
  f1: z.number().nullable(),
  mcc: z.number().nullable(),
  roc_auc: z.number().nullable(),
  false_positive_rate: z.number().nullable(),
});
export type ClassificationMetrics = z.infer<typeof classificationMetricsSchema>;

export const latencySchema = z.object({
  /** Milliseconds per single-row call, measured on up to 1,000 rows of the data, one row a call. */
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
  samples: z.number().int(),
});

/** Points of a curve, thinned to at most 200 for drawing; metrics are computed on all rows. */
export const curveSchema = z.array(z.object({ x: z.number(), y: z.number() }));

export const gateResultSchema = z.object({
  gate: z.string(),
  metric: z.string(),
  bound: z.enum(['min', 'max', 'maxRegression']),
  limit: z.number(),
  measured: z.number().nullable(),
  baseline: z.number().nullable(),
  passed: z.boolean(),
  reason: z.string(),
});
export type GateResult = z.infer<typeof gateResultSchema>;

export const datasetInfoSchema = z.object({
  fileName: z.string(),
  digest: sha256Schema,
  sizeBytes: z.number().int(),
  rows: z.number().int(),
  labelColumn: z.string(),
  featureColumns: z.number().int(),
  /** Columns in the file that are neither a feature nor the label. */
  ignoredColumns: z.array(z.string()),
});
export type DatasetInfo = z.infer<typeof datasetInfoSchema>;

/** The stored result of `validate`: everything a gate or an approver reads. */
export const validationReportSchema = z.object({
  id: z.string(),
  ref: versionRefSchema,
  digest: sha256Schema,
  dataset: datasetInfoSchema,
  mapping: outputMappingSchema,
  metrics: classificationMetricsSchema,
  latency: latencySchema,
  rowsPerSecond: z.number(),
  roc: curveSchema,
  precisionRecall: curveSchema,
  /** Score histogram per true class, 20 equal bins from `min` to `max`. */
  scoreHistogram: z
    .object({
      min: z.number(),
      max: z.number(),
      negative: z.array(z.number()),
      positive: z.array(z.number()),
    })
    .nullable(),
  environmentId: z.string().nullable(),
  environmentName: z.string().nullable(),
  gates: z.array(gateResultSchema),
  passed: z.boolean(),
  runBy: z.string(),
  createdAt: z.string(),
  durationMs: z.number(),
});
export type ValidationReport = z.infer<typeof validationReportSchema>;

export const disagreementRowSchema = z.object({
  /** 1-based data row (header not counted). */
  row: z.number().int(),
  label: z.number(),
  championLabel: z.number(),
  challengerLabel: z.number(),
  championScore: z.number().nullable(),
  challengerScore: z.number().nullable(),
  /** The row's other columns (not features), e.g. attack_type, url. */
  context: z.record(z.string(), z.string()),
});
export type DisagreementRow = z.infer<typeof disagreementRowSchema>;

/** Champion and challenger on the same rows. `disagreementRows` keeps the first 1,000; `disagreements` counts all. */
export const comparisonReportSchema = z.object({
  id: z.string(),
  champion: versionRefSchema,
  challenger: versionRefSchema,
  championDigest: sha256Schema,
  challengerDigest: sha256Schema,
  dataset: datasetInfoSchema,
  championMetrics: classificationMetricsSchema,
  challengerMetrics: classificationMetricsSchema,
  championLatency: latencySchema,
  challengerLatency: latencySchema,
  deltas: z.array(
    z.object({
      metric: z.string(),
      champion: z.number().nullable(),
      challenger: z.number().nullable(),
      delta: z.number().nullable(),
    }),
  ),
  disagreements: z.number().int(),
  /** Of the disagreements: rows only the challenger got right, and rows only the champion got right. */
  challengerFixes: z.number().int(),
  challengerBreaks: z.number().int(),
  disagreementRows: z.array(disagreementRowSchema),
  runBy: z.string(),
  createdAt: z.string(),
  durationMs: z.number(),
});
export type ComparisonReport = z.infer<typeof comparisonReportSchema>;
