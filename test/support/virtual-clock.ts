import { setImmediate as turn } from 'node:timers/promises';
import { createSystem } from '../../electron/adapters/system/system.ts';
import type { System } from '../../electron/ports/system.ts';

export interface VirtualClock {
  readonly system: System;
  now(): number;
  /** Lets so many milliseconds pass without anybody asleep being woken in between. */
  skip(ms: number): void;
}

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/**
 * Time that passes only while somebody sleeps, and then at once: who sleeps longest wakes last. A rollout that bakes
 * for ten minutes takes as long as its work.
 */
export function virtualClock(start = Date.parse('2026-01-01T00:00:00.000Z')): VirtualClock {
  let now = start;
  let running = false;
  const sleepers = new Set<Sleeper>();

  async function run(): Promise<void> {
    running = true;
    while (sleepers.size > 0) {
      // Work that is under way (files, answers) comes first, as far as one turn of the loop can tell.
      await turn();
      await turn();
      const [next] = [...sleepers].sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      sleepers.delete(next);
      now = Math.max(now, next.at);
      next.wake();
    }
    running = false;
  }

  return {
    now: () => now,
    skip: (ms) => {
      now += ms;
    },
    system: {
      ...createSystem(),
      now: () => new Date(now),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const sleeper = { at: now + ms, wake: resolve };
          sleepers.add(sleeper);
          signal?.addEventListener(
            'abort',
            () => {
              sleepers.delete(sleeper);
              reject(signal.reason);
            },
            { once: true },
          );
          if (!running) void run();
        }),
    },
  };
}
