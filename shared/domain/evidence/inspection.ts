/** What a file of data is, before anything is measured on it. */
import { z } from 'zod';
import { datasetFormatSchema } from './dataset.ts';

/** First rows shown of a file. */
export const SAMPLE_ROWS = 20;

export const datasetInspectionSchema = z.object({
  format: datasetFormatSchema,
  sizeBytes: z.number(),
  /** Rows after the filter; null where counting them means reading a large file to its end. */
  rows: z.number().int().nullable(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  /** The first rows, as text. */
  sample: z.array(z.array(z.string())),
  /** The column that would be taken as truth; null where none looks like one. */
  labelColumn: z.string().nullable(),
  /** The values found in it, at most 20. */
  labelValues: z.array(z.string()),
  /** Model feature → column, remembered or of equal names; null without a version, or where columns count by position. */
  mapping: z.record(z.string(), z.string()).nullable(),
  /** Features of the model without a column. */
  missing: z.array(z.string()),
  /** Why the filter cannot be used; null where it can. */
  filterProblem: z.string().nullable(),
});
export type DatasetInspection = z.infer<typeof datasetInspectionSchema>;
