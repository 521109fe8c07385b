import { defineConfig } from 'vitest/config';

/** Suites that are quick and share nothing: two files at a time. */
const QUICK = ['architecture', 'unit', 'property', 'contract', 'ipc'] as const;
/** Suites that start processes, servers or windows, or kill them: one file at a time, after the quick ones. */
const HEAVY = ['service', 'cli', 'serving', 'crash', 'e2e'] as const;

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
    projects: [...QUICK.map((name) => suite(name, 0, 2)), ...HEAVY.map((name) => suite(name, 1, 1))],
  },
});
