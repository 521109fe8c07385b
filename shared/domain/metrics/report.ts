import { z } from 'zod';
import { datasetFormatSchema } from '../evidence/dataset.ts';
import { driftReportSchema } from '../evidence/drift.ts';
import { intervalSchema } from '../evidence/interval.ts';
import { outputFindingSchema } from '../evidence/output-findings.ts';
import { robustnessResultSchema } from '../evidence/robustness.ts';
import { sliceFlipSchema, sliceSchema } from '../evidence/slices.ts';
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
  /** Average precision. */
  pr_auc: z.number().nullable().default(null),
  log_loss: z.number().nullable().default(null),
  brier: z.number().nullable().default(null),
  /** Expected calibration error, 15 bins of equal width. */
  ece: z.number().nullable().default(null),
  /** Best detection rate over all thresholds whose false-positive rate is not above 1 % and 0.1 %. */
  tpr_at_fpr_0_01: z.number().nullable().default(null),
  tpr_at_fpr_0_001: z.number().nullable().default(null),
  /** Share of rows answered as malicious; needs no labels. */
  positive_rate: z.number().nullable().default(null),
});
export type ClassificationMetrics = z.infer<typeof classificationMetricsSchema>;

/** Quality of a model that answers a number. */
export const regressionMetricsSchema = z.object({
  rows: z.number().int(),
  mae: z.number().nullable(),
  rmse: z.number().nullable(),
  r2: z.number().nullable(),
  max_error: z.number().nullable(),
  median_absolute_error: z.number().nullable(),
});
export type RegressionMetrics = z.infer<typeof regressionMetricsSchema>;

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
  /** `inconclusive`: too few rows, or nothing to measure on; never a pass. */
  verdict: z.enum(['pass', 'fail', 'inconclusive']).optional(),
  reason: z.string(),
  /** Rows the measured value stands on, and the part of the data it is about. */
  rows: z.number().int().nullable().optional(),
  slice: z.object({ column: z.string(), value: z.string() }).nullable().optional(),
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
  format: datasetFormatSchema.default('csv'),
  /** False: no truth was given; `labelColumn` is then empty. */
  labelled: z.boolean().default(true),
  /** The SQL expression rows were chosen by, and how many rows the file has without it. */
  filter: z.string().nullable().default(null),
  rowsInFile: z.number().int().nullable().default(null),
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
  /** Of a model that answers a number; its classification metrics are null then. */
  regression: regressionMetricsSchema.nullable().default(null),
  /** By metric name. */
  intervals: z.record(z.string(), intervalSchema).default({}),
  reliability: z
    .array(
      z.object({
        low: z.number(),
        high: z.number(),
        rows: z.number().int(),
        confidence: z.number(),
        frequency: z.number(),
      }),
    )
    .default([]),
  /** At most 200 thresholds, the decision threshold among them. */
  sweep: z
    .array(
      z.object({
        threshold: z.number(),
        recall: z.number().nullable(),
        precision: z.number().nullable(),
        false_positive_rate: z.number().nullable(),
        decision: z.boolean(),
      }),
    )
    .default([]),
  scoreQuantiles: z.array(z.object({ q: z.number(), value: z.number() })).default([]),
  slices: z.array(sliceSchema).default([]),
  outputFindings: z.array(outputFindingSchema).default([]),
  drift: driftReportSchema.nullable().default(null),
  robustness: z.array(robustnessResultSchema).default([]),
  /** What the calibration run chose. */
  execution: z
    .object({ threads: z.number().int(), batchRows: z.number().int(), seed: z.number().int() })
    .nullable()
    .default(null),
  /** The stored answers to every row, for looking at rows later; null where none were kept. */
  rowsArtifact: z
    .object({ artifactId: z.string(), digest: sha256Schema, sizeBytes: z.number().int() })
    .nullable()
    .default(null),
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

/** Tests of the difference: McNemar on labels, DeLong and paired bootstrap on ROC AUC. */
const significanceSchema = z.object({
  mcnemarP: z.number().nullable(),
  mcnemarMethod: z.enum(['exact', 'chi-squared']),
  aucDelta: z.number().nullable(),
  aucDeltaInterval: intervalSchema.nullable(),
  aucP: z.number().nullable(),
  kappa: z.number().nullable(),
});

/** How one model's scores lie against the champion's. */
const shiftSchema = z.object({
  psi: z.number().nullable(),
  ks: z.number().nullable(),
  wasserstein: z.number().nullable(),
  meanDelta: z.number().nullable(),
  correlation: z.number().nullable(),
});

