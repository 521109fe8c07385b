import type { Interval } from '../evidence/interval.ts';
import { DEFAULT_LEVEL, wilsonInterval } from '../statistics/interval.ts';
import { type Figure, figure } from './figure.ts';
import type { Confusion } from './report.ts';

/** Mean of recall and specificity, null where a class is missing. */
export function balancedAccuracyOf({ tn, fp, fn, tp }: Confusion): number | null {
  return tp + fn === 0 || tn + fp === 0 ? null : (tp / (tp + fn) + tn / (tn + fp)) / 2;
}

/**
 * Balanced accuracy. Its interval puts together those of recall and specificity, which rest on different rows, by the
 * method of variance estimates recovery (Zou and Donner 2008).
 */
export function balancedAccuracy(confusion: Confusion, level = DEFAULT_LEVEL): Figure {
  const { tn, fp, fn, tp } = confusion;
  const value = balancedAccuracyOf(confusion);
  const hits = wilsonInterval(tp, tp + fn, level);
  const clean = wilsonInterval(tn, tn + fp, level);
  let interval: Interval | null = null;
  if (value !== null && hits !== null && clean !== null) {
    const recall = tp / (tp + fn);
    const specificity = tn / (tn + fp);
    interval = {
      low: value - Math.hypot(recall - hits.low, specificity - clean.low) / 2,
      high: value + Math.hypot(hits.high - recall, clean.high - specificity) / 2,
      level,
      method: 'wilson',
    };
  }
  return figure(value, tn + fp + fn + tp, interval, 'a class is missing');
}
