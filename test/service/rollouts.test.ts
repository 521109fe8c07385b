/** Rollouts driven on a virtual clock: what is approved goes out step by step, and comes back by itself. */
import { describe, expect, test, vi } from 'vitest';
import { SallyportError } from '../../shared/domain/errors.ts';
import { DEFAULT_GUARDS } from '../../shared/domain/rollout/plan.ts';
import type { RolloutState } from '../../shared/domain/rollout/state.ts';
import type { VersionTraffic } from '../../shared/domain/traffic/sample.ts';
import type { FakeEndpoint } from '../support/fake-endpoint.ts';
import { type Stage, stage } from '../support/release-stage.ts';
import { latency } from '../support/rollout.ts';

interface Rates {
  readonly canaryErrors?: number;
  readonly canaryMs?: number;
  readonly disagreement?: number;
  /** Requests a second; 0 = nobody asks. */
  readonly rate?: number;
}

/** Traffic that grows with the clock, counted from now on. */
function flow(at: Stage, endpoint: FakeEndpoint, rates: Rates = {}): void {
  const began = at.clock.now();
  const { rate = 200, canaryErrors = 0, disagreement = 0.01, canaryMs = 1 } = rates;
  Object.defineProperty(endpoint, 'traffic', {
    configurable: true,
    get: () => {
      const requests = Math.floor(((at.clock.now() - began) / 1000) * rate);
      const of = (version: string, errors: number, ms: number): VersionTraffic => ({
        version,
        requests,
        errors: Math.floor(requests * errors),
        latencyCounts: latency(ms, requests),
      });
      return {
        canary: of('1.1.0', canaryErrors, canaryMs),
        stable: of('1.0.0', 0, 1),
        pairs: requests,
        disagreements: Math.floor(requests * disagreement),
      };
    },
  });
}

const served = async (at: Stage, endpoint = at.endpoint) =>
  (await endpoint.connector.connect(endpoint.endpoint, async () => endpoint.token).models())[0];
const actions = (at: Stage) =>
  [...at.vault.store.read.audit.entries()]
    .map((entry) => entry.action)
    .filter((action) => action.startsWith('rollout.'));
const deploy = (at: Stage, requestId: string, target = 'production') =>
  at.rollouts.deploy(at.ben, { requestId, target });

/** 1.0.0 serves already; 1.1.0 is approved for the canary that is then tried. */
async function serving(plan: Parameters<Stage['approved']>[1] = {}): Promise<Stage & { request: string }> {
  const at = await stage();
  at.rollouts.start();
  const first = await at.approved('1.0.0', { strategy: 'direct', steps: [100] });
  const { state } = await deploy(at, first.id);
  expect((await at.rollouts.finished(state.id)).state.phase).toBe('completed');
  const { id } = await at.approved('1.1.0', plan);
  return { ...at, request: id };
}

