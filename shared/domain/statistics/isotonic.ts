import { z } from 'zod';

/** Most steps a stored calibration has; more are joined where that changes least. */
const MAX_STEPS = 256;

export const isotonicStepSchema = z.object({
  /** Lowest and highest score of the rows it was fitted on. */
  from: z.number(),
  to: z.number(),
  /** Share of positives among them: the calibrated probability. */
  value: z.number().min(0).max(1),
  rows: z.number().int().positive(),
});
export const isotonicSchema = z.array(isotonicStepSchema).min(1).max(MAX_STEPS);
/** A rising step function from score to probability. */
export type Isotonic = z.infer<typeof isotonicSchema>;

/**
 * Isotonic regression of labels on scores by pooling adjacent violators (Ayer et al. 1955), from the scores of each
 * class, ascending; higher = more positive. Equal scores are pooled first. O(n); null where there are no rows.
 */
export function fitIsotonic(negatives: ArrayLike<number>, positives: ArrayLike<number>): Isotonic | null {
  // Steps so far side by side: one a distinct score at first, so objects would be as many.
  const from: number[] = [];
  const to: number[] = [];
  const hits: number[] = [];
  const rows: number[] = [];
  let i = 0;
  let j = 0;
  while (i < negatives.length || j < positives.length) {
    const score = Math.min(
      i < negatives.length ? (negatives[i] as number) : Number.POSITIVE_INFINITY,
      j < positives.length ? (positives[j] as number) : Number.POSITIVE_INFINITY,
    );
    const before = i + j;
    let found = j;
    while (i < negatives.length && negatives[i] === score) i += 1;
    while (j < positives.length && positives[j] === score) j += 1;
    found = j - found;
    let count = i + j - before;
    let start = score;
    // Joined with what is before as long as that does not lie strictly below; products avoid division.
    for (
      let last = rows.length - 1;
      last >= 0 && (hits[last] as number) * count >= found * (rows[last] as number);
      last -= 1
    ) {
      start = from.pop() as number;
      to.pop();
      found += hits.pop() as number;
      count += rows.pop() as number;
    }
    from.push(start);
    to.push(score);
    hits.push(found);
    rows.push(count);
  }
  const steps = rows.map((count, at) => ({
    from: from[at] as number,
    to: to[at] as number,
    hits: hits[at] as number,
    rows: count,
  }));
  while (steps.length > MAX_STEPS) joinClosest(steps);
  return steps.length === 0
    ? null
    : steps.map((step) => ({ from: step.from, to: step.to, value: step.hits / step.rows, rows: step.rows }));
}

/** Joins the two neighbours whose joining adds least squared error. */
function joinClosest(steps: { from: number; to: number; hits: number; rows: number }[]): void {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at + 1 < steps.length; at += 1) {
    const a = steps[at];
    const b = steps[at + 1];
    if (a === undefined || b === undefined) continue;
    const cost = ((a.hits / a.rows - b.hits / b.rows) ** 2 * a.rows * b.rows) / (a.rows + b.rows);
    if (cost < least) {
      least = cost;
      best = at;
    }
  }
  const [a, b] = steps.slice(best, best + 2);
  if (a !== undefined && b !== undefined)
    steps.splice(best, 2, { from: a.from, to: b.to, hits: a.hits + b.hits, rows: a.rows + b.rows });
}

/** Scores above `cuts[i]` belong to a later step than i: halfway between two steps. */
export function isotonicCuts(steps: Isotonic): Float64Array {
  const cuts = new Float64Array(Math.max(0, steps.length - 1));
  // Halved before adding: the sum of two doubles may not be one.
  for (let i = 0; i < cuts.length; i += 1) cuts[i] = (steps[i]?.to ?? 0) / 2 + (steps[i + 1]?.from ?? 0) / 2;
  return cuts;
}

/** Cuts strictly below `value`: the bin of a value among bins that are closed above. */
export function binOf(cuts: Float64Array, value: number): number {
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cuts[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
