import { percentileInterval } from '../statistics/interval.ts';
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
 * MCC with a bootstrap interval of the four cells, where randomness is given. An empty cell is resampled as half a row,
 * or a detector without errors would look certain.
 */
export function mcc(confusion: Confusion, random?: Random, level?: number): Figure {
  const { tn, fp, fn, tp } = confusion;
  const value = mccOf(confusion);
  let interval = null;
  if (value !== null && random !== undefined) {
    const draw = (count: number): number => random.poisson(count === 0 ? 0.5 : count);
    const replicates = new Float64Array(REPLICATES);
    for (let at = 0; at < REPLICATES; at += 1)
      replicates[at] = mccOf({ tn: draw(tn), fp: draw(fp), fn: draw(fn), tp: draw(tp) }) ?? Number.NaN;
    interval = percentileInterval(replicates, 0, level);
  }
  return figure(value, tn + fp + fn + tp, interval, 'a class is missing, or everything was judged alike');
}
