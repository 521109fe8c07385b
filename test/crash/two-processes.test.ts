/** A window and a command line on one vault: nothing of either is lost, and effects run once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Console } from '../../electron/compose.ts';
import { signIn } from '../support/console.ts';
import { type AgentHome, type Home, makeAgentHome, openHome } from './harness/home.ts';
import { agentNow, inspectHome, recordedEffects } from './harness/inspect.ts';

const CHANGES = 500;
const SCRIPT = join(import.meta.dirname, 'harness', 'changes.ts');

interface Said {
  readonly lock?: boolean;
  readonly environment?: string;
  readonly version?: { readonly name: string; readonly version: string };
}

interface Running {
  readonly child: ChildProcess;
  readonly said: Said[];
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

function start(home: Home, name: string, changes: number): Running {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(home), name, String(changes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: Said[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) said.push(JSON.parse(line) as Said);
  });
  return {
    child,
    said,
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    }),
  };
}

let directory: string;
let at: AgentHome;

beforeAll(async () => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-two-')));
  at = await makeAgentHome(directory);
}, 120_000);
afterAll(async () => {
  await at?.agent.remove();
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

async function withConsole<T>(work: (opened: Console) => Promise<T>): Promise<T> {
  const opened = await openHome(at.home);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

function missing(opened: Console, said: readonly Said[]): Said[] {
  const { read } = opened.vault.store;
  return said.filter(
    ({ environment, version }) =>
      (environment !== undefined && read.environment(environment) === null) ||
      (version !== undefined && read.version(version) === null),
  );
}

async function deploy(opened: Console): Promise<string> {
  const { stable } = await agentNow(opened);
  const { state } = await opened.services.rollouts.deploy(await signIn(opened, 'ben'), {
    requestId: at.home.approved[stable === '1.0.0' ? '1.1.0' : '1.0.0'],
    target: 'production',
  });
  return state.id;
}

describe('two processes on one vault', () => {
  test(`${CHANGES} changes each, with a rollout between them: all kept, one chain, its effects once`, async () => {
    const before = await withConsole(async (opened) => ({
      head: opened.vault.store.read.audit.head()?.seq ?? 0,
      generation: (await agentNow(opened)).generation,
      effects: recordedEffects(opened),
    }));
    const both = [start(at.home, 'window', CHANGES), start(at.home, 'command', CHANGES)];
    // A third, which holds no lock and runs no effect, asks for a rollout: one of the two drives it.
    await expect.poll(() => both.every(({ said }) => said.length > 0), { timeout: 60_000 }).toBe(true);
    expect(both.map(({ said }) => said[0]?.lock).sort()).toEqual([false, true]);
    const id = await withConsole(deploy);
    expect((await Promise.all(both.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([0, 0]);

    await withConsole(async (opened) => {
      const said = both.flatMap((each) => each.said.slice(1));
      expect(said).toHaveLength(2 * CHANGES);
      expect(missing(opened, said)).toEqual([]);
      expect(opened.vault.store.read.rollout(id)?.phase).toBe('completed');
      expect((await agentNow(opened)).generation).toBe(before.generation + 1);
      expect(opened.vault.store.read.audit.head()?.seq).toBeGreaterThanOrEqual(before.head + 2 * CHANGES);
    });
    expect(await inspectHome(at.home, [], before)).toEqual({ lost: [], half: [], orphans: [], unsound: [] });
  }, 240_000);

  test('the one that holds the lock is killed with a rollout under way: the other takes it up, once', async () => {
    const before = await withConsole(async (opened) => ({
      generation: (await agentNow(opened)).generation,
      effects: recordedEffects(opened),
    }));
    const holder = start(at.home, 'holder', 10_000);
    await expect.poll(() => holder.said[0]?.lock, { timeout: 60_000 }).toBe(true);
    const other = start(at.home, 'other', 60);
    await expect.poll(() => other.said[0]?.lock, { timeout: 60_000 }).toBe(false);
    const id = await withConsole(deploy);
    holder.child.kill('SIGKILL');
    expect((await holder.ended).signal).toBe('SIGKILL');
    expect((await other.ended).code).toBe(0);
    await withConsole(async (opened) => {
      expect(missing(opened, [...holder.said, ...other.said])).toEqual([]);
      expect(opened.vault.store.read.rollout(id)?.phase).toBe('completed');
    });
    expect(await inspectHome(at.home, [], before)).toEqual({ lost: [], half: [], orphans: [], unsound: [] });
  }, 240_000);
});
