/** An agent whose disk is full: it goes on serving what it served, says why it takes no more, and nothing is half there. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Console } from '../../electron/compose.ts';
import { MODEL, PEOPLE, signIn } from '../support/console.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { type AgentHome, makeAgentHome, openHome } from './harness/home.ts';
import { agentNow } from './harness/inspect.ts';

const NO_DISK = 'this machine does not let a test mount a disk';

describe('an agent on a full disk', () => {
  let directory: string | undefined;
  let disk: SmallDisk;
  let at: AgentHome;
  let opened: Console;
  beforeEach(async (context) => {
    const made = smallDisk(8);
    if (made === null) return context.skip(NO_DISK);
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-agent-full-')));
    disk = made;
    at = await makeAgentHome(directory, { folder: disk.path, limits: { reserveBytes: 65_536 } });
    opened = await openHome(at.home);
  }, 120_000);
  afterEach(async () => {
    await opened?.close();
    await at?.agent.remove();
    disk?.remove();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  });

  test('refuses a push and a rollback with a reason, serves on, and takes both when there is room', async () => {
    const { rollouts, requests } = opened.services;
    const before = await agentNow(opened);
    for (const who of ['ben', 'cleo'] as const)
      await requests.approve(await signIn(opened, who), {
        id: at.home.open,
        passphrase: PEOPLE[who].passphrase,
      });
    const ben = await signIn(opened, 'ben');
    const deploy = async () => {
      const { state } = await rollouts.deploy(ben, { requestId: at.home.open, target: 'production' });
      return (await rollouts.finished(state.id)).state;
    };
    rollouts.start();
    disk.fill();
    expect(await deploy()).toMatchObject({ phase: 'failed', reason: expect.stringContaining('no room') });
    expect(await agentNow(opened)).toEqual(before);
    disk.empty();
    expect(await deploy()).toMatchObject({ phase: 'completed' });
    const after = { generation: before.generation + 1, stable: '1.2.0' };
    expect(await agentNow(opened)).toEqual(after);

    disk.fill();
    const wish = { name: MODEL, target: 'production', to: null };
    await expect(rollouts.rollback(ben, wish)).rejects.toThrow(/disk is full/);
    expect(await agentNow(opened)).toEqual(after);
    // Killed and started again on the full disk it serves what it served.
    await at.agent.kill();
    await at.agent.restart();
    expect(await agentNow(opened)).toEqual(after);
    disk.empty();
    expect((await rollouts.rollback(ben, wish)).version).toBe('1.1.0');
    expect(await agentNow(opened)).toEqual({ generation: after.generation + 1, stable: '1.1.0' });
  }, 120_000);
});
