import { defineConfig } from 'vitest/config';

/** Suites that are quick and share nothing: two files at a time. */
const QUICK = ['architecture', 'unit', 'property', 'contract', 'ipc'] as const;
/** Suites that start processes and servers, or kill them: after the quick ones. */
const HEAVY = ['service', 'cli', 'serving', 'crash'] as const;
/** Windows: one file at a time, alone on the machine, because a frame that comes late is seen. */
const WINDOWS = ['e2e'] as const;

const suite = (name: string, order: number, workers: number) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.{ts,tsx}`],
    maxWorkers: workers,
    sequence: { groupOrder: order },
  },
});

export default defineConfig({
  test: {
    // Deadlines against a hang, not measurements: nothing is asserted about time.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    projects: [
      ...QUICK.map((name) => suite(name, 0, 2)),
      ...HEAVY.map((name) => suite(name, 1, 2)),
      ...WINDOWS.map((name) => suite(name, 2, 1)),
    ],
  },
});
