/**
 * Whether the machine itself kept its pace while something was measured. The cores of a virtual machine may run at a
 * tenth of their speed for some tens of milliseconds, all at once: where that takes more than a hundredth of the time, it
 * is the whole p99 of every server. Such rounds are measured again.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A piece of work that takes so many times as long as usual was not slowed by its neighbours on the machine alone. */
const STEADY = 3;
/** Milliseconds: under the same load, where nothing else was amiss, a piece began up to 5 late. */
const LATE_MS = 8;
/** Milliseconds for which the host says that it ran somebody else, of a round of a second. It counts in steps of ten. */
const STOLEN_MS = 5;
/** Of /proc/stat, the same on every Linux of today. */
const MS_BY_JIFFY = 10;

/** What the tick saw since it was asked last. */
export interface Tick {
  /** The slowest piece of work, in times of the usual. */
  readonly stretch: number;
  /** Most milliseconds that a piece began after its time. */
  readonly lateMs: number;
}

export interface Metronome {
  /** Rounds so far, and those in which the machine did not keep its pace. */
  readonly rounds: number;
  readonly unsteady: number;
  /** Of those, the ones that count all the same, for none of the tries was steady. */
  readonly kept: number;
  /**
   * `round` until the machine kept its pace in one; after so many tries the one is kept in which it came nearest to it.
   * `unrest` = what else tells, right after each: up to 1 it was steady.
   */
  steady<T>(round: () => Promise<T>, tries?: number, unrest?: () => Promise<number>): Promise<T>;
  stop(): void;
}

export async function startMetronome(): Promise<Metronome> {
  const child = fork(join(import.meta.dirname, 'metronome-tick.ts'), [], { stdio: ['ignore', 2, 2, 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The metronome ended with ${String(code)}.`);
  });
  // Nobody asks it any more when it is stopped.
  ended.catch(() => {});
  const answer = async (): Promise<Tick> => {
    const [tick] = (await Promise.race([once(child, 'message'), ended])) as [Tick];
    return tick;
  };
  await answer();
  let stolenBefore = stolenMs();
  /** Since it was asked last; up to 1 the machine kept its pace. */
  const unrest = async (): Promise<number> => {
    child.send('?');
    const { stretch, lateMs } = await answer();
    const stolen = stolenMs();
    const stolenNow = stolen - stolenBefore;
    stolenBefore = stolen;
    return Math.max(stretch / STEADY, lateMs / LATE_MS, stolenNow / STOLEN_MS);
  };
  let rounds = 0;
  let unsteady = 0;
  let kept = 0;
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
    async steady(round, tries = 8, told = async () => 0) {
      let best: { readonly result: Awaited<ReturnType<typeof round>>; readonly by: number } | null = null;
      for (let left = tries; ; left--) {
        await unrest();
        const result = await round();
        rounds++;
        const by = Math.max(await unrest(), await told());
        if (by <= 1) return result;
        unsteady++;
        if (!best || by < best.by) best = { result, by };
        if (left > 1) continue;
        kept++;
        return best.result;
      }
    },
    stop() {
      if (child.connected) child.disconnect();
    },
  };
}

/** Of all cores since the machine started, as its host tells; 0 where nobody does. */
function stolenMs(): number {
  if (process.platform !== 'linux') return 0;
  // proc_stat(5): user nice system idle iowait irq softirq steal
  const steal = /^cpu +(?:\d+ ){7}(\d+)/.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '0';
  return Number(steal) * MS_BY_JIFFY;
}