describe('deploying', () => {
  test('a first version goes straight to all traffic and becomes champion', async () => {
    const at = await stage();
    at.rollouts.start();
    const { id } = await at.approved('1.0.0');
    const { state } = await deploy(at, id);
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state.phase).toBe('completed');
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, canary: null, generation: 1 });
    expect(at.vault.store.read.aliasedVersion('phish', 'champion')?.version).toBe('1.0.0');
    expect(actions(at)).toEqual(['rollout.started', 'rollout.advanced', 'rollout.completed']);
    expect(at.errors).toEqual([]);
  });

  test('a canary takes every step on its evidence, and each verdict keeps its measurements', async () => {
    const at = await serving();
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state.phase).toBe('completed');
    expect(ended.state.verdicts.map((v) => [v.step, v.verdict])).toEqual([
      [0, 'promote'],
      [1, 'promote'],
      [2, 'promote'],
    ]);
    for (const { measurements } of ended.state.verdicts) {
      expect(measurements.map((m) => [m.guard, m.outcome])).toEqual([
        ['error-rate', 'pass'],
        ['p95', 'pass'],
        ['disagreement', 'pass'],
      ]);
      expect(measurements.every((m) => m.samples >= m.minimumSamples)).toBe(true);
    }
    // Three steps and the promotion: one change of routing each, none twice.
    expect(await served(at)).toMatchObject({ stable: { version: '1.1.0' }, generation: 5 });
    expect(ended.points.length).toBeGreaterThan(10);
  });

  test.each([
    ['errors', { canaryErrors: 0.1 }, 'error-rate'],
    ['slow answers', { canaryMs: 400 }, 'p95'],
    ['other answers than stable', { disagreement: 0.2 }, 'disagreement'],
  ])('a canary with %s is rolled back by its guard', async (_, rates, guard) => {
    const at = await serving();
    flow(at, at.endpoint, rates);
    const { state } = await deploy(at, at.request);
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state).toMatchObject({ phase: 'rolled-back', step: 0 });
    const verdict = ended.state.verdicts.at(-1);
    expect(verdict?.verdict).toBe('roll-back');
    expect(verdict?.measurements.find((m) => m.outcome === 'breach')?.guard).toBe(guard);
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, canary: null });
    expect(at.vault.store.read.aliasedVersion('phish', 'champion')?.version).toBe('1.0.0');
    expect(actions(at).slice(-2)).toEqual(['rollout.verdict', 'rollout.rolled-back']);
  });

  test('with its guard taken away the same canary goes out: nothing else holds it', async () => {
    const at = await serving({ guards: { ...DEFAULT_GUARDS, maxDisagreement: null } });
    flow(at, at.endpoint, { disagreement: 0.2 });
    const { state } = await deploy(at, at.request);
    expect((await at.rollouts.finished(state.id)).state.phase).toBe('completed');
  });

  test('a canary nobody asks anything gives no verdict: it pauses, and traffic moves no further', async () => {
    const at = await serving();
    flow(at, at.endpoint, { rate: 0 });
    const { state } = await deploy(at, at.request);
    const paused = await until(at, state.id, (s) => s.phase === 'paused');
    expect(paused.verdicts.at(-1)?.verdict).toBe('inconclusive');
    expect(await served(at)).toMatchObject({ canary: { version: '1.1.0', percent: 10 } });
    flow(at, at.endpoint);
    await at.rollouts.resume(at.ben, { id: state.id });
    expect((await at.rollouts.finished(state.id)).state.phase).toBe('completed');
  });

  test('is refused for what is not approved, expired, for elsewhere, or already on its way', async () => {
    const at = await serving();
    const { id: open } = await at.submit('1.1.0');
    await expect(deploy(at, open)).rejects.toMatchObject({ code: 'refused.quorum' });
    await expect(deploy(at, 'none')).rejects.toMatchObject({ code: 'not-found' });
    await expect(deploy(at, at.request, 'nowhere')).rejects.toMatchObject({ code: 'not-found' });
    await expect(
      at.rollouts.deploy(at.at.admin, { requestId: at.request, target: 'production' }),
    ).rejects.toMatchObject({ code: 'refused.role' });
    const elsewhere = await at.addEndpoint('lab');
    at.vault.store.transaction((tx) => {
      tx.removeEndpoint(elsewhere.endpoint.id);
      tx.insertEndpoint({ ...elsewhere.endpoint, environmentId: 'staging-1' });
    });
    await expect(deploy(at, at.request, 'lab')).rejects.toMatchObject({ code: 'refused.environment' });
    flow(at, at.endpoint, { rate: 0 });
    await deploy(at, at.request);
    await expect(deploy(at, at.request)).rejects.toMatchObject({ code: 'conflict' });
    at.clock.skip(25 * 3_600_000);
    await expect(deploy(at, open)).rejects.toMatchObject({ code: 'refused.expired' });
    expect(actions(at).filter((action) => action === 'rollout.started')).toHaveLength(2);
  });

  test('is refused for a version that was revoked or archived after it was approved', async () => {
    const at = await serving();
    for (const state of ['revoked', 'archived'] as const) {
      at.vault.store.transaction((tx) => tx.setState({ name: 'phish', version: '1.1.0' }, state));
      await expect(deploy(at, at.request)).rejects.toMatchObject({ code: 'refused.state' });
    }
  });
});