/** A further version against the champion, on the same rows. */
const againstSchema = z.object({
  disagreements: z.number().int(),
  /** Rows that only this version, and that only the champion got right. */
  fixes: z.number().int(),
  breaks: z.number().int(),
  significance: significanceSchema.nullable(),
  /** By metric name: the interval of this version minus the champion. */
  deltaIntervals: z.record(z.string(), intervalSchema),
  disagreementMatrix: z.array(z.array(z.number().int())),
  sliceFlips: z.array(sliceFlipSchema),
  scoreShift: shiftSchema.nullable(),
});
export type AgainstChampion = z.infer<typeof againstSchema>;

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
  significance: significanceSchema.nullable().default(null),
  /** By metric name: the interval of challenger minus champion. */
  deltaIntervals: z.record(z.string(), intervalSchema).default({}),
  /** `matrix[a][b]`: rows the champion labelled a and the challenger b (0 benign, 1 malicious). */
  disagreementMatrix: z.array(z.array(z.number().int())).default([]),
  sliceFlips: z.array(sliceFlipSchema).default([]),
  scoreShift: shiftSchema.nullable().default(null),
  /** Score pairs for drawing, at most 2,000, disagreements first. */
  scatter: z
    .array(z.object({ row: z.number().int(), a: z.number(), b: z.number(), label: z.number().nullable() }))
    .default([]),
  /** Replayed traffic over time, at most 500 buckets. */
  series: z
    .array(
      z.object({
        at: z.string(),
        rows: z.number().int(),
        disagreements: z.number().int(),
        positiveRates: z.array(z.number().nullable()),
        meanScores: z.array(z.number().nullable()),
      }),
    )
    .default([]),
  intervals: z
    .object({
      champion: z.record(z.string(), intervalSchema),
      challenger: z.record(z.string(), intervalSchema),
    })
    .default({ champion: {}, challenger: {} }),
  outputFindings: z
    .object({ champion: z.array(outputFindingSchema), challenger: z.array(outputFindingSchema) })
    .default({ champion: [], challenger: [] }),
  latencyHistogram: z
    .object({ edgesMs: z.array(z.number()), champion: z.array(z.number()), challenger: z.array(z.number()) })
    .nullable()
    .default(null),
  /** Further versions run over the same rows, beyond the two. */
  others: z
    .array(
      z.object({
        ref: versionRefSchema,
        digest: sha256Schema,
        metrics: classificationMetricsSchema,
        /** null in reports made before it was kept. */
        against: againstSchema.nullable().default(null),
        outputFindings: z.array(outputFindingSchema).default([]),
      }),
    )
    .default([]),
  rowsArtifact: z
    .object({ artifactId: z.string(), digest: sha256Schema, sizeBytes: z.number().int() })
    .nullable()
    .default(null),
  runBy: z.string(),
  createdAt: z.string(),
  durationMs: z.number(),
});
export type ComparisonReport = z.infer<typeof comparisonReportSchema>;

/** What a report says of measurements that were not made; also what older reports are read with. */
export const UNMEASURED_METRICS = {
  pr_auc: null,
  log_loss: null,
  brier: null,
  ece: null,
  tpr_at_fpr_0_01: null,
  tpr_at_fpr_0_001: null,
  positive_rate: null,
} as const satisfies Partial<ClassificationMetrics>;

export const PLAIN_DATASET = {
  format: 'csv',
  labelled: true,
  filter: null,
  rowsInFile: null,
} as const satisfies Partial<DatasetInfo>;

/** The parts of a validation report that only a deeper run fills. */
export function plainValidation() {
  return {
    regression: null,
    intervals: {},
    reliability: [],
    sweep: [],
    scoreQuantiles: [],
    slices: [],
    outputFindings: [],
    drift: null,
    robustness: [],
    execution: null,
    rowsArtifact: null,
  } satisfies Partial<ValidationReport>;
}

/** The parts of a comparison report that only a deeper run fills. */
export function plainComparison() {
  return {
    significance: null,
    deltaIntervals: {},
    disagreementMatrix: [],
    sliceFlips: [],
    scoreShift: null,
    scatter: [],
    series: [],
    intervals: { champion: {}, challenger: {} },
    outputFindings: { champion: [], challenger: [] },
    latencyHistogram: null,
    others: [],
    rowsArtifact: null,
  } satisfies Partial<ComparisonReport>;
}
