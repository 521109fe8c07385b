import type { Interval } from '../evidence/interval.ts';
import { DEFAULT_LEVEL, percentileInterval } from '../statistics/interval.ts';
import type { Random } from '../statistics/random.ts';
import { REPLICATES } from './bootstrap.ts';
import { type Figure, figure, ratio } from './figure.ts';
import type { Confusion } from './report.ts';

/** Matthews' correlation coefficient, null where a row or column of the matrix is empty. */
export function mccOf({ tn, fp, fn, tp }: Confusion): number | null {
  // Four square roots: the product of the four margins passes 2^53 at a few thousand rows.
  const margins = Math.sqrt(tp + fp) * Math.sqrt(tp + fn) * Math.sqrt(tn + fp) * Math.sqrt(tn + fn);
  return ratio(tp * tn - fp * fn, margins);
}

/**
 * MCC with an interval where randomness is given: the Bayesian bootstrap (Rubin 1981) of the four cells, each with half
 * a row of prior, so that a detector without errors on a few rows does not look certain.
 */
export function mcc(confusion: Confusion, random?: Random, level = DEFAULT_LEVEL): Figure {
  const { tn, fp, fn, tp } = confusion;
  const value = mccOf(confusion);
  let interval: Interval | null = null;
  if (value !== null && random !== undefined) {
    const draw = (count: number): number => random.gamma(count + 0.5);
    const replicates = new Float64Array(REPLICATES);
    for (let at = 0; at < REPLICATES; at += 1)
      replicates[at] = mccOf({ tn: draw(tn), fp: draw(fp), fn: draw(fn), tp: draw(tp) }) ?? Number.NaN;
    const drawn = percentileInterval(replicates, 0, level);
    // At 1 or -1 every draw lies inside.
    interval = drawn && { ...drawn, low: Math.min(drawn.low, value), high: Math.max(drawn.high, value) };
  }
  return figure(value, tn + fp + fn + tp, interval, 'a class is missing, or everything was judged alike');
}
