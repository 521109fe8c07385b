/** Watching what work leaves behind for the garbage collector. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** A full collection. */
export const collect = runInNewContext('gc') as () => void;

function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')?.space_used_size ?? 0;
}

/**
 * Bytes a time that `work` leaves in the old generation although nobody holds them: there they stay until a full
 * collection. One that comes on the way makes the figure smaller, never larger.
 */
export function oldGarbage(work: () => void): number {
  const times = 100_000;
  // The compiler's own objects are made before.
  for (let time = 0; time < times / 10; time++) work();
  collect();
  for (let time = 0; time < times; time++) work();
  const left = oldBytes();
  collect();
  return (left - oldBytes()) / times;
}
