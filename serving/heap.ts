/** How the process that speaks HTTP collects its garbage. */
import { setFlagsFromString } from 'node:v8';

/** Size of each half of the young generation, in MiB: what the engine would come to by itself under load. */
const HALF = 32;
const YOUNG_FLAGS = [`--min-semi-space-size=${HALF}`, `--max-semi-space-size=${HALF}`];

/**
 * Starts this process again, as the same process, with a young generation that keeps its size; returns where it has one
 * already, or where that cannot be done (Windows, Electron, a process that its parent talks to). Left to itself, the engine doubles the halves from 1 MiB as
 * requests live through a collection by being under way, and makes them small again in a full collection when it has
 * little to do: the agent's memory then goes up and down by half of itself, for minutes each way. The size is read once,
 * from the command line alone. Call it before anything is opened.
 */
export function keepYoungSize(): void {
  const { execPath, execArgv, argv, env, platform, versions } = process;
  const asked = `${execArgv.join(' ')} ${env.NODE_OPTIONS ?? ''}`;
  // A channel to the parent does not live through it.
  const talks = process.channel != null || 'parentPort' in process;
  if (platform === 'win32' || versions.electron !== undefined || talks || /semi[-_]space/.test(asked)) return;
  process.execve?.(execPath, [execPath, ...YOUNG_FLAGS, ...execArgv, ...argv.slice(1)], env);
}

/** What may come on top of what was alive after the last full collection, in percent of it. */
const GROWTH = 300;

/**
 * Bodies and answers lie outside of the heap, and count for when it is collected in full. Left to itself, the engine
 * does that after some 15 MB, less than a hundred calls of 1024 rows, and walks all that is alive each time: half of this
 * process's time. The flag is read at each collection, so that it may be set while the process runs.
 */
export function collectLessOften(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
}
