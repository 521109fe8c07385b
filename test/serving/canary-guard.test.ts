/** An agent left alone with a canary: its guards and its lease count, over real sockets, through a kill. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CanaryWatch } from '../../serving/canary-watch.ts';
import { liveModel, trafficOf } from '../../serving/live-model.ts';
import type { ModelRouting } from '../../shared/domain/endpoint/routing.ts';
import { DEFAULT_GUARDS, type Guards, type Lease } from '../../shared/domain/rollout/plan.ts';
import { countRequest } from '../../shared/domain/traffic/count.ts';
import type { TrafficSample } from '../../shared/domain/traffic/sample.ts';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeSite, type Site, thresholdModel } from '../support/release.ts';
import { plan } from '../support/rollout.ts';
import { onAgent, type Stage } from './support.ts';

let site: Site;
let on: Stage;
beforeAll(async () => {
  site = makeSite();
  on = await onAgent(site, await startAgent({ ...site, limits: { guardMs: 20 } }));
});
afterAll(async () => {
  await on.client.close();
  await on.agent.remove();
});

const GUARDS: Guards = { ...DEFAULT_GUARDS, maxP95Ratio: null, minimumRequests: 10, minimumPairs: 10 };
const LONG: Lease = { ms: 3_600_000, after: 'roll-back' };

/** A model with 1.0.0 stable and 1.1.0 as its canary, whose signed plan this is. */
async function canaryOf(name: string, plan: { guards?: Partial<Guards>; lease?: Lease }, percent = 100) {
  const first = makeRelease(site, { name, version: '1.0.0', serial: 1, model: thresholdModel(0.5) });
  const second = makeRelease(site, {
    name,
    version: '1.1.0',
    serial: 2,
    model: thresholdModel(5),
    plan: { guards: { ...GUARDS, ...plan.guards }, lease: plan.lease ?? LONG },
  });
  await on.serve(first);
  await on.client.push(second, () => {});
  const wish = {
    key: `${name}-canary`,
    expectedGeneration: 1,
    stableRoot: first.root,
    canary: { root: second.root, percent, mirrorSample: 1, salt: 'a-plan-salt' },
  };
  await on.client.route(name, wish);
  return { first, second, wish };
}

const traffic = (name: string): Promise<TrafficSample> => on.client.traffic(name);
const untilMoved = async (name: string): Promise<TrafficSample> => {
  for (;;) {
    const sample = await traffic(name);
    if (sample.moved) return sample;
  }
};
/** [1,1,1] is answered 1 by stable and 0 by the canary; [0,0,0] alike. */
const ask = (model: string, features: number[]) => on.predict(features, { model });

test('given answers that differ from stable’s, then the canary is out without the console, with the measurement that says why', async () => {
  const { wish } = await canaryOf('phish', {});
  expect((await ask('phish', [1, 1, 1])).body.model_version).toBe('1.1.0');
  while (!(await traffic('phish')).moved) await ask('phish', [1, 1, 1]);
  const { moved, generation } = await untilMoved('phish');
  expect(generation).toBe(3);
  expect(moved).toMatchObject({ kind: 'guard', from: 2, version: '1.1.0' });
  expect(moved?.reason).toContain('disagreement');
  expect(moved?.measurements).toMatchObject([
    { guard: 'error-rate', outcome: 'pass' },
    { guard: 'disagreement', outcome: 'breach', limit: 0.05 },
  ]);
  expect((await ask('phish', [1, 1, 1])).body.model_version).toBe('1.0.0');
  // Only the console goes forward again, and with what it knows by now.
  await expect(on.client.route('phish', { ...wish, key: 'on', expectedGeneration: 2 })).rejects.toMatchObject(
    { code: 'endpoint.stale' },
  );

  await on.agent.kill();
  await on.agent.restart();
  expect((await traffic('phish')).moved).toEqual(moved);
  const again = await on.client.route('phish', { ...wish, key: 'again', expectedGeneration: 3 });
  expect(again.model).toMatchObject({ generation: 4, canary: { version: '1.1.0' }, moved: null });
});

