import { z } from 'zod';
import { comparisonReportSchema, gateResultSchema, validationReportSchema } from '../metrics/report.ts';
import {
  lineageSchema,
  modelNameSchema,
  outputMappingSchema,
  semverSchema,
  sha256Schema,
} from '../model/version.ts';
import { onnxSummarySchema } from '../onnx/summary.ts';
import { findingSchema } from '../scan/finding.ts';

/** `request.json` of a release directory. Every signature covers it together with the model's bytes. */
export const releaseRequestSchema = z.strictObject({
  vaultId: z.string(),
  requestId: z.string(),
  name: modelNameSchema,
  version: semverSchema,
  digest: sha256Schema,
  environmentId: z.string(),
  /** Rises by one per vault and environment; an agent refuses an older one it never served. */
  serial: z.number().int().min(1),
  submitter: z.strictObject({ name: z.string(), person: z.string(), keyFingerprint: z.string() }),
  createdAt: z.string(),
  notAfter: z.string(),
});
export type ReleaseRequest = z.infer<typeof releaseRequestSchema>;

/** `dossier.json`: the evidence an approver signs. Measured values and the rules that ran, nothing a person typed. */
export const dossierSchema = z.strictObject({
  onnx: onnxSummarySchema,
  scan: z.strictObject({ rulesRun: z.array(z.string()), findings: z.array(findingSchema) }),
  validation: validationReportSchema,
  comparison: comparisonReportSchema.omit({ disagreementRows: true }).nullable(),
  gates: z.array(gateResultSchema),
  lineage: lineageSchema,
  mapping: outputMappingSchema,
  /**
   * The reference profile later data is held against: SHA-256 of its canonical JSON, and what it was made on. Missing in
   * older dossiers; null where the version has none.
   */
  profile: z
    .strictObject({ digest: sha256Schema, datasetDigest: sha256Schema, rows: z.number().int() })
    .nullable()
    .optional(),
});
export type Dossier = z.infer<typeof dossierSchema>;

/** Files of a release directory; any other name is refused. Signature bundles are kept beside the directory, never in it. */
export const RELEASE_FILES = [
  'dossier.json',
  'model.onnx',
  'plan.json',
  'policy.yaml',
  'request.json',
] as const;
export const OPTIONAL_RELEASE_FILES = ['bom.cdx.json', 'model-card.md'] as const;

export const requestStateSchema = z.enum(['open', 'approved', 'rejected', 'withdrawn', 'expired', 'revoked']);
export type RequestState = z.infer<typeof requestStateSchema>;

export const approvalRecordSchema = z.object({
  requestId: z.string(),
  operator: z.string(),
  person: z.string(),
  keyFingerprint: z.string(),
  /** `submission` is the submitter's own signature; it never counts towards the quorum. */
  kind: z.enum(['submission', 'approval']),
  /** The OpenSSF Model Signing bundle, as JSON text. */
  bundle: z.string(),
  createdAt: z.string(),
});
export type ApprovalRecord = z.infer<typeof approvalRecordSchema>;

/** The registry's record of a request. Its files live in the artifact store; `root` is the signed statement's subject digest. */
export const requestRecordSchema = z.object({
  id: z.string(),
  request: releaseRequestSchema,
  environmentName: z.string(),
  root: sha256Schema,
  state: requestStateSchema,
  reason: z.string(),
  quorum: z.number().int(),
  createdAt: z.string(),
});
export type RequestRecord = z.infer<typeof requestRecordSchema>;

export const requestActionSchema = z.enum(['approve', 'reject', 'withdraw', 'deploy']);
export type RequestAction = z.infer<typeof requestActionSchema>;
