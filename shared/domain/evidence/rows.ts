/** Going from a figure to the rows behind it. */
import { z } from 'zod';

export const evidenceRefSchema = z.object({
  kind: z.enum(['validation', 'comparison']),
  id: z.string().min(1).max(200),
});
export type EvidenceRef = z.infer<typeof evidenceRefSchema>;

/** Ready-made choices of rows. `fixed` and `broken` are rows only the challenger, or only the champion, got right. */
export const rowPresetSchema = z.enum([
  'all',
  'errors',
  'false-negatives',
  'false-positives',
  'disagreements',
  'fixed',
  'broken',
  'output-findings',
]);
export type RowPreset = z.infer<typeof rowPresetSchema>;

export const rowQuerySchema = z.strictObject({
  evidence: evidenceRefSchema,
  preset: rowPresetSchema,
  slice: z.object({ column: z.string(), value: z.string() }).nullable(),
  /** One SQL expression over the file's columns and `row`, `label`, `score`, `predicted` (`score_a`, `score_b`, … of a comparison). */
  filter: z.string().max(4000).nullable(),
  order: z.enum(['row', 'score-ascending', 'score-descending', 'difference']),
  limit: z.number().int().min(1).max(1000),
  offset: z.number().int().min(0),
});
export type RowQuery = z.infer<typeof rowQuerySchema>;

/** What an analyst says a row really is; kept beside the report, never in the file. */
export const rowVerdictSchema = z.enum(['malicious', 'benign', 'unsure']);
export type RowVerdict = z.infer<typeof rowVerdictSchema>;

export const rowLabelSchema = z.object({
  row: z.number().int().min(1),
  verdict: rowVerdictSchema,
  note: z.string().max(2000),
  by: z.string(),
  at: z.string(),
});
export type RowLabel = z.infer<typeof rowLabelSchema>;

export const evidenceRowSchema = z.object({
  /** 1-based data row, header not counted. */
  row: z.number().int(),
  label: z.number().nullable(),
  /** One a model, in the order of the report: champion, challenger. */
  answers: z.array(z.object({ predicted: z.number(), score: z.number().nullable() })),
  cells: z.array(z.string()),
  verdict: rowLabelSchema.nullable(),
});
export type EvidenceRow = z.infer<typeof evidenceRowSchema>;

export const evidenceRowsSchema = z.object({
  columns: z.array(z.string()),
  rows: z.array(evidenceRowSchema),
  /** Rows the query matches. */
  total: z.number().int(),
});
export type EvidenceRows = z.infer<typeof evidenceRowsSchema>;