test('given the guard is off in the signed plan, or answers agree, then the canary stays', async () => {
  await canaryOf('off', { guards: { maxDisagreement: null } });
  await canaryOf('agreeing', {});
  for (let call = 0; call < 30; call++) {
    await ask('off', [1, 1, 1]);
    await ask('agreeing', [0, 0, 0]);
  }
  for (const name of ['off', 'agreeing']) {
    let sample = await traffic(name);
    while (sample.pairs + sample.pairsDropped < 30) sample = await traffic(name);
    expect(sample).toMatchObject({ generation: 2, moved: null, canary: { version: '1.1.0' } });
  }
});

test('given nobody renews the lease, then the plan decides: back, or hold at the percent it has', async () => {
  await canaryOf('left', { lease: { ms: 1000, after: 'roll-back' } });
  await canaryOf('holding', { lease: { ms: 1000, after: 'hold' } }, 30);
  const { moved, canary, generation } = await untilMoved('left');
  expect({ generation, canary }).toEqual({ generation: 3, canary: null });
  expect(moved).toMatchObject({ kind: 'lease', from: 2, version: '1.1.0', measurements: [] });
  expect((await ask('left', [1, 1, 1])).body.model_version).toBe('1.0.0');

  await expect.poll(() => on.agent.log(), { timeout: 30_000 }).toContain('the canary holds where it is');
  const held = (await on.client.models()).find((model) => model.name === 'holding');
  expect(held).toMatchObject({ generation: 2, canary: { percent: 30 }, moved: null });
});

test('given a lease is renewed at its own generation, then it is later; by a stale view it is not', async () => {
  await canaryOf('driven', { lease: { ms: 60_000, after: 'roll-back' } });
  const stale = await on.client.renew('driven', 1);
  expect(stale).toMatchObject({ generation: 2, canary: { version: '1.1.0' } });
  const first = await on.client.renew('driven', 2);
  let second = await on.client.renew('driven', 2);
  while (second.leaseUntil === first.leaseUntil) second = await on.client.renew('driven', 2);
  expect(Date.parse(second.leaseUntil ?? '')).toBeGreaterThan(Date.parse(first.leaseUntil ?? ''));
  expect((await traffic('driven')).leaseUntil).toBe(second.leaseUntil);
});

test('given a look and a renewal meet while the plan is read, then the lease that was given stands', async () => {
  const root = 'e'.repeat(64);
  const until = new Date(1_000_000).toISOString();
  const routing: ModelRouting = {
    name: 'met',
    generation: 2,
    stable: null,
    previous: null,
    canary: {
      ...{ version: '1.1.0', digest: root, root, percent: 10, mirrorSample: 0, salt: 'a-plan-salt' },
      lease: { ms: 60_000, after: 'roll-back', until },
    },
  };
  const live = liveModel(routing, null, null, null);
  const read: (() => void)[] = [];
  const watch = new CanaryWatch({
    slots: {
      all: () => [live],
      get: () => live,
      routing: () => routing,
      traffic: () => trafficOf(live, new Date(990_000)),
      moveBack: async () => {},
      keepNote: async () => {},
      movesByRevocation: new Map(),
    },
    planOf: () =>
      new Promise((resolve) => read.push(() => resolve(plan({ lease: { ms: 60_000, after: 'roll-back' } })))),
    intervalMs: 1000,
    now: () => new Date(990_000),
    log: () => {},
  });
  const looking = watch.look();
  const renewing = watch.renew('met', 2);
  // The renewal's reading ends first, then the look's: it must not begin the lease again from the disk.
  read[1]?.();
  const renewed = (await renewing).leaseUntil;
  expect(renewed).toBe(new Date(1_050_000).toISOString());
  read[0]?.();
  await looking;
  expect(watch.traffic('met').leaseUntil).toBe(renewed);
});

