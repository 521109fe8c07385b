import { LATENCY_BUCKETS_MS, type TrafficSample, type VersionTraffic } from './sample.ts';

/** What one version did between two readings of the same generation. */
export interface VersionWindow {
  readonly requests: number;
  readonly errors: number;
  readonly latencyCounts: readonly number[];
}

export interface TrafficWindow {
  readonly canary: VersionWindow;
  readonly stable: VersionWindow;
  readonly pairs: number;
  readonly disagreements: number;
}

const NO_COUNTS: readonly number[] = Array.from({ length: LATENCY_BUCKETS_MS.length + 1 }, () => 0);
export const EMPTY_VERSION_WINDOW: VersionWindow = { requests: 0, errors: 0, latencyCounts: NO_COUNTS };
export const EMPTY_WINDOW: TrafficWindow = {
  canary: EMPTY_VERSION_WINDOW,
  stable: EMPTY_VERSION_WINDOW,
  pairs: 0,
  disagreements: 0,
};

function difference(before: VersionTraffic | null, after: VersionTraffic | null): VersionWindow {
  if (after === null) return EMPTY_VERSION_WINDOW;
  // Another version in the slot, or counters that went back (the endpoint restarted): count from zero.
  const base =
    before !== null && before.version === after.version && before.requests <= after.requests ? before : null;
  return {
    requests: after.requests - (base?.requests ?? 0),
    errors: after.errors - (base?.errors ?? 0),
    latencyCounts: NO_COUNTS.map((_, i) => (after.latencyCounts[i] ?? 0) - (base?.latencyCounts[i] ?? 0)),
  };
}

/** Counters are cumulative: the window is the difference; readings of different generations have no common window. */
export function windowBetween(before: TrafficSample | null, after: TrafficSample | null): TrafficWindow {
  if (before === null || after === null || before.generation !== after.generation) return EMPTY_WINDOW;
  const restarted = after.pairs < before.pairs;
  return {
    canary: difference(before.canary, after.canary),
    stable: difference(before.stable, after.stable),
    pairs: after.pairs - (restarted ? 0 : before.pairs),
    disagreements: after.disagreements - (restarted ? 0 : before.disagreements),
  };
}

function addVersions(a: VersionWindow, b: VersionWindow): VersionWindow {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    latencyCounts: a.latencyCounts.map((count, i) => count + (b.latencyCounts[i] ?? 0)),
  };
}

/** Sum over several endpoints. */
export function sumWindows(windows: readonly TrafficWindow[]): TrafficWindow {
  return windows.reduce(
    (sum, w) => ({
      canary: addVersions(sum.canary, w.canary),
      stable: addVersions(sum.stable, w.stable),
      pairs: sum.pairs + w.pairs,
      disagreements: sum.disagreements + w.disagreements,
    }),
    EMPTY_WINDOW,
  );
}

/**
 * Quantile `q` in milliseconds of a latency histogram, linear within the bucket as Prometheus' histogram_quantile
 * does it; the overflow bucket answers the last bound. null when the histogram is empty.
 */
export function latencyQuantile(counts: readonly number[], q: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = q * total;
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? 0;
    if (count > 0 && seen + count >= rank) {
      const upper = LATENCY_BUCKETS_MS[i];
      const lower = i === 0 ? 0 : (LATENCY_BUCKETS_MS[i - 1] ?? 0);
      if (upper === undefined) return lower;
      return lower + (upper - lower) * Math.max(0, (rank - seen) / count);
    }
    seen += count;
  }
  return LATENCY_BUCKETS_MS[LATENCY_BUCKETS_MS.length - 1] ?? null;
}
