import { wilsonInterval } from '../statistics/interval.ts';
import { type Figure, figure, ratio } from './figure.ts';
import type { Confusion } from './report.ts';

/** Share of positives that were flagged (detection rate), null where there are none. */
export function recallOf({ tp, fn }: Confusion): number | null {
  return ratio(tp, tp + fn);
}

/** Recall with Wilson's interval. */
export function recall(confusion: Confusion, level?: number): Figure {
  const positives = confusion.tp + confusion.fn;
  return figure(
    recallOf(confusion),
    positives,
    wilsonInterval(confusion.tp, positives, level),
    'there are no positives',
  );
}
