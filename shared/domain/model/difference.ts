/** Two versions side by side, field by field. */
import { z } from 'zod';

export const versionDifferenceSchema = z.object({
  /** Heading the field stands under: identity, lineage, training, metrics, interface, operators, findings, evidence. */
  group: z.string(),
  field: z.string(),
  a: z.string(),
  b: z.string(),
  differs: z.boolean(),
});
export type VersionDifference = z.infer<typeof versionDifferenceSchema>;
