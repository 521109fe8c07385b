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

/** Metrics that are measured within slices. */
export const SLICE_METRICS: readonly GateMetric[] = [
  'accuracy',
  'recall',
  'precision',
  'false_positive_rate',
];

/** One gate: a metric and its bounds, over all rows or within slices. */
export const gateSchema = z
  .strictObject({
    metric: gateMetricSchema.describe('What is judged.'),
    min: z.number().describe('Least value that passes.').optional(),
    max: z.number().describe('Largest value that passes.').optional(),
    maxRegression: z
      .number()
      .min(0)
      .describe('How much worse than the champion the metric may be, on the same rows.')
      .optional(),
    slice: z
      .strictObject({
        column: z.string().min(1).max(1000).describe('Column of the data.'),
        value: z
          .string()
          .max(1000)
          .describe('One value of the column; left out, every value with enough rows is judged.')
          .optional(),
      })
      .describe('Judge within parts of the data. Only accuracy, recall, precision and false_positive_rate.')
      .optional(),
    confident: z
      .boolean()
      .describe('Compare the bad end of the 95 % interval instead of the figure itself.')
      .optional(),
    minimumRows: z
      .number()
      .int()
      .min(1)
      .describe('Fewer rows (in the slice, where one is named) make the verdict inconclusive.')
      .optional(),
    perturbation: z
      .string()
      .max(200)
      .describe(
        'Id of one perturbation, such as noise-0.1; left out, the worst that ran. Only with robustness metrics.',
      )
      .optional(),
  })
  .superRefine((gate, context) => {
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', message, path: [path] });
    if (gate.min === undefined && gate.max === undefined && gate.maxRegression === undefined)
      problem('metric', 'A gate names min, max or maxRegression.');
    if (gate.slice !== undefined && !SLICE_METRICS.includes(gate.metric))
      problem('slice', `Within slices, a gate judges ${SLICE_METRICS.join(', ')}.`);
    if (gate.perturbation !== undefined && !gate.metric.startsWith('robustness_'))
      problem('perturbation', 'Only the robustness metrics name a perturbation.');
  });
export type Gate = z.infer<typeof gateSchema>;

/** An environment's policy, written as YAML (`policy.yaml`), set by an administrator. */
export const policySchema = z.strictObject({
  version: z.literal(1).describe('Version of this format.'),
  gates: z.array(gateSchema).max(100).describe('Every gate has to pass.'),
  minimumRows: z.number().int().min(1).describe('Fewest labelled rows a validation needs to count.'),
  datasets: z.array(sha256Schema).describe('SHA-256 of the datasets that count as evidence; empty = any.'),
  maximumSeverity: severitySchema.describe('Scan findings above this severity refuse the release.'),
  outputFindings: z
    .enum(['refuse', 'allow'])
    .describe('Answers that contradict themselves refuse the release unless this says allow.')
    .optional(),
  quorum: z
    .strictObject({
      approvals: z
        .number()
        .int()
        .min(1)
        .max(20)
        .describe(
          "Distinct people with distinct keys that must approve; the submitter's person never counts.",
        ),
    })
    .describe('Who has to agree.'),
  requestHours: z
    .number()
    .min(1)
    .max(24 * 365)
    .describe('Hours a request stays open for approval and first activation.'),
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
