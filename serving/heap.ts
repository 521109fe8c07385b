/** How the process that speaks HTTP collects its garbage. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Size of each half of the young generation, in MiB: what the engine would come to by itself under load. */
const HALF = 32;
/** The same of an inference process, in which next to nothing outlives a call. */
const INFERENCE_HALF = 1;

function youngFlags(half: number): readonly string[] {
  return [`--min-semi-space-size=${half}`, `--max-semi-space-size=${half}`];
}

/**
 * With these an inference process keeps the size of its young generation. Left to itself, the engine doubles the halves
 * when some calls under way live through a collection, and makes them small again when it has little to do: between 1 and
 * 4 MiB of the process's 28, at moments nobody can foresee.
 */
export const INFERENCE_FLAGS = youngFlags(INFERENCE_HALF);

/**
 * Starts this process again, as the same process, with a young generation that keeps its size; returns where it has one
 * already, or where that cannot be done (Windows, Electron, a process that its parent talks to). Left to itself, the
 * engine doubles the halves from 1 MiB as requests live through a collection by being under way, and makes them small
 * again in a full collection when it has little to do: the agent's memory then goes up and down by half of itself, for
 * minutes each way. The size is read once, from the command line alone. Call it before anything is opened.
 */
export function keepYoungSize(): void {
  const { execPath, execArgv, argv, env, platform, versions } = process;
  const asked = `${execArgv.join(' ')} ${env.NODE_OPTIONS ?? ''}`;
  // A channel to the parent does not live through it.
  const talks = process.channel != null || 'parentPort' in process;
  if (platform === 'win32' || versions.electron !== undefined || talks || /semi[-_]space/.test(asked)) return;
  process.execve?.(execPath, [execPath, ...youngFlags(HALF), ...execArgv, ...argv.slice(1)], env);
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

export interface YoungGeneration {
  /** The part of it that is in use, from 0 to 1. */
  used(): number;
  collect(): void;
}

type Collect = (options: { readonly type: 'minor' }) => void;

/**
 * The engine's own, which collects it from now on when it is full or asked to; null where it does not let itself be asked.
 * Left to itself, it does so too when four fifths are in use, after what arrived next is read and before that is answered.
 */
export function youngGeneration(): YoungGeneration | null {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('typeof gc === "function" ? gc : null') as Collect | null;
  if (collect === null) return null;
  setFlagsFromString('--no-minor-gc-task');
  return {
    used() {
      const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
      return space ? space.space_used_size / (space.space_used_size + space.space_available_size) : 0;
    },
    collect: () => collect({ type: 'minor' }),
  };
}

/** In use to this part, it is collected as soon as nobody waits: there is little left before the engine has to. */
const DUE = 0.9;
/** Quiet moments to one in which it is looked at, which takes some microseconds. */
const LOOK_EVERY = 4;

/**
 * Collects the young generation while nobody waits for an answer. The engine does so when it is full, which happens where
 * memory is asked for: among many requests at once, all of which wait for it then. On two cores at half load that is four
 * times a second for a millisecond, and a hundredth of all calls.
 */
export class QuietCollector {
  readonly #young: YoungGeneration | null;
  #moments = 0;
  #waiting = false;

  /** null = the engine does it alone. */
  constructor(young: YoungGeneration | null) {
    this.#young = young;
  }

  /** Nobody waits now. `isQuiet` is asked again once what has arrived by then was read. */
  offer(isQuiet: () => boolean): void {
    if (this.#waiting || ++this.#moments < LOOK_EVERY) return;
    this.#moments = 0;
    const young = this.#young;
    if (!young || young.used() < DUE) return;
    this.#waiting = true;
    // The first comes before anything is read.
    setImmediate(() => setImmediate(() => this.#collect(young, isQuiet)));
  }

  #collect(young: YoungGeneration, isQuiet: () => boolean): void {
    this.#waiting = false;
    if (isQuiet()) young.collect();
    // Still due: the next moment will do.
    else this.#moments = LOOK_EVERY;
  }
}
