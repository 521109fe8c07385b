/** Workers of a process that was killed: they end by themselves, when they see that nobody listens. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { temporaryOwner } from '../../../shared/node/files/files.ts';

/** Longest time they may live on, in milliseconds. */
const END_MS = 20_000;

/** Resolves when all have ended; answers those that have not in time, in words. */
export async function workersEnd(pids: readonly number[]): Promise<string[]> {
  await until(() => !pids.some(isRunning));
  return pids.filter(isRunning).map((pid) => `the worker ${pid} outlived its program`);
}

/**
 * An ended process that nobody has waited for yet still has its number, and its files are not swept. Waits for the
 * system to forget those that left a file below `folder`: the next start comes later than some milliseconds.
 */
export async function forgotten(pids: readonly number[], folder: string): Promise<void> {
  const owners = new Set(
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => temporaryOwner(basename(name))),
  );
  const left = pids.filter((pid) => owners.has(pid));
  await until(() => !left.some((pid) => existsSync(`/proc/${pid}`)));
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + END_MS;
  while (!holds() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A process that ended and that nobody waits for counts as ended. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