describe('an endpoint that fails', () => {
  const down = new SallyportError('endpoint.unreachable', 'Nobody answers.');

  test('while it is being pushed to: tried again, then given up with nothing moved', async () => {
    const at = await serving();
    at.endpoint.failure = down;
    const { state } = await deploy(at, at.request);
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state.phase).toBe('failed');
    expect(ended.state.reason).toContain('No traffic was moved');
    at.endpoint.failure = null;
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, canary: null, generation: 1 });
    // It may be deployed again.
    flow(at, at.endpoint);
    const again = await deploy(at, at.request);
    expect((await at.rollouts.finished(again.state.id)).state.phase).toBe('completed');
  });

  test('that refuses the release ends it at once, with its reason', async () => {
    const at = await serving();
    at.endpoint.refusedRoots.add(at.vault.store.read.request(at.request)?.root ?? '');
    const { state } = await deploy(at, at.request);
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state).toMatchObject({ phase: 'failed' });
    expect(ended.state.reason).toContain('0 of 2 approvals');
  });

  test('under a canary: one that nobody can watch is taken out as soon as it answers again', async () => {
    const at = await serving();
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.latest !== null && s.phase === 'stepping');
    at.endpoint.failure = down;
    const rolling = await until(at, state.id, (s) => s.phase === 'rolling-back');
    expect(rolling.reason).toContain('Nobody answers');
    at.endpoint.failure = null;
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state.phase).toBe('rolled-back');
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, canary: null });
  });

  test('because the keychain is locked for a while: the canary is still taken out afterwards', async () => {
    const at = await serving();
    flow(at, at.endpoint, { disagreement: 0.2 });
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.latest !== null && s.phase === 'stepping');
    at.endpoint.failure = new SallyportError('keychain.locked', 'The keychain is locked.');
    await until(at, state.id, (s) => s.phase === 'rolling-back' && s.reason.includes('locked'));
    at.endpoint.failure = null;
    expect((await at.rollouts.finished(state.id)).state.phase).toBe('rolled-back');
    expect(await served(at)).toMatchObject({ canary: null });
  });

  test('of two: traffic moves on neither before both hold the release', async () => {
    const at = await serving({ strategy: 'direct', steps: [100] });
    const second = await at.addEndpoint('edge-2');
    second.failure = down;
    const { state } = await deploy(at, at.request);
    expect((await at.rollouts.finished(state.id)).state.phase).toBe('failed');
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' } });
    second.failure = null;
    const again = await deploy(at, at.request);
    expect((await at.rollouts.finished(again.state.id)).state.phase).toBe('completed');
    for (const endpoint of [at.endpoint, second])
      expect(await served(at, endpoint)).toMatchObject({ stable: { version: '1.1.0' } });
  });

  test('that moved back by itself: the rollout ends everywhere, for the agent’s reason, as an entry of the log', async () => {
    const at = await serving();
    const second = await at.addEndpoint('edge-2');
    flow(at, at.endpoint);
    flow(at, second);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints.every((e) => e.latest !== null) && s.phase === 'stepping');
    expect(at.endpoint.renewals.length).toBeGreaterThan(0);
    const reason = 'The console was not heard of for 60 s, and the plan says to roll back then.';
    at.endpoint.moveBack('phish', { at: 'then', kind: 'lease', reason, measurements: [] });
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state).toMatchObject({
      phase: 'rolled-back',
      reason: `edge moved back by itself: ${reason}`,
    });
    expect(ended.state.verdicts.at(-1)).toMatchObject({ verdict: 'roll-back', reason: ended.state.reason });
    expect(await served(at)).toMatchObject({ canary: null, generation: 3, stable: { version: '1.0.0' } });
    expect(await served(at, second)).toMatchObject({ canary: null });
    expect(actions(at).slice(-2)).toEqual(['rollout.verdict', 'rollout.rolled-back']);
  });

  test('whose routing another hand changed: the rollout does not fight over it', async () => {
    const at = await serving();
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.latest !== null && s.phase === 'stepping');
    const client = at.endpoint.connector.connect(at.endpoint.endpoint, async () => at.endpoint.token);
    await client.rollback('phish', { key: 'by hand', to: null });
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state).toMatchObject({ phase: 'rolled-back' });
    expect(ended.state.reason).toContain('another hand');
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, canary: null });
  });
});

