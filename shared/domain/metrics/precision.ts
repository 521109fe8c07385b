import { wilsonInterval } from '../statistics/interval.ts';
import { type Figure, figure, ratio } from './figure.ts';
import type { Confusion } from './report.ts';

/** Share of flagged rows that are positive, null where nothing was flagged. */
export function precisionOf({ tp, fp }: Confusion): number | null {
  return ratio(tp, tp + fp);
}

/** Precision with Wilson's interval. */
export function precision(confusion: Confusion, level?: number): Figure {
  const flagged = confusion.tp + confusion.fp;
  return figure(
    precisionOf(confusion),
    flagged,
    wilsonInterval(confusion.tp, flagged, level),
    'nothing was flagged',
  );
}
