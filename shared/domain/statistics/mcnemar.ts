import { z } from 'zod';
import { binomialCdf, chiSquaredSf, logChoose } from './special.ts';

/** Discordant rows up to which the exact binomial test is used. */
export const EXACT_DISCORDANT = 1000;

export const mcnemarSchema = z.object({
  method: z.enum(['exact', 'chi-squared']),
  /** Two-sided. Exact: 2·P(X ≤ min), at most 1; above 1,000 discordant rows chi-squared with continuity correction. */
  pValue: z.number(),
  /** The exact test's mid-p (Lancaster 1961), less conservative; null where chi-squared was used. */
  midP: z.number().nullable(),
  /** The chi-squared statistic with continuity correction; null where the exact test was used. */
  statistic: z.number().nullable(),
  discordant: z.number().int(),
});
export type McNemar = z.infer<typeof mcnemarSchema>;

/**
 * McNemar's test that two classifiers err equally often, from the rows only the first and only the second got right.
 * No discordant row at all is no evidence: p = 1.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): McNemar {
  const discordant = onlyFirst + onlySecond;
  if (discordant <= EXACT_DISCORDANT) {
    const fewer = Math.min(onlyFirst, onlySecond);
    const tail = binomialCdf(fewer, discordant, 0.5);
    const point = Math.exp(logChoose(discordant, fewer) - discordant * Math.LN2);
    return {
      method: 'exact',
      pValue: discordant === 0 ? 1 : Math.min(1, 2 * tail),
      midP: discordant === 0 ? 1 : Math.min(1, 2 * tail - point),
      statistic: null,
      discordant,
    };
  }
  const statistic = Math.max(0, Math.abs(onlyFirst - onlySecond) - 1) ** 2 / discordant;
  return { method: 'chi-squared', pValue: chiSquaredSf(statistic, 1), midP: null, statistic, discordant };
}
