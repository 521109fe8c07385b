import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { call, type SallyportBridge } from '../../../renderer/api/bridge.ts';
import { applyRollout } from '../../../renderer/api/live.ts';
import { createQueryClient } from '../../../renderer/api/queries.ts';
import { areaOf, queryKey, staleAreas } from '../../../renderer/api/topics.ts';
import { ROOMS, roomOf } from '../../../renderer/app/rooms.ts';
import { CHANNEL_NAMES } from '../../../shared/contract/channel-names.ts';
import { topicSchema } from '../../../shared/contract/channels.ts';
import * as data from '../../support/renderer-data.ts';
import { createFakeBridge, FAKE_RECOVERY_KEY } from '../../support/renderer-fake.ts';

const now = Date.parse('2026-06-01T12:00:00Z');
const world = globalThis as { sallyport?: SallyportBridge };
function openWindow(options: Partial<Parameters<typeof createFakeBridge>[0]> = {}) {
  const bridge = createFakeBridge({
    vault: 'open',
    operator: 'grace',
    sample: true,
    empty: false,
    now,
    jobMs: 0,
    ...options,
  });
  world.sallyport = bridge;
  return bridge;
}
afterEach(() => {
  delete world.sallyport;
});

describe('a call', () => {
  it('answers the value, or throws the wire error with its code and hint', async () => {
    openWindow();
    expect((await call('session.status', {})).operator?.name).toBe('grace');
    await expect(call('models.get', { name: 'nothing', version: '1.0.0' })).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('Nothing was changed'),
    });
  });
  it('outside the program’s window says so instead of failing somewhere', async () => {
    await expect(call('session.status', {})).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringContaining('outside'),
    });
  });
  it('reports progress until it is cancelled, and is then an error of its own kind', async () => {
    const bridge = openWindow({ jobMs: 200 });
    const phases: number[] = [];
    bridge.on('job.progress', (report) => {
      phases.push(report.done);
      if (phases.length === 3) void call('jobs.cancel', { jobId: report.jobId });
    });
    await expect(call('models.verify', { ref: null, jobId: 'job-1' })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(phases.length).toBeGreaterThanOrEqual(3);
    expect(phases.length).toBeLessThan(21);
  });
  it('creating a vault answers the recovery key once', async () => {
    openWindow({ vault: 'absent', operator: null });
    expect(
      (
        await call('vault.create', {
          operator: 'ada',
          person: 'Ada',
          operatorPassphrase: 'p',
          keys: { kind: 'keychain' },
        })
      ).recoveryKey,
    ).toBe(FAKE_RECOVERY_KEY);
    expect((await call('session.status', {})).vault).toBe('open');
  });
});

describe('the records the screens are drawn from in tests', () => {
  it('pass the contract’s schemas on every list and page', async () => {
    openWindow();
    for (const empty of [false, true]) {
      openWindow({ empty });
      const lists = [
        call('overview.get', {}),
        call('models.list', { text: '', limit: 10, offset: 0 }),
        call('validation.list', { ref: null }),
        call('comparison.list', { ref: null }),
        call('operators.list', {}),
        call('environments.list', {}),
        call('requests.list', {}),
        call('endpoints.list', {}),
        call('rollouts.list', {}),
        call('audit.list', { before: null, limit: 50, text: '' }),
      ] as const;
      await expect(Promise.all(lists)).resolves.toHaveLength(10);
    }
  });
});

describe('the cache', () => {
  it('refetches at least its own area for every topic, and the overview for what it shows', () => {
    for (const topic of topicSchema.options)
      expect(staleAreas([topic]), topic).toContain(topic === 'operators' ? 'operators' : topic);
    for (const topic of ['models', 'requests', 'rollouts', 'endpoints', 'audit'] as const)
      expect(staleAreas([topic])).toContain('overview');
    expect(staleAreas([])).toEqual([]);
  });
  it('keys every channel by its area, so that an area goes stale as a whole', () => {
    for (const channel of CHANNEL_NAMES) expect(queryKey(channel, {})[0]).toBe(areaOf(channel));
  });
  it('takes a pushed rollout into the page and the list without asking again', () => {
    const client = createQueryClient();
    const before = data.rollout({ now }, 'ro-1', '1.2.0', 'stepping', 0, 3);
    const other = data.rollout({ now }, 'ro-2', '1.1.0', 'completed', 2, 90);
    client.setQueryData(queryKey('rollouts.list', {}), [other, before]);
    const after = { ...before, state: { ...before.state, step: 1 } };
    applyRollout(client, after);
    expect(client.getQueryData(queryKey('rollouts.get', { id: 'ro-1' }))).toBe(after);
    expect(client.getQueryData(queryKey('rollouts.list', {}))).toEqual([other, after]);
  });
});

describe('the rooms', () => {
  it('have a key each, and a page below one still shows which room it is in', () => {
    expect(new Set(ROOMS.map((room) => room.key)).size).toBe(ROOMS.length);
    expect(ROOMS.some((room) => room.key === 'g')).toBe(false);
    expect(roomOf('/models/phish/1.0.0')?.path).toBe('/models');
    expect(roomOf('/modelsmith')).toBeUndefined();
  });
});

describe('the imports of the window', () => {
  const root = new URL('../../../renderer/', import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.tsx?$/.test(file),
  );
  it('reach Chart.js only in the charts room, so that the first paint never waits for it', () => {
    const offenders = files.filter(
      (file) =>
        !file.startsWith('charts') &&
        /from '(chart\.js|react-chartjs-2|chartjs-plugin-[a-z]+)/.test(
          readFileSync(new URL(file, root), 'utf8'),
        ),
    );
    expect(offenders).toEqual([]);
  });
  it('hold no inline script in the document', () => {
    expect(readFileSync(new URL('index.html', root), 'utf8')).not.toMatch(/<script(?![^>]*\bsrc=)/);
  });
});
