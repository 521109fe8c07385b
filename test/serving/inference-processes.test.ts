/** The inference processes of a version are killed: the others answer, and new ones come. */
import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { expect, test, vi } from 'vitest';
import { makeRelease } from '../support/release.ts';
import { stage } from './support.ts';

/** Process ids of the agent's inference processes. */
const childrenOf = (pid: number): number[] =>
  // With exit 1 where there is none.
  spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);

// On one core a version has one process.
test.skipIf(availableParallelism() < 2)(
  'given the second process of a version is killed whenever it is started, then another comes later, uncalled for',
  async () => {
    const on = await stage();
    const served = on.serve(makeRelease(on.site));
    const children = () => childrenOf(on.agent.pid);
    const [first = 0] = await vi.waitUntil(
      () => {
        const pids = children();
        return pids.length === 1 && pids;
      },
      { timeout: 30_000, interval: 10 },
    );
    const gone = new Set<number>([first]);
    const second = () => children().find((pid) => !gone.has(pid));
    const givenUp = () => on.agent.log().includes('a version has fewer processes than it might');
    // Each that comes, until none is tried for the moment.
    await vi.waitUntil(
      () => {
        const pid = second();
        if (givenUp()) return true;
        if (pid !== undefined) process.kill(pid, 'SIGKILL');
        if (pid !== undefined) gone.add(pid);
        return false;
      },
      { timeout: 30_000, interval: 10 },
    );
    await served;
    await expect.poll(second).toBeGreaterThan(0);
    expect((await on.predict([1, 1, 1])).status).toBe(200);
  },
);

test('given its processes for a version are killed, then only calls they had may fail, and others take over', async () => {
  const on = await stage();
  await on.serve(makeRelease(on.site));
  const children = () => childrenOf(on.agent.pid);
  // The first answers, and the second comes by and by.
  await expect.poll(children).toHaveLength(Math.min(2, availableParallelism()));
  for (const how of ['all of them', 'one of them']) {
    const gone = how === 'all of them' ? children() : children().slice(0, 1);
    for (const pid of gone) process.kill(pid, 'SIGKILL');
    // One that was handed to a process just before it died is an error of the engine, told as that.
    const answers = await Promise.all(Array.from({ length: 20 }, () => on.predict([1, 1, 1])));
    expect(answers.every((answer) => answer.status === 200 || answer.status === 500)).toBe(true);
    for (let call = 0; call < 3; call++) expect((await on.predict([1, 1, 1])).status).toBe(200);
  }
  // What ends a process in its first runs counts against the model, so each is given time for them.
  const seconds = () =>
    children().map((pid) =>
      Number(execFileSync('ps', ['-o', 'etimes=', '-p', String(pid)], { encoding: 'utf8' })),
    );
  await expect
    .poll(() => seconds().filter((each) => each >= 3), { timeout: 30_000 })
    .toHaveLength(Math.min(2, availableParallelism()));
  // Nobody has to call for it.
  const gone = children();
  for (const pid of gone) process.kill(pid, 'SIGKILL');
  await expect
    .poll(() => children().filter((pid) => !gone.includes(pid)))
    .toHaveLength(Math.min(2, availableParallelism()));
});
