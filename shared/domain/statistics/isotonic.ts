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
  // Steps so far, and the last one in `found` of `count`: each lies strictly above the one before, so they stay few.
  const hits: number[] = [];
  const rows: number[] = [];
  let found = 0;
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < negatives.length || j < positives.length) {
    const score = lowerOf(negatives, i, positives, j);
    const [fromI, fromJ] = [i, j];
    while (i < negatives.length && negatives[i] === score) i += 1;
    while (j < positives.length && positives[j] === score) j += 1;
    const here = j - fromJ;
    const ties = i - fromI + here;
    // Products avoid division.
    if (found * ties < here * count) {
      hits.push(found);
      rows.push(count);
      found = here;
      count = ties;
      continue;
    }
    found += here;
    count += ties;
    // Joined with what is before as long as that does not lie strictly below.
    while (rows.length > 0 && (hits.at(-1) as number) * count >= found * (rows.at(-1) as number)) {
      found += hits.pop() as number;
      count += rows.pop() as number;
    }
  }
  if (count === 0) return null;
  hits.push(found);
  rows.push(count);
  // Where a step begins and ends is told by the rows of each class below its ends.
  let [belowI, belowJ] = [0, 0];
  const steps = rows.map((all, at) => {
    const positive = hits[at] as number;
    const from = lowerOf(negatives, belowI, positives, belowJ);
    belowI += all - positive;
    belowJ += positive;
    const to = Math.max(
      all > positive ? (negatives[belowI - 1] as number) : Number.NEGATIVE_INFINITY,
      positive > 0 ? (positives[belowJ - 1] as number) : Number.NEGATIVE_INFINITY,
    );
    return { from, to, hits: positive, rows: all };
  });
  while (steps.length > MAX_STEPS) joinClosest(steps);
  return steps.map((step) => ({
    from: step.from,
    to: step.to,
    value: step.hits / step.rows,
    rows: step.rows,
  }));
}

/** The lower of the two next scores; infinity behind both ends. */
function lowerOf(negatives: ArrayLike<number>, i: number, positives: ArrayLike<number>, j: number): number {
  const negative = i < negatives.length ? (negatives[i] as number) : Number.POSITIVE_INFINITY;
  const positive = j < positives.length ? (positives[j] as number) : Number.POSITIVE_INFINITY;
  return negative < positive ? negative : positive;
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
