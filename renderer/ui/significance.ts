/** Intervals, chances and differences in words, so that a reader needs no statistics to judge them. */
import type { Interval } from '../../shared/domain/evidence/interval.ts';
import { formatCount, formatMs } from './format.ts';
import { formatMetricValue, higherIsBetter } from './metrics.ts';

/** `p < 0.001`, `p = 0.043`. */
export function chanceText(p: number): string {
  if (p < 0.001) return 'p < 0.001';
  return `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

/** `0.9712 to 0.9820`. */
export function intervalText(metric: string, interval: Interval): string {
  const end = (value: number): string => formatMetricValue(metric, value).replace('-', '−');
  return `${end(interval.low)} to ${end(interval.high)}`;
}

/** `0.971–0.982`, where there is little room; the whole is in the tooltip. */
export function intervalShort({ low, high }: Interval): string {
  const end = (value: number): string => (Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3));
  return `${end(low)}–${end(high)}`.replaceAll('-', '−');
}

/** `95 % interval 0.9712 to 0.9820 (Wilson), n = 12,480`, for a tooltip. */
export function intervalHelp(metric: string, interval: Interval | undefined, n: number | null): string {
  const rows = n === null ? '' : `n = ${formatCount(n)}`;
  if (interval === undefined) return rows;
  const method =
    interval.method === 'delong' ? 'DeLong' : interval.method === 'wilson' ? 'Wilson' : interval.method;
  const percent = Number((interval.level * 100).toFixed(2));
  return `${percent} % interval ${intervalText(metric, interval)} (${method})${rows === '' ? '' : `, ${rows}`}`;
}

export interface Difference {
  readonly metric: string;
  /** Challenger minus champion. */
  readonly delta: number | null;
  /** Of challenger minus champion. */
  readonly interval: Interval | undefined;
  /** A test of this difference, where one was made. */
  readonly test?: { readonly name: string; readonly p: number } | null;
}

export type Judgement = 'better' | 'worse' | 'chance' | 'same' | 'unknown';

/** Digits a difference is written with: as many as show it. */
function shortly(metric: string, value: number): string {
  if (metric.startsWith('latency_')) return formatMs(value);
  return Math.abs(value) < 0.0005 && value !== 0 ? value.toFixed(5) : value.toFixed(3);
}

/** Whether a difference stands above chance: its interval leaves out zero. Without an interval only its size counts. */
export function judgeDifference({ metric, delta, interval }: Difference): Judgement {
  if (delta === null) return 'unknown';
  if (interval !== undefined && interval.low <= 0 && interval.high >= 0)
    return delta === 0 ? 'same' : 'chance';
  if (Math.abs(delta) < 0.00005) return 'same';
  return delta > 0 === higherIsBetter(metric) ? 'better' : 'worse';
}

/** `0.021 better, 95 % interval 0.012 to 0.030, McNemar p < 0.001`. */
export function differenceText(difference: Difference): string {
  const { metric, delta, interval, test } = difference;
  if (delta === null) return 'not measured';
  const better = delta > 0 === higherIsBetter(metric);
  const size =
    Math.abs(delta) < 0.000005
      ? 'no difference'
      : `${shortly(metric, Math.abs(delta))} ${better ? 'better' : 'worse'}`;
  const parts = [size];
  if (interval !== undefined) {
    // Turned so that the ends read in the direction of the word before them.
    const [low, high] = delta >= 0 ? [interval.low, interval.high] : [-interval.high, -interval.low];
    const percent = Number((interval.level * 100).toFixed(2));
    parts.push(
      `${percent} % interval ${shortly(metric, low)} to ${shortly(metric, high)}`.replaceAll('-', '−'),
    );
  }
  if (test !== undefined && test !== null) parts.push(`${test.name} ${chanceText(test.p)}`);
  const judgement = judgeDifference(difference);
  return `${parts.join(', ')}${judgement === 'chance' ? ': may be chance' : ''}`;
}
