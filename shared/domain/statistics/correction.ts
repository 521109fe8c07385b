import { z } from 'zod';

export const correctionSchema = z.enum(['holm', 'benjamini-hochberg', 'none']);
/** How p-values of many tests are corrected. */
export type Correction = z.infer<typeof correctionSchema>;

/** Indices in ascending order of p. */
function order(pValues: ArrayLike<number>): number[] {
  return Array.from(pValues, (_, index) => index).sort(
    (a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0) || a - b,
  );
}

/** Holm's step-down adjusted p-values (1979): the chance of even one false alarm is kept, under any dependence. */
export function holm(pValues: ArrayLike<number>): number[] {
  const adjusted = new Array<number>(pValues.length).fill(1);
  let highest = 0;
  for (const [rank, index] of order(pValues).entries()) {
    highest = Math.max(highest, Math.min(1, (pValues.length - rank) * (pValues[index] ?? 1)));
    adjusted[index] = highest;
  }
  return adjusted;
}

/** Benjamini and Hochberg's adjusted p-values (1995): the expected share of false alarms among alarms is kept. */
export function benjaminiHochberg(pValues: ArrayLike<number>): number[] {
  const adjusted = new Array<number>(pValues.length).fill(1);
  let lowest = 1;
  for (const [above, index] of order(pValues).reverse().entries()) {
    const rank = pValues.length - above;
    const p = pValues[index] ?? 1;
    // Rounding must not make it smaller than it was.
    lowest = Math.min(lowest, Math.max(p, (p * pValues.length) / rank));
    adjusted[index] = lowest;
  }
  return adjusted;
}

/** Adjusted p-values in the given order. */
export function adjust(pValues: ArrayLike<number>, correction: Correction): number[] {
  if (correction === 'holm') return holm(pValues);
  return correction === 'none' ? Array.from(pValues) : benjaminiHochberg(pValues);
}
