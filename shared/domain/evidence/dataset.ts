/** Data that evidence is made on: what it is, and how its columns meet a model's inputs. */
import { z } from 'zod';
import { sha256Schema } from '../model/version.ts';

export const datasetFormatSchema = z.enum(['csv', 'jsonl', 'parquet', 'npy', 'onnx-test-data']);
export type DatasetFormat = z.infer<typeof datasetFormatSchema>;

/**
 * What a run reads. `labelColumn` null = guessed by name; `labelled` false = there is no truth (replayed traffic).
 * `filter` is one SQL expression over the file's columns, true for rows that count.
 */
export const dataSelectionSchema = z.strictObject({
  path: z.string().min(1).max(4096),
  format: datasetFormatSchema.nullable(),
  labelled: z.boolean(),
  labelColumn: z.string().max(1000).nullable(),
  /** Text or number that means "malicious" where labels are not 0 and 1; null = 1, true, or the usual words. */
  positiveValue: z.string().max(200).nullable(),
  filter: z.string().max(4000).nullable(),
  /** Model feature → column of the file, where names differ; null = the remembered mapping, else equal names. */
  columns: z.record(z.string(), z.string()).nullable(),
  /** Columns whose values are slices; null = chosen automatically. */
  sliceColumns: z.array(z.string().max(1000)).max(50).nullable(),
  /** Column with the time of a row, for series of replayed traffic. */
  timeColumn: z.string().max(1000).nullable(),
  /** NPY only: a second file with one label a row; without it the last column of a matrix is the label. */
  labelsPath: z.string().min(1).max(4096).nullable().optional(),
});
export type DataSelection = z.infer<typeof dataSelectionSchema>;

/** A dataset the vault knows by its digest; the file itself stays where it is. */
export const datasetRecordSchema = z.object({
  digest: sha256Schema,
  fileName: z.string(),
  /** Where it was last seen; only a hint, the digest is what counts. */
  path: z.string(),
  format: datasetFormatSchema,
  sizeBytes: z.number().int(),
  rows: z.number().int(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  registeredBy: z.string(),
  registeredAt: z.string(),
});
export type DatasetRecord = z.infer<typeof datasetRecordSchema>;