describe('people', () => {
  test('pause, resume, promote and abort, each by who may and in the log', async () => {
    const at = await serving({ bakeMs: 3_600_000, maxStepMs: 7_200_000 });
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    const { id } = state;
    await until(at, id, (s) => s.endpoints[0]?.confirmedPercent === 10);
    await expect(at.rollouts.pause(at.at.admin, { id })).rejects.toMatchObject({ code: 'refused.role' });
    await at.rollouts.pause(at.ben, { id });
    await expect(at.rollouts.pause(at.ben, { id })).rejects.toMatchObject({ code: 'refused.state' });
    await at.rollouts.resume(at.ben, { id });
    await at.rollouts.promote(at.ben, { id });
    await until(at, id, (s) => s.endpoints[0]?.confirmedPercent === 50);
    const aborted = await at.rollouts.abort(at.cleo, { id, reason: 'the wrong hour' });
    expect(aborted.state.phase).toBe('rolling-back');
    const ended = await at.rollouts.finished(id);
    expect(ended.state).toMatchObject({ phase: 'rolled-back' });
    expect(ended.state.reason).toContain('the wrong hour');
    const log = [...at.vault.store.read.audit.entries()].filter((entry) => entry.subject === id);
    expect(log.filter((e) => e.actor === 'ben').map((e) => e.action)).toEqual([
      'rollout.started',
      'rollout.paused',
      'rollout.resumed',
      'rollout.promoted',
    ]);
    expect(log.find((e) => e.actor === 'cleo')?.details.phase).toBe('rolling-back');
    await expect(at.rollouts.resume(at.ben, { id })).rejects.toMatchObject({ code: 'refused.state' });
  });

  test('a paused canary keeps its guards awake', async () => {
    const at = await serving();
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.latest !== null && s.phase === 'stepping');
    await at.rollouts.pause(at.ben, { id: state.id });
    flow(at, at.endpoint, { disagreement: 0.5 });
    expect((await at.rollouts.finished(state.id)).state.phase).toBe('rolled-back');
  });
});

