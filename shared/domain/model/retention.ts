/** Which versions a vault has to keep, and what may go. */
import { z } from 'zod';

/** What a collection did, or would do. */
export const collectionSchema = z.object({
  dryRun: z.boolean(),
  /** Versions that fell out of the retention rule and are archived by it. */
  archived: z.array(z.object({ ref: z.string(), reason: z.string() })),
  /** Model files removed: of archived and revoked versions that nothing needs. Their records stay. */
  removed: z.array(z.object({ ref: z.string(), sizeBytes: z.number(), reason: z.string() })),
  /** Files that no record names. */
  orphans: z.array(z.object({ artifactId: z.string(), sizeBytes: z.number() })),
  freedBytes: z.number(),
  /** Versions kept although the rule alone would let them go, with why (deployed, champion, under request). */
  kept: z.array(z.object({ ref: z.string(), reason: z.string() })),
});
export type Collection = z.infer<typeof collectionSchema>;
