import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import { wilsonInterval } from '../statistics/interval.ts';
import { Sum } from '../statistics/sum.ts';
import { type Accumulator, figure, figureSchema, ratio } from './figure.ts';
import { GrowableFloats } from './growable.ts';

/** Quantiles of a summary. */
export const SUMMARY_QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1] as const;

export const scoreSummarySchema = z.object({
  rows: z.number().int(),
  mean: z.number().nullable(),
  /** Of the sample (n − 1); null with one row. */
  standardDeviation: z.number().nullable(),
  /** Linear interpolation between neighbours, numpy's default. */
  quantiles: z.array(z.object({ q: z.number(), value: z.number() })),
  /** Share of rows flagged; null where the model flags nothing by itself. */
  anomalyRate: figureSchema.nullable(),
  /** Every row got the same score. */
  isConstant: z.boolean(),
});
export type ScoreSummary = z.infer<typeof scoreSummarySchema>;

/**
 * What scores look like that are held in ascending parts (one a class); `flagged` of them were flagged. `sign` −1 undoes
 * the turning round of scores. O(n), nothing is copied.
 */
export function summarizeScores(
  parts: readonly Float64Array[],
  flagged: number | null,
  { sign = 1, level }: { readonly sign?: 1 | -1; readonly level?: number | undefined } = {},
): ScoreSummary {
  const sum = new Sum();
  let rows = 0;
  for (const part of parts) {
    rows += part.length;
    for (const score of part) sum.add(score);
  }
  const mean = rows === 0 ? 0 : sum.value / rows;
  const squares = new Sum();
  for (const part of parts) for (const score of part) squares.add((score - mean) ** 2);
  const values = quantilesOfParts(
    parts,
    rows,
    SUMMARY_QUANTILES.map((q) => (sign === 1 ? q : 1 - q)),
  );
  const ends = [values.at(0), values.at(-1)];
  return {
    rows,
    // Minus zero would read "-0".
    mean: rows === 0 ? null : mean * sign + 0,
    standardDeviation: rows < 2 ? null : Math.sqrt(squares.value / (rows - 1)),
    quantiles:
      rows === 0 ? [] : SUMMARY_QUANTILES.map((q, at) => ({ q, value: (values[at] ?? 0) * sign + 0 })),
    anomalyRate:
      flagged === null
        ? null
        : figure(ratio(flagged, rows), rows, wilsonInterval(flagged, rows, level), 'there are no rows'),
    isConstant: rows > 0 && ends[0] === ends[1],
  };
}

/** Quantiles (linear interpolation) of values held in ascending parts, in one walk through all of them. */
export function quantilesOfParts(
  parts: readonly Float64Array[],
  rows: number,
  quantiles: readonly number[],
): number[] {
  if (rows === 0) return [];
  const wanted = new Map<number, number>();
  const places = quantiles.map((q) => q * (rows - 1));
  for (const place of places) {
    wanted.set(Math.floor(place), 0);
    wanted.set(Math.min(rows - 1, Math.floor(place) + 1), 0);
  }
  const ranks = [...wanted.keys()].sort((a, b) => a - b);
  const at = parts.map(() => 0);
  let walked = 0;
  for (const rank of ranks) {
    for (; walked <= rank; walked += 1) {
      let best = -1;
      let lowest = Number.POSITIVE_INFINITY;
      for (let part = 0; part < parts.length; part += 1) {
        const value = parts[part]?.[at[part] ?? 0];
        if (value !== undefined && (best === -1 || value < lowest)) {
          best = part;
          lowest = value;
        }
      }
      at[best] = (at[best] ?? 0) + 1;
      if (walked === rank) wanted.set(rank, lowest);
    }
  }
  return places.map((place) => {
    const below = Math.floor(place);
    const low = wanted.get(below) ?? 0;
    const high = wanted.get(Math.min(rows - 1, below + 1)) ?? 0;
    return low === high ? low : low * (1 - (place - below)) + high * (place - below);
  });
}

/** Summary of scores without labels, 8 bytes a row. `flagged`: 1 where the model flagged the row, or null. */
export function createScoreSummary(): Accumulator<
  [scores: Float32Array | Float64Array, flagged: Uint8Array | null],
  ScoreSummary
> {
  let scores = new GrowableFloats();
  let flaggedRows: number | null = null;
  return {
    add(batch, flagged) {
      for (const score of batch) {
        if (!Number.isFinite(score))
          throw new SallyportError('model.unmappable', 'A score of the model is not a finite number.');
      }
      for (const score of batch) scores.push(score);
      if (flagged !== null) {
        flaggedRows ??= 0;
        for (const one of flagged) flaggedRows += one;
      }
    },
    result() {
      const sorted = scores.takeSorted();
      scores = GrowableFloats.of(sorted);
      return summarizeScores([sorted], flaggedRows);
    },
  };
}