test('given stable’s p95 was learned before a restart, then a slow canary with all of the traffic is held against it', async () => {
  const root = 'e'.repeat(64);
  const movedBy = async (stableP95Ms: number | undefined): Promise<string[]> => {
    const canary = {
      version: '1.1.0',
      digest: root,
      root,
      percent: 100,
      mirrorSample: 0,
      salt: 'a-plan-salt',
    };
    const routing: ModelRouting = {
      ...{ name: 'slow', generation: 3, previous: null },
      stable: { version: '1.0.0', digest: root, root: 'f'.repeat(64) },
      canary: stableP95Ms === undefined ? canary : { ...canary, stableP95Ms },
    };
    const live = liveModel(routing, null, null, null);
    if (!live.counters.canary) throw new Error('not counted');
    for (let call = 0; call < 100; call++) countRequest(live.counters.canary, 400, false);
    const moves: string[] = [];
    const watch = new CanaryWatch({
      slots: {
        all: () => [live],
        get: () => live,
        routing: () => routing,
        traffic: () => trafficOf(live, new Date(0)),
        moveBack: async (_name, _from, { kind, reason }) => {
          moves.push(`${kind}: ${reason}`);
        },
        keepNote: async () => {},
        movesByRevocation: new Map(),
      },
      planOf: async () => plan({ guards: { ...GUARDS, maxP95Ratio: 2 } }),
      intervalMs: 1000,
      now: () => new Date(0),
      log: () => {},
    });
    await watch.look();
    return moves;
  };
  expect(await movedBy(undefined)).toEqual([]);
  expect(await movedBy(20)).toEqual([expect.stringMatching(/^guard: .*p95/)]);
});

test('stable’s p95 beside a canary is durable once it had enough requests, and is still there at the next step', async () => {
  const { wish } = await canaryOf('learned', { guards: { maxP95Ratio: 1000 } }, 50);
  const saved = async (): Promise<number | undefined> => {
    const state = JSON.parse(await readFile(join(on.agent.directory, 'state', 'state.json'), 'utf8')) as {
      models: Record<string, { canary: { stableP95Ms?: number } | null }>;
    };
    return state.models.learned?.canary?.stableP95Ms;
  };
  expect(await saved()).toBeUndefined();
  for (let call = 0; call < 60; call++) await ask('learned', [0, 0, 0]);
  await expect.poll(saved).toBeGreaterThan(0);
  await on.client.route('learned', {
    ...wish,
    key: 'learned-all',
    expectedGeneration: 2,
    canary: { ...wish.canary, percent: 100 },
  });
  await expect.poll(saved).toBeGreaterThan(0);
  await on.agent.kill();
  await on.agent.restart();
  expect(await traffic('learned')).toMatchObject({ generation: 3, canary: { version: '1.1.0' } });
  expect(await saved()).toBeGreaterThan(0);
});

test('given its lease ends while the agent is down, then it comes back without the canary', async () => {
  await canaryOf('asleep', { lease: { ms: 1000, after: 'roll-back' } });
  await on.agent.kill();
  const state = JSON.parse(await readFile(join(on.agent.directory, 'state', 'state.json'), 'utf8')) as {
    models: Record<string, { canary: { lease: { until: string } } | null }>;
  };
  const until = Date.parse(state.models.asleep?.canary?.lease.until ?? '');
  while (Date.now() <= until) await new Promise((resolve) => setTimeout(resolve, 20));
  await on.agent.restart();
  expect(await traffic('asleep')).toMatchObject({
    generation: 3,
    canary: null,
    moved: { kind: 'lease', from: 2 },
  });
});

test('a canary whose signed plan cannot be judged by is not routed to; its release may still be made stable', async () => {
  const made = makeRelease(site, {
    name: 'planless',
    change: (files) => files.set('plan.json', Buffer.from('{"strategy":"direct"}')),
  });
  await on.client.push(made, () => {});
  const canary = { root: made.root, percent: 10, mirrorSample: 0, salt: 'a-plan-salt' };
  await expect(
    on.client.route('planless', { key: 'planless', expectedGeneration: 0, stableRoot: null, canary }),
  ).rejects.toMatchObject({ code: 'endpoint.refused', facts: { reason: 'input.invalid' } });
  await on.serve(made);
});
