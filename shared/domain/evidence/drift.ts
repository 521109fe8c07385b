/** How far data has moved from a reference: per feature and for the score. */
import { z } from 'zod';
import { sha256Schema, versionRefSchema } from '../model/version.ts';

export const driftVerdictSchema = z.enum(['stable', 'watch', 'drift', 'too-few']);

export const featureDriftSchema = z.object({
  feature: z.string(),
  kind: z.enum(['numeric', 'categorical']),
  psi: z.number().nullable(),
  /** PSI that chance alone exceeds once in a hundred for these sample sizes and bins. */
  psiThreshold: z.number().nullable(),
  ks: z.number().nullable(),
  ksP: z.number().nullable(),
  jensenShannon: z.number().nullable(),
  /** Wasserstein-1 over the reference's standard deviation. */
  wasserstein: z.number().nullable(),
  chiSquaredP: z.number().nullable(),
  /** After correction over all features. */
  adjustedP: z.number().nullable(),
  verdict: driftVerdictSchema,
});
export type FeatureDrift = z.infer<typeof featureDriftSchema>;

export const driftReportSchema = z.object({
  /** Whose profile the data was held against, and the data that profile was made on. */
  reference: z.object({ ref: versionRefSchema, datasetDigest: sha256Schema, rows: z.number().int() }),
  rows: z.number().int(),
  features: z.array(featureDriftSchema),
  score: featureDriftSchema.nullable(),
  /** Share of features with the verdict `drift`. */
  driftedShare: z.number(),
  /** Accuracy estimated without labels from calibrated confidence; always an estimate. */
  estimatedAccuracy: z
    .object({ value: z.number(), low: z.number(), high: z.number(), estimate: z.literal(true) })
    .nullable(),
});
export type DriftReport = z.infer<typeof driftReportSchema>;
