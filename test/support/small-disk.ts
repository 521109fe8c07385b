/** A disk of a few megabytes that fills up and can be made read-only, for tests that run as root; null elsewhere. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly path: string;
  /** Writes until nothing more fits; `leave` bytes are given back. */
  fill(leave?: number): void;
  /** Gives back what `fill` took. */
  empty(): void;
  readOnly(on: boolean): void;
  /** Bytes still free. */
  free(): number;
  remove(): void;
}

const mount = (...args: string[]): boolean => spawnSync('mount', args).status === 0;

/** Mounts one; null where this machine does not let a test do that. */
export function smallDisk(megabytes: number): SmallDisk | null {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-disk-')));
  if (!mount('-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', path)) {
    rmSync(path, { recursive: true, force: true });
    return null;
  }
  const ballast = join(path, 'ballast');
  const free = (): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    free,
    fill: (leave = 0) => {
      const file = openSync(ballast, 'w');
      try {
        for (let size = free() - leave; size > 0; size = free() - leave)
          writeSync(file, Buffer.alloc(Math.min(size, 1 << 20)));
      } finally {
        closeSync(file);
      }
    },
    empty: () => rmSync(ballast, { force: true }),
    readOnly: (on) => {
      if (!mount('-o', `remount,${on ? 'ro' : 'rw'}`, path)) throw new Error('the disk cannot be remounted');
    },
    remove: () => {
      spawnSync('umount', ['-l', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
