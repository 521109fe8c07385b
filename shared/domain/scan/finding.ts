import { z } from 'zod';

export const severitySchema = z.enum(['info', 'low', 'medium', 'high', 'critical']);
export type Severity = z.infer<typeof severitySchema>;

/** One thing a scan rule found. `critical` findings refuse the file before it is registered. */
export const findingSchema = z.object({
  ruleId: z.string(),
  severity: severitySchema,
  title: z.string(),
  /** Where in the model: `graph/node[3] "Gemm_0"`, `initializer "w"`, `metadata "author"`. */
  where: z.string(),
  detail: z.string(),
  /** Public reference of the attack, e.g. CVE-2024-5187, or ''. */
  reference: z.string(),
});
export type Finding = z.infer<typeof findingSchema>;

/** How many rules a scan's `rulesRun` names: its first item is the rule set's own name (`rules@1`). */
export function ruleCount(rulesRun: readonly string[]): number {
  return rulesRun.filter((id) => !id.includes('@')).length;
}