describe('rolling back', () => {
  test('goes to the version before, says so, and moves the champion', async () => {
    const at = await serving({ strategy: 'direct', steps: [100] });
    await at.rollouts.finished((await deploy(at, at.request)).state.id);
    const back = await at.rollouts.rollback(at.at.admin, { name: 'phish', target: 'production', to: null });
    expect(back).toMatchObject({ version: '1.0.0', previous: '1.1.0', endpoints: ['edge'] });
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, previous: { version: '1.1.0' } });
    expect(at.vault.store.read.aliasedVersion('phish', 'champion')?.version).toBe('1.0.0');
    await expect(
      at.rollouts.rollback(await at.person('dora', 'Dora', 'analyst'), {
        name: 'phish',
        target: 'production',
        to: null,
      }),
    ).rejects.toMatchObject({ code: 'refused.role' });
  });

  test('during a canary takes the canary out and ends the rollout', async () => {
    const at = await serving({ bakeMs: 3_600_000, maxStepMs: 7_200_000 });
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.confirmedPercent === 10);
    const back = await at.rollouts.rollback(at.ben, { name: 'phish', target: 'production', to: null });
    expect(back).toMatchObject({ version: '1.0.0', previous: '1.1.0' });
    expect(at.vault.store.read.rollout(state.id)?.phase).toBe('rolled-back');
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, canary: null });
  });

  test('to a named version during a canary goes there, not only out of the canary', async () => {
    const at = await serving({ strategy: 'direct', steps: [100] });
    await at.rollouts.finished((await deploy(at, at.request)).state.id);
    const third = await at.approved('1.2.0', { bakeMs: 3_600_000, maxStepMs: 7_200_000 });
    const { state } = await deploy(at, third.id);
    await until(at, state.id, (s) => s.endpoints[0]?.confirmedPercent === 10);
    const back = await at.rollouts.rollback(at.ben, { name: 'phish', target: 'production', to: '1.0.0' });
    expect(back).toMatchObject({ version: '1.0.0' });
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' }, canary: null });
  });

  test('of an endpoint that a running rollout leaves alone does not touch the rollout', async () => {
    const at = await stage();
    const second = await at.addEndpoint('edge-2');
    at.rollouts.start();
    for (const version of ['1.0.0', '1.1.0']) {
      const { id } = await at.approved(version, { strategy: 'direct', steps: [100] });
      await at.rollouts.finished((await deploy(at, id)).state.id);
    }
    const third = await at.approved('1.2.0', { bakeMs: 3_600_000, maxStepMs: 7_200_000 });
    const { state } = await deploy(at, third.id, 'edge');
    await until(at, state.id, (s) => s.endpoints[0]?.confirmedPercent === 10);
    const back = await at.rollouts.rollback(at.ben, { name: 'phish', target: 'edge-2', to: null });
    expect(back).toMatchObject({ version: '1.0.0', previous: '1.1.0', endpoints: ['edge-2'] });
    expect(await served(at, second)).toMatchObject({ stable: { version: '1.0.0' } });
    expect(at.vault.store.read.rollout(state.id)?.phase).toBe('stepping');
  });

  test('from an endpoint that is gone for good ends when the endpoint is removed', async () => {
    const at = await serving({ bakeMs: 3_600_000, maxStepMs: 7_200_000 });
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.confirmedPercent === 10);
    at.endpoint.failure = new SallyportError('endpoint.unreachable', 'Nobody answers.');
    await at.rollouts.abort(at.ben, { id: state.id, reason: 'the machine burnt down' });
    await until(at, state.id, (s) => s.reason.includes('Nobody answers'));
    at.vault.store.transaction((tx) => tx.removeEndpoint(at.endpoint.endpoint.id));
    const ended = await at.rollouts.finished(state.id);
    expect(ended.state).toMatchObject({ phase: 'failed' });
    expect(ended.state.reason).toContain('edge did not withdraw');
    expect(at.errors).toEqual([]);
  });

  test('while the guard is rolling back already waits for it', async () => {
    const at = await serving();
    flow(at, at.endpoint, { disagreement: 0.2 });
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.latest !== null);
    at.endpoint.failure = new SallyportError('endpoint.unreachable', 'Nobody answers.');
    await until(at, state.id, (s) => s.phase === 'rolling-back');
    const asked = at.rollouts.rollback(at.ben, { name: 'phish', target: 'production', to: null });
    at.endpoint.failure = null;
    expect(await asked).toMatchObject({ version: '1.0.0', previous: '1.1.0' });
  });

  test('with nothing to go back to, or nobody answering, changes nothing and says why', async () => {
    const at = await stage();
    at.rollouts.start();
    const back = () => at.rollouts.rollback(at.ben, { name: 'phish', target: 'production', to: null });
    await expect(back()).rejects.toMatchObject({ code: 'endpoint.refused' });
    at.endpoint.failure = new SallyportError('endpoint.unreachable', 'Nobody answers.');
    await expect(back()).rejects.toMatchObject({ code: 'endpoint.unreachable' });
    expect(actions(at)).toEqual([]);
  });

  test('of two endpoints with one down rolls the other back, and says which is left', async () => {
    const at = await stage();
    const second = await at.addEndpoint('edge-2');
    at.rollouts.start();
    for (const version of ['1.0.0', '1.1.0']) {
      const { id } = await at.approved(version, { strategy: 'direct', steps: [100] });
      await at.rollouts.finished((await deploy(at, id)).state.id);
    }
    second.failure = new SallyportError('endpoint.unreachable', 'Nobody answers.');
    await expect(
      at.rollouts.rollback(at.ben, { name: 'phish', target: 'production', to: null }),
    ).rejects.toMatchObject({ message: expect.stringContaining('edge-2') as string });
    expect(await served(at)).toMatchObject({ stable: { version: '1.0.0' } });
    expect([...at.vault.store.read.audit.entries()].at(-1)).toMatchObject({
      action: 'rollout.rolled-back',
      details: { endpoints: 1, of: 2 },
    });
  });
});

