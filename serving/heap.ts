/** How the process that speaks HTTP collects its garbage. */
import { setFlagsFromString } from 'node:v8';

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
