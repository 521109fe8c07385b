import { z } from 'zod';
import { SallyportError } from '../errors.ts';
import { wilsonInterval } from '../statistics/interval.ts';
import { Sum } from '../statistics/sum.ts';
import { type Accumulator, figure, figureSchema, ratio } from './figure.ts';
import { countBelow, countUpTo, type Floats, placeWhere } from './floats.ts';
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

/** Mean and spread of what is added, streaming: the sum keeps what rounding drops, the squares are Welford's. */
export class Moments {
  readonly #sum = new Sum();
  #rows = 0;
  #running = 0;
  #squares = 0;

  get rows(): number {
    return this.#rows;
  }

  get mean(): number {
    return this.#rows === 0 ? 0 : this.#sum.value / this.#rows;
  }

  /** Of the sample (n − 1); null with one row. */
  get standardDeviation(): number | null {
    return this.#rows < 2 ? null : Math.sqrt(this.#squares / (this.#rows - 1));
  }

  add(value: number): void {
    this.#sum.add(value);
    this.#rows += 1;
    const before = value - this.#running;
    this.#running += before / this.#rows;
    this.#squares += before * (value - this.#running);
  }
}

/**
 * What scores look like that are held in ascending parts (one a class); `flagged` of them were flagged. `sign` −1 undoes
 * the turning round of scores. Nothing is copied.
 */
export function summarizeScores(
  parts: readonly Floats[],
  { rows, mean, standardDeviation }: Moments,
  flagged: number | null,
  { sign = 1, level }: { readonly sign?: 1 | -1; readonly level?: number | undefined } = {},
): ScoreSummary {
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
    standardDeviation,
    quantiles:
      rows === 0 ? [] : SUMMARY_QUANTILES.map((q, at) => ({ q, value: (values[at] ?? 0) * sign + 0 })),
    anomalyRate:
      flagged === null
        ? null
        : figure(ratio(flagged, rows), rows, wilsonInterval(flagged, rows, level), 'there are no rows'),
    isConstant: rows > 0 && ends[0] === ends[1],
  };
}

/** Quantiles (linear interpolation) of values held in ascending parts, found by halving. */
export function quantilesOfParts(
  parts: readonly Floats[],
  rows: number,
  quantiles: readonly number[],
): number[] {
  if (rows === 0) return [];
  return quantiles.map((q) => {
    const place = q * (rows - 1);
    const below = Math.floor(place);
    const low = valueAt(parts, below);
    const high = valueAt(parts, Math.min(rows - 1, below + 1));
    return low === high ? low : low * (1 - (place - below)) + high * (place - below);
  });
}

/** The value at this place, from 0, among those of all parts in their order. */
function valueAt(parts: readonly Floats[], place: number): number {
  const upTo = (value: number): number => parts.reduce((sum, part) => sum + countUpTo(part, value), 0);
  for (const part of parts) {
    const at = placeWhere(part.length, (index) => upTo(part[index] as number) > place);
    const value = part[at];
    if (value === undefined) continue;
    if (parts.reduce((sum, one) => sum + countBelow(one, value), 0) <= place) return value;
  }
  return 0;
}

/** Summary of scores without labels, 8 bytes a row. `flagged`: 1 where the model flagged the row, or null. */
export function createScoreSummary(): Accumulator<
  [scores: Float32Array | Float64Array, flagged: Uint8Array | null],
  ScoreSummary
> {
  let scores = new GrowableFloats();
  const moments = new Moments();
  let flaggedRows: number | null = null;
  return {
    add(batch, flagged) {
      for (const score of batch) {
        if (!Number.isFinite(score))
          throw new SallyportError('model.unmappable', 'A score of the model is not a finite number.');
      }
      for (const score of batch) {
        scores.push(score);
        moments.add(score);
      }
      if (flagged !== null) {
        flaggedRows ??= 0;
        for (const one of flagged) flaggedRows += one;
      }
    },
    result() {
      const sorted = scores.takeSorted();
      scores = GrowableFloats.of(sorted);
      return summarizeScores([sorted], moments, flaggedRows);
    },
  };
}
