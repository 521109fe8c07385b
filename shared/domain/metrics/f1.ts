import { DEFAULT_LEVEL, wilsonInterval } from '../statistics/interval.ts';
import { type Figure, figure, ratio } from './figure.ts';
import type { Confusion } from './report.ts';

/**
 * 2tp/(2tp + fp + fn): 0 for a detector that finds nothing, and null only where there is nothing to find and nothing
 * was flagged.
 */
export function f1Of({ tp, fp, fn }: Confusion): number | null {
  return ratio(2 * tp, 2 * tp + fp + fn);
}

/**
 * F1. It rises with J = tp/(tp + fp + fn), a plain rate among the rows that are positive or flagged: F1 = 2J/(1 + J).
 * So Wilson's interval of J, carried over, is one of F1.
 */
export function f1(confusion: Confusion, level = DEFAULT_LEVEL): Figure {
  const { tp, fp, fn } = confusion;
  const rows = tp + fp + fn;
  const jaccard = wilsonInterval(tp, rows, level);
  const carried = (j: number): number => (2 * j) / (1 + j);
  return figure(
    f1Of(confusion),
    rows,
    jaccard && { ...jaccard, low: carried(jaccard.low), high: carried(jaccard.high) },
    'no row is positive or flagged',
  );
}
