import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Suites that are quick and share nothing. */
const QUICK = ['architecture', 'unit', 'property', 'contract', 'ipc'] as const;
/** Suites that start processes and servers, or kill them: after the quick ones. */
const HEAVY = ['service', 'cli', 'serving', 'crash'] as const;
/** Windows: nothing else runs beside them, because a frame that comes late is seen. */
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
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    // Tests start hundreds of short processes: their compiled source is kept between them, as a built program would not need.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'sallyport-tests') },
    // More files at a time than a small machine has cores: most of a heavy one is waiting, for processes to start, for
    // traffic to be enough, for a step to have been watched.
    projects: [
      ...QUICK.map((name) => suite(name, 0, 2)),
      ...HEAVY.map((name) => suite(name, 1, 3)),
      ...WINDOWS.map((name) => suite(name, 2, 2)),
    ],
  },
});
