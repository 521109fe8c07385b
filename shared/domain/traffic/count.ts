import { LATENCY_BUCKETS_MS, type VersionTraffic } from './sample.ts';

/** Counters of one version while they are being counted; `snapshot` makes the reading. */
export interface VersionCounter {
  readonly version: string;
  requests: number;
  errors: number;
  readonly latencyCounts: number[];
}

export function startCounting(version: string): VersionCounter {
  return { version, requests: 0, errors: 0, latencyCounts: new Array(LATENCY_BUCKETS_MS.length + 1).fill(0) };
}

/** The bucket whose upper bound is the first at or above `ms`; the last one is the overflow. */
export function latencyBucket(ms: number): number {
  let index = 0;
  while (index < LATENCY_BUCKETS_MS.length && ms > (LATENCY_BUCKETS_MS[index] ?? 0)) index++;
  return index;
}

/** Counts one answered request. A failed one has no latency worth comparing: it is in `errors` only. */
export function countRequest(counter: VersionCounter, ms: number, failed: boolean): void {
  counter.requests++;
  if (failed) {
    counter.errors++;
    return;
  }
  const bucket = latencyBucket(ms);
  counter.latencyCounts[bucket] = (counter.latencyCounts[bucket] ?? 0) + 1;
}

export function snapshot(counter: VersionCounter | null): VersionTraffic | null {
  return counter && { ...counter, latencyCounts: [...counter.latencyCounts] };
}
