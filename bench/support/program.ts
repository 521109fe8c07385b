/** Where the built program is: benches run what users run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createForkWorker } from '../../electron/adapters/system/fork-worker.ts';
import type { ForkWorker, WorkerEntry } from '../../electron/ports/processes.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** A file of the build. */
export function built(name: string): string {
  const path = join(ROOT, 'out/main', name);
  if (!existsSync(path)) throw new Error(`out/main/${name} is missing: build first, with \`npm run build\`.`);
  return path;
}

/** Built workers; `onStart` is told each process's id. */
export function builtWorkers(
  onStart: (pid: number | undefined, entry: WorkerEntry) => void = () => {},
): ForkWorker {
  const fork = createForkWorker((entry) => built(`${entry}.js`));
  return (entry, options) => {
    const worker = fork(entry, options);
    onStart(worker.pid, entry);
    return worker;
  };
}
