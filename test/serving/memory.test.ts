/** What a running agent keeps of the calls it answered. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

const MIB = 1024 * 1024;
const CALLS = 6000;
/** Bytes a call. What the compiler makes meanwhile is about 25; a request's id kept in a set is about 90 more. */
const MOST_KEPT = 60;
/** Both halves. */
const YOUNG_MIB = 64;

async function watched(): Promise<Stage> {
  const collector = pathToFileURL(join(import.meta.dirname, '../support/collect-on-signal.mjs'));
  const site = makeSite();
  const agent = await startAgent({
    ...site,
    env: async () => ({ NODE_OPTIONS: `--expose-gc --import ${collector.href}` }),
  });
  onTestFinished(() => agent.remove());
  const on = await onAgent(site, agent);
  await on.serve(makeRelease(site));
  return on;
}

async function scrape({ agent }: Stage): Promise<(metric: string) => number> {
  const headers = { authorization: `Bearer ${agent.token}` };
  const text = await (await fetch(`${agent.predictUrl}/metrics`, { headers })).text();
  return (metric) => {
    const line = text.split('\n').find((each) => each.startsWith(`${metric} `));
    return Number(line?.slice(metric.length + 1) ?? Number.NaN);
  };
}

/** By several callers at a time, with a scrape now and then. */
async function answer(on: Stage, calls: number): Promise<void> {
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      if (left % 100 === 0) await scrape(on);
      expect((await on.predict([left, 1, 1])).status).toBe(200);
    }
  };
  await Promise.all(Array.from({ length: 16 }, caller));
}

/** Bytes of the heap that somebody holds. */
async function held({ agent }: Stage): Promise<number> {
  const told = (): RegExpExecArray[] => [...agent.log().matchAll(/^\{"held":(\d+)\}$/gm)];
  const before = told().length;
  process.kill(agent.pid, 'SIGUSR2');
  await vi.waitUntil(() => told().length > before, { timeout: 30_000 });
  return Number(told().at(-1)?.[1]);
}

// Neither the signal nor a second start of the same process is to be had on Windows.
test.skipIf(process.platform === 'win32')(
  'given thousands of calls were answered, then nothing of them is kept, and the room for them is what it was',
  async () => {
    const on = await watched();
    const young = async (): Promise<number> =>
      (await scrape(on))('nodejs_heap_space_size_total_bytes{space="new"}') / MIB;
    await answer(on, CALLS / 2);
    const before = await held(on);
    await answer(on, CALLS);
    expect(((await held(on)) - before) / CALLS).toBeLessThan(MOST_KEPT);
    // The engine would have made it small, and let it grow again by and by.
    await answer(on, CALLS / 4);
    expect(await young()).toBe(YOUNG_MIB);
  },
);

test('given its parent talks to it, then it stays the process that the parent knows', async () => {
  const agent = await startAgent(makeSite());
  onTestFinished(() => agent.remove());
  await agent.stop();
  const entry = join(import.meta.dirname, '../../serving/index.ts');
  const child = fork(entry, ['run', '--config', agent.configFile], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [first] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  expect(JSON.parse(String(first))).toMatchObject({ event: 'ready', pid: child.pid });
  expect(child.connected).toBe(true);
});
