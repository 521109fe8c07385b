import { z } from 'zod';
import { onnxSummarySchema } from '../onnx/summary.ts';
import { findingSchema } from '../scan/finding.ts';

/** A plain name: starts with a letter or digit, then letters, digits, `.`, `_`, `-`; never a path, at most 100 characters. */
export const modelNameSchema = z.string().regex(/^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,98}[a-zA-Z0-9])?$/, {
  error:
    'A model name is letters, digits, dots, underscores and hyphens, at most 100 characters, with no path in it.',
});
/** A semantic version, as semver.org 2.0.0 spells it, without a leading `v`. */
export const semverSchema = z
  .string()
  .max(100)
  .regex(
    /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/,
    {
      error: 'A version is a semantic version such as 1.2.0.',
    },
  );
/** Lower-case hex SHA-256. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

export const versionStateSchema = z.enum(['draft', 'validated', 'archived', 'revoked']);
export type VersionState = z.infer<typeof versionStateSchema>;

/** How a model's outputs are read: which output is the label, which the score, and what counts as positive. */
export const outputMappingSchema = z.object({
  kind: z.enum(['classifier', 'anomaly', 'regression']),
  /** Name of the model input the features are fed to; of several, the first (all of them are fed). */
  input: z.string(),
  /** Output with the predicted class, or null where only a score exists. */
  labelOutput: z.string().nullable(),
  /** Output with the probability or anomaly score, or null where only a label exists. */
  scoreOutput: z.string().nullable(),
  /** Column of a [N, C] score output that belongs to the positive class; 0 for a [N] or [N, 1] output. */
  scoreColumn: z.number().int().min(0),
  /**
   * Label value that means "malicious". scikit-learn's anomaly detectors answer -1. Of a label output of text the
   * index of the class in `classes`.
   */
  positiveLabel: z.number(),
  /** Decision threshold on the score, used where there is no label output. */
  threshold: z.number(),
  /** True where a *lower* score is more anomalous (scikit-learn's decision_function). */
  lowerIsPositive: z.boolean(),
  /** Classes of a label output of text, in the order of the score's columns: a label is read as its index here. */
  classes: z.array(z.string().max(400)).min(1).max(1000).optional(),
});
export type OutputMapping = z.infer<typeof outputMappingSchema>;

export const lineageSchema = z.object({
  parent: semverSchema.nullable(),
  datasetDigest: z.string().max(200).nullable(),
  codeReference: z.string().max(500).nullable(),
});

/** What the person who adds a version says of it (`--metadata FILE`, or the form). Unknown keys are refused. */
export const versionMetadataSchema = z.strictObject({
  description: z.string().max(10_000).optional(),
  owner: z.string().max(200).optional(),
  licence: z.string().max(200).optional(),
  datasetDigest: z.string().max(200).optional(),
  codeReference: z.string().max(500).optional(),
  trainingParameters: z
    .record(z.string().max(200), z.union([z.string().max(2000), z.number(), z.boolean()]))
    .optional(),
  metrics: z.record(z.string().max(200), z.number()).optional(),
  tags: z.array(z.string().min(1).max(60)).max(50).optional(),
  permittedToDeploy: z.boolean().optional(),
});
export type VersionMetadata = z.infer<typeof versionMetadataSchema>;

/** Most characters of a version's metadata as JSON: the audit log keeps before and after of each change for ever. */
const MAX_METADATA = 256 * 1024;

/** Metadata that somebody gives. What is stored is read without this limit, which came later. */
export const givenMetadataSchema = versionMetadataSchema
  .refine((metadata) => JSON.stringify(metadata).length <= MAX_METADATA, {
    error: 'Metadata is at most 256 KiB as JSON: put large tables into a file and refer to it.',
  })
  .refine(isWellFormed, { error: 'There is half a surrogate pair in it, which is no text.' });

/** Whether all text in it is: what is not could be stored, but no entry of the log could ever tell of it. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, each]) => key.isWellFormed() && isWellFormed(each));
}

/** One immutable version of a model as the registry knows it. */
export const modelVersionSchema = z.object({
  id: z.string(),
  name: modelNameSchema,
  version: semverSchema,
  /** SHA-256 of the plaintext model file. */
  digest: sha256Schema,
  sizeBytes: z.number().int().nonnegative(),
  artifactId: z.string(),
  state: versionStateSchema,
  parent: semverSchema.nullable(),
  metadata: versionMetadataSchema,
  onnx: onnxSummarySchema,
  findings: z.array(findingSchema),
  /** Scan rules that ran, with the rule set's version: a rule that did not run is never a pass. */
  rulesRun: z.array(z.string()),
  mapping: outputMappingSchema.nullable(),
  addedBy: z.string(),
  addedAt: z.string(),
  /** When and by whom its file was removed by a collection; missing while it is there. The record stays. */
  removedAt: z.string().nullable().optional(),
  removedBy: z.string().nullable().optional(),
});
export type ModelVersion = z.infer<typeof modelVersionSchema>;

/** Aliases move; `champion` and `challenger` are the ones the program itself reads. */
export const aliasSchema = z.object({
  name: modelNameSchema,
  alias: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  version: semverSchema,
});
export type Alias = z.infer<typeof aliasSchema>;

export const versionRefSchema = z.object({ name: modelNameSchema, version: semverSchema });
export type VersionRef = z.infer<typeof versionRefSchema>;

/** `phish@1.0.0`, the one way a version is written. */
export function formatRef(ref: VersionRef): string {
  return `${ref.name}@${ref.version}`;
}
