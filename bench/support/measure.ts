import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Linear between neighbours; of one value, that value. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new Error('There is no percentile of nothing.');
  const sorted = [...values].sort((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}

/** Milliseconds that `work` takes, with what it answers. */
export async function timed<T>(work: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
  const started = performance.now();
  const result = await work();
  return { ms: performance.now() - started, result };
}

/**
 * Runs each of several pieces of work `runs` times, alternating, so that a change of the machine's load meets all of
 * them; answers each one's milliseconds. The first round warms caches and is not counted.
 */
export async function sideBySide<K extends string>(
  runs: number,
  pieces: Readonly<Record<K, () => unknown>>,
): Promise<Record<K, number[]>> {
  const names = Object.keys(pieces) as K[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, number[]>;
  for (let run = -1; run < runs; run++) {
    for (const name of names) {
      const { ms } = await timed(() => pieces[name]());
      if (run >= 0) times[name].push(ms);
    }
  }
  return times;
}

/** p99 and maximum of this process's event-loop delay while `work` runs, in milliseconds. */
export async function eventLoopDelay<T>(
  work: () => Promise<T>,
): Promise<{ p99: number; max: number; result: T }> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  try {
    const result = await work();
    // Nanoseconds.
    return { p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6, result };
  } finally {
    histogram.disable();
  }
}

/** Highest resident memory a process ever had, in bytes; null where the system does not tell (only Linux does). */
export function peakRss(pid: number): number | null {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line?.[1] === undefined ? null : Number(line[1]) * 1024;
  } catch {
    return null;
  }
}

/** Resident memory of a process now, in bytes; null where the system does not tell. */
export function currentRss(pid: number | undefined): number | null {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line?.[1] === undefined ? null : Number(line[1]) * 1024;
  } catch {
    return null;
  }
}

/**
 * Memory of a process's own now (heap and stacks, not files it has mapped), in bytes; null where the system does not
 * tell. Mapped files come and go with what the rest of the machine needs.
 */
export function anonymousRss(pid: number | undefined): number | null {
  try {
    const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line?.[1] === undefined ? null : Number(line[1]) * 1024;
  } catch {
    return null;
  }
}

/** Lets `peakRss` begin anew from what a process has now, where the system can; else it stays the peak of all time. */
export function resetPeakRss(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // A peak that is too high makes a figure worse, never better.
  }
}

/** Follows a process's peak memory until stopped: the peak is gone with the process, so it is read while it lives. */
export function watchPeakRss(): { follow(pid: number | undefined): void; stop(): number | null } {
  let pid: number | undefined;
  let peak: number | null = null;
  const look = (): void => {
    const seen = pid === undefined ? null : peakRss(pid);
    if (seen !== null) peak = Math.max(peak ?? 0, seen);
  };
  const timer = setInterval(look, 10);
  return {
    follow: (next) => {
      look();
      pid = next;
    },
    stop: () => {
      look();
      clearInterval(timer);
      return peak;
    },
  };
}
