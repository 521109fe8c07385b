import { z } from 'zod';
import { sha256Schema } from '../model/version.ts';
import { severitySchema } from '../scan/finding.ts';

/** Metrics a gate may name: those of ClassificationMetrics, and latency in milliseconds. */
export const gateMetricSchema = z.enum([
  'accuracy',
  'balanced_accuracy',
  'precision',
  'recall',
  'f1',
  'mcc',
  'roc_auc',
  'false_positive_rate',
  'latency_p50_ms',
  'latency_p95_ms',
  'latency_p99_ms',
]);
export type GateMetric = z.infer<typeof gateMetricSchema>;

/** One gate. `maxRegression`: how much worse than the champion the metric may be (needs a comparison). */
export const gateSchema = z.strictObject({
  metric: gateMetricSchema,
  min: z.number().optional(),
  max: z.number().optional(),
  maxRegression: z.number().min(0).optional(),
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
