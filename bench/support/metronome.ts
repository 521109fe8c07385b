/**
 * Whether the machine itself kept its pace while something was measured. The cores of a virtual machine may run at a
 * tenth of their speed for some tens of milliseconds: where that takes more than a hundredth of the time, it is the whole
 * p99 of every server. Such rounds are measured again. A core that is taken away whole, for however long, is not seen.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A piece of work that takes so many times as long as usual was not slowed by its neighbours on the machine alone. */
const STEADY = 3;

export interface Metronome {
  /** Rounds so far, and those in which the machine did not keep its pace. */
  readonly rounds: number;
  readonly unsteady: number;
  /** Of those, the ones that count all the same, for none of the tries was steady. */
  readonly kept: number;
  /** `round` until the machine kept its pace in one; after so many tries the one is kept in which it came nearest to it. */
  steady<T>(round: () => Promise<T>, tries?: number): Promise<T>;
  stop(): void;
}

export async function startMetronome(): Promise<Metronome> {
  const child = fork(join(import.meta.dirname, 'metronome-tick.ts'), [], { stdio: ['ignore', 2, 2, 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The metronome ended with ${String(code)}.`);
  });
  // Nobody asks it any more when it is stopped.
  ended.catch(() => {});
  const answer = async (): Promise<number> => {
    const [{ stretch }] = (await Promise.race([once(child, 'message'), ended])) as [
      { readonly stretch: number },
    ];
    return stretch;
  };
  const stretch = (): Promise<number> => {
    child.send('?');
    return answer();
  };
  let rounds = 0;
  let unsteady = 0;
  let kept = 0;
  await answer();
  return {
    get rounds() {
      return rounds;
    },
    get unsteady() {
      return unsteady;
    },
    get kept() {
      return kept;
    },
    async steady(round, tries = 8) {
      let best: { readonly result: Awaited<ReturnType<typeof round>>; readonly by: number } | null = null;
      for (let left = tries; ; left--) {
        await stretch();
        const result = await round();
        rounds++;
        const by = await stretch();
        if (by <= STEADY) return result;
        unsteady++;
        if (!best || by < best.by) best = { result, by };
        if (left > 1) continue;
        kept++;
        return best.result;
      }
    },
    stop: () => {
      if (child.connected) child.disconnect();
    },
  };
}