describe('several consoles', () => {
  test('only one runs effects; what the other one starts is taken up by it', async () => {
    const at = await stage();
    at.rollouts.start();
    const other = await at.secondDesk();
    other.rollouts.start();
    const { id } = await at.approved('1.0.0', { strategy: 'direct', steps: [100] });
    const { state } = await other.rollouts.deploy(at.ben, { requestId: id, target: 'production' });
    expect((await other.rollouts.finished(state.id)).state.phase).toBe('completed');
    expect(await served(at)).toMatchObject({ generation: 1 });
    // The first one drove it, and saw each state.
    expect(at.updates.at(-1)?.phase).toBe('completed');
    expect(at.errors.concat(other.errors)).toEqual([]);
  });

  test('a console that goes away leaves its rollout to the next one', async () => {
    const at = await serving({ bakeMs: 60_000, maxStepMs: 120_000 });
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.confirmedPercent === 10);
    await at.rollouts.close();
    at.vault.releaseEffectsLock();
    const before = at.vault.store.read.rollout(state.id);
    expect(before?.phase).toBe('stepping');
    const other = await at.secondDesk();
    other.rollouts.start();
    expect((await other.rollouts.finished(state.id)).state.phase).toBe('completed');
    expect(await served(at)).toMatchObject({ stable: { version: '1.1.0' }, generation: 5 });
  });

  test('that both decide at once: nothing is lost, the rule sees each decision', async () => {
    const at = await serving({ bakeMs: 3_600_000, maxStepMs: 7_200_000 });
    flow(at, at.endpoint);
    const { state } = await deploy(at, at.request);
    await until(at, state.id, (s) => s.endpoints[0]?.confirmedPercent === 10);
    const other = await at.secondDesk();
    const outcomes = await Promise.allSettled([
      at.rollouts.pause(at.ben, { id: state.id }),
      other.rollouts.pause(at.cleo, { id: state.id }),
      other.rollouts.abort(at.cleo, { id: state.id, reason: '' }),
    ]);
    expect(outcomes.filter((o) => o.status === 'fulfilled').length).toBeGreaterThan(0);
    expect((await at.rollouts.finished(state.id)).state.phase).toBe('rolled-back');
    expect(at.errors).toEqual([]);
  });
});

async function until(
  at: Stage,
  id: string,
  condition: (state: RolloutState) => boolean,
): Promise<RolloutState> {
  return vi.waitFor(
    () => {
      const state = at.vault.store.read.rollout(id);
      if (state === null || !condition(state)) throw new Error(`still ${state?.phase}: ${state?.reason}`);
      return state;
    },
    { timeout: 30_000, interval: 1 },
  );
}
