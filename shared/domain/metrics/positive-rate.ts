import { wilsonInterval } from '../statistics/interval.ts';
import { type Figure, figure, ratio } from './figure.ts';
import type { Confusion } from './report.ts';

/** Share of rows flagged (anomaly rate); needs no labels. Null for no rows. */
export function positiveRateOf({ tn, fp, fn, tp }: Confusion): number | null {
  return ratio(tp + fp, tn + fp + fn + tp);
}

/** Share of rows flagged with Wilson's interval. */
export function positiveRate(confusion: Confusion, level?: number): Figure {
  const { tn, fp, fn, tp } = confusion;
  const rows = tn + fp + fn + tp;
  return figure(positiveRateOf(confusion), rows, wilsonInterval(tp + fp, rows, level), 'there are no rows');
}
