/** Looks, many times a second, at what the operating system shows of a process and of everything it started. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessWatch {
  /** Arguments and environments of all processes seen, one text each. */
  readonly seen: ReadonlySet<string>;
  /** Process ids whose arguments hold `text`, now. */
  find(text: string): number[];
  stop(): void;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It ended meanwhile.
    return '';
  }
}

/** Linux alone: elsewhere there is no `/proc`. */
export function watchProcesses(root: number): ProcessWatch {
  const seen = new Set<string>();
  const family = (): number[] => {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      // The command's name may hold anything, so the fields are counted from behind it.
      const fields = read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ') ?? [];
      parents.set(Number(name), Number(fields[1]));
    }
    const members = new Set([root]);
    for (let before = 0; before !== members.size; ) {
      before = members.size;
      for (const [pid, parent] of parents) if (members.has(parent)) members.add(pid);
    }
    return [...members];
  };
  const look = (): void => {
    for (const pid of family())
      for (const file of ['cmdline', 'environ']) {
        const text = read(`/proc/${pid}/${file}`);
        if (text !== '') seen.add(text);
      }
  };
  look();
  const timer = setInterval(look, 15);
  return {
    seen,
    find: (text) => family().filter((pid) => read(`/proc/${pid}/cmdline`).includes(text)),
    stop: () => {
      look();
      clearInterval(timer);
    },
  };
}
