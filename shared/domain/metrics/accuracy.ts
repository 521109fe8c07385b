import { wilsonInterval } from '../statistics/interval.ts';
import { type Figure, figure, ratio } from './figure.ts';
import type { Confusion } from './report.ts';

/** Share of rows judged right, null for no rows. */
export function accuracyOf({ tn, fp, fn, tp }: Confusion): number | null {
  return ratio(tp + tn, tn + fp + fn + tp);
}

/** Accuracy with Wilson's interval. */
export function accuracy(confusion: Confusion, level?: number): Figure {
  const { tn, fp, fn, tp } = confusion;
  const rows = tn + fp + fn + tp;
  return figure(accuracyOf(confusion), rows, wilsonInterval(tp + tn, rows, level), 'there are no rows');
}
