import { z } from 'zod';
import { sha256Schema } from '../model/version.ts';
import { severitySchema } from '../scan/finding.ts';

/** Metrics a gate may name: those of a report, latency in milliseconds, and facts about file, scan, drift and robustness. */
export const gateMetricSchema = z.enum([
  'accuracy',
  'balanced_accuracy',
  'precision',
  'recall',
  'f1',
  'mcc',
  'roc_auc',
  'pr_auc',
  'log_loss',
  'brier',
  'ece',
  'tpr_at_fpr_0_01',
  'tpr_at_fpr_0_001',
  'false_positive_rate',
  'positive_rate',
  'mae',
  'rmse',
  'r2',
  'latency_p50_ms',
  'latency_p95_ms',
  'latency_p99_ms',
  'model_size_mb',
  'disagreement_rate',
  'broken_rate',
  'drift_score_psi',
  'drift_feature_share',
  'robustness_recall_drop',
  'robustness_false_positive_rise',
]);
export type GateMetric = z.infer<typeof gateMetricSchema>;

/** One gate: a metric and its bounds, over all rows or within slices. */
export const gateSchema = z.strictObject({
  metric: gateMetricSchema,
  min: z.number().optional(),
  max: z.number().optional(),
  /** How much worse than the champion the metric may be, on the same rows. */
  maxRegression: z.number().min(0).optional(),
  /** Judge within slices: one value of a column, or every value with enough rows where `value` is left out. */
  slice: z
    .strictObject({ column: z.string().min(1).max(1000), value: z.string().max(1000).optional() })
    .optional(),
  /** Compare the bad end of the 95 % interval instead of the figure itself. */
  confident: z.boolean().optional(),
  /** Fewer rows (in the slice, where one is named) make the verdict inconclusive. */
  minimumRows: z.number().int().min(1).optional(),
  /** Id of one perturbation; left out = the worst of those that ran. Only with `robustness_…`. */
  perturbation: z.string().max(200).optional(),
});
export type Gate = z.infer<typeof gateSchema>;

/** An environment's policy, written as YAML (`policy.yaml`), set by an administrator. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  gates: z.array(gateSchema).max(100),
  /** Fewest labelled rows a validation needs to count. */
  minimumRows: z.number().int().min(1),
  /** SHA-256 of datasets that count as evidence; empty = any. */
  datasets: z.array(sha256Schema),
  /** Findings above this severity refuse the release. */
  maximumSeverity: severitySchema,
  /** Answers that contradict themselves (see output findings) refuse the release unless `allow`. */
  outputFindings: z.enum(['refuse', 'allow']).optional(),
  /** Distinct people with distinct keys that must approve; the submitter's person never counts. */
  quorum: z.strictObject({ approvals: z.number().int().min(1).max(20) }),
  /** Hours a request stays open for approval and first activation. */
  requestHours: z
    .number()
    .min(1)
    .max(24 * 365),
});
export type Policy = z.infer<typeof policySchema>;

export const environmentSchema = z.object({
  /** Name plus 128 random bits: two sites' "production" differ. */
  id: z.string(),
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  policy: policySchema,
  createdAt: z.string(),
});
export type Environment = z.infer<typeof environmentSchema>;
