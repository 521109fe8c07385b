import type { z } from 'zod';
import { SallyportError } from '../errors.ts';
import type { latencySchema } from './report.ts';

export type Latency = z.infer<typeof latencySchema>;

/**
 * Nearest-rank percentile of ascending values: the smallest one that at least `percent` % of them do not exceed.
 * Always a value that was measured, never an interpolation between two.
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  if (sorted.length === 0)
    throw new SallyportError('input.invalid', 'There is no percentile of no measurements.');
  // 0.95 × 20 is 19.000000000000004 in doubles: rounded before the ceiling.
  const rank = Math.ceil(Number(((percent / 100) * sorted.length).toFixed(9)));
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] ?? Number.NaN;
}

/** p50, p95 and p99 of latencies in milliseconds, by nearest rank. The samples are not changed. */
export function latencyOf(samplesMs: ArrayLike<number>): Latency {
  const sorted = Float64Array.from(samplesMs);
  for (const sample of sorted)
    if (!(sample >= 0 && Number.isFinite(sample)))
      throw new SallyportError('input.invalid', `A latency of ${sample} ms is none.`);
  sorted.sort();
  return {
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
    samples: sorted.length,
  };
}
