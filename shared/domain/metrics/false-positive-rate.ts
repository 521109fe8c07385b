import { wilsonInterval } from '../statistics/interval.ts';
import { type Figure, figure, ratio } from './figure.ts';
import type { Confusion } from './report.ts';

/** Share of negatives that were flagged (false alarms), null where there are none. */
export function falsePositiveRateOf({ fp, tn }: Confusion): number | null {
  return ratio(fp, fp + tn);
}

/** False-positive rate with Wilson's interval. */
export function falsePositiveRate(confusion: Confusion, level?: number): Figure {
  const negatives = confusion.fp + confusion.tn;
  return figure(
    falsePositiveRateOf(confusion),
    negatives,
    wilsonInterval(confusion.fp, negatives, level),
    'there are no negatives',
  );
}
