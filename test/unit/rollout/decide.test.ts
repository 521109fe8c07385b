import { describe, expect, it } from 'vitest';
import { BLIND_LIMIT_MS, CONSECUTIVE_ERROR_LIMIT } from '../../../shared/domain/rollout/decide.ts';
import { allowedRolloutActions } from '../../../shared/domain/rollout/phases.ts';
import { planProblems, rolloutPlanSchema } from '../../../shared/domain/rollout/plan.ts';
import { HEALTHY, plan, RolloutStage, sample, start, T0 } from '../../support/rollout.ts';

describe('a canary', () => {
  it('moves no traffic before every endpoint holds the release', () => {
    const stage = new RolloutStage(
      start({
        endpoints: [
          { id: 'a', name: 'a' },
          { id: 'b', name: 'b' },
        ],
      }),
    );
    const [first] = stage.state.pending;
    stage.send({
      kind: 'pushed',
      key: first?.key ?? '',
      endpointId: 'a',
      generation: 0,
      stableVersion: '1.0.0',
    });
    expect(stage.state.phase).toBe('preparing');
    stage.settle();
    expect(stage.state.phase).toBe('stepping');
    expect(stage.state.pending.map((e) => e.kind === 'route' && e.percent)).toEqual([10, 10]);
  });

  it('takes its steps though one endpoint is new and another one has the version already', () => {
    const endpoints = ['a', 'b', 'c'].map((id) => ({ id, name: id }));
    const stage = new RolloutStage(start({ endpoints }));
    const before: Record<string, string | null> = { a: '1.0.0', b: null, c: '1.1.0' };
    for (const { key, endpointId } of stage.state.pending) {
      const stableVersion = before[endpointId] ?? null;
      stage.send({ kind: 'pushed', key, endpointId, generation: 0, stableVersion });
    }
    expect(stage.state.phase).toBe('stepping');
    expect(stage.state.pending).toMatchObject([
      { kind: 'route', endpointId: 'a', percent: 10, final: false },
      { kind: 'route', endpointId: 'b', percent: 10, final: false },
    ]);
    stage.settle().wait(10_000);
    stage.traffic(HEALTHY);
    expect(stage.state.step).toBe(1);
    stage.settle();
    stage.traffic({ ...HEALTHY, disagreements: 900 });
    expect(stage.state.phase).toBe('rolling-back');
  });

  it('goes straight to all traffic only where no endpoint has an earlier version', () => {
    for (const version of [null, '1.1.0']) {
      const stage = new RolloutStage().settle(version);
      expect(stage.state.phase).toBe('promoting');
    }
  });

  it('goes 10, 50, 100 and is then made stable, when its guards hold', () => {
    const stage = new RolloutStage().settle();
    const seen: number[] = [];
    for (let step = 0; step < 3; step++) {
      const routes = stage.state.pending.filter((e) => e.kind === 'route');
      seen.push(...routes.map((e) => e.percent));
      stage.settle().wait(10_000);
      stage.traffic(step === 2 ? { ...HEALTHY, stable: 0 } : HEALTHY);
    }
    expect(seen).toEqual([10, 50, 100]);
    expect(stage.state.phase).toBe('promoting');
    expect(stage.state.pending).toMatchObject([{ kind: 'route', final: true }]);
    stage.settle();
    expect(stage.state.phase).toBe('completed');
    expect(stage.state.verdicts.map((v) => v.verdict)).toEqual(['promote', 'promote', 'promote']);
  });

  it('rolls back when it disagrees with stable too often, and says by how much', () => {
    const stage = new RolloutStage().settle().settle();
    const decision = stage.traffic({ ...HEALTHY, pairs: 800, disagreements: 120 });
    expect(stage.state.phase).toBe('rolling-back');
    expect(stage.state.pending).toMatchObject([{ kind: 'withdraw', endpointId: 'a' }]);
    expect(decision.kind === 'decided' && decision.verdict?.verdict).toBe('roll-back');
    expect(stage.state.reason).toContain('disagreement 15.0 % of 800 (limit 5.00 %)');
    stage.settle();
    expect(stage.state.phase).toBe('rolled-back');
  });

  it('gives no verdict on disagreement under the minimum number of pairs', () => {
    const stage = new RolloutStage().settle().settle().wait(30_000);
    stage.traffic({ ...HEALTHY, pairs: 499, disagreements: 499 });
    expect(stage.state.phase).toBe('stepping');
    expect(stage.state.verdicts).toEqual([]);
  });

  it('goes through the same traffic when the disagreement guard is taken away', () => {
    const stage = new RolloutStage(start({ plan: plan({}, { maxDisagreement: null }) }))
      .settle()
      .settle()
      .wait(10_000);
    stage.traffic({ ...HEALTHY, pairs: 800, disagreements: 120 });
    expect(stage.state.step).toBe(1);
  });

  it('rolls back on errors and on latency', () => {
    const errors = new RolloutStage().settle().settle();
    errors.traffic({ ...HEALTHY, canaryErrors: 30 });
    expect(errors.state.reason).toContain('error-rate 3.00 %');
    const slow = new RolloutStage().settle().settle();
    slow.traffic({ ...HEALTHY, canaryMs: 300, stableMs: 75 });
    expect(slow.state.phase).toBe('rolling-back');
    expect(slow.state.reason).toContain('p95');
  });

  it('lets a ratio under the floor pass: both are fast', () => {
    const stage = new RolloutStage().settle().settle().wait(10_000);
    stage.traffic({ ...HEALTHY, canaryMs: 10, stableMs: 0.4 });
    expect(stage.state.step).toBe(1);
  });

  it('pauses as inconclusive when a step never gets enough traffic', () => {
    const stage = new RolloutStage().settle().settle().wait(61_000);
    stage.traffic({ canary: 3, stable: 30, pairs: 3 });
    expect(stage.state.phase).toBe('paused');
    expect(stage.state.verdicts.at(-1)?.verdict).toBe('inconclusive');
    stage.send({ kind: 'resume' });
    expect(stage.state.phase).toBe('stepping');
  });

  it('keeps its guards awake while paused, and never moves forward then', () => {
    const stage = new RolloutStage().settle().settle();
    stage.send({ kind: 'pause' });
    stage.wait(100_000).traffic(HEALTHY);
    expect(stage.state).toMatchObject({ phase: 'paused', step: 0 });
    stage.traffic({ ...HEALTHY, disagreements: 900 });
    expect(stage.state.phase).toBe('rolling-back');
  });

  it('does not go on when nobody can watch it', () => {
    const stage = new RolloutStage().settle().settle();
    const fail = () => stage.send({ kind: 'sample-failed', endpointId: 'a', reason: 'timeout' });
    for (let i = 0; i < CONSECUTIVE_ERROR_LIMIT * 3; i++) fail();
    expect(stage.state.phase).toBe('stepping');
    stage.wait(BLIND_LIMIT_MS);
    fail();
    expect(stage.state.phase).toBe('rolling-back');
  });

  it('keeps trying to withdraw from an endpoint that does not answer', () => {
    const stage = new RolloutStage().settle().settle();
    stage.send({ kind: 'abort', reason: 'wrong day' });
    const [effect] = stage.state.pending;
    for (let i = 0; i < 20; i++)
      stage.send({
        kind: 'effect-failed',
        key: effect?.key ?? '',
        endpointId: 'a',
        reason: 'timeout',
        severity: 'transient',
      });
    expect(stage.state.phase).toBe('rolling-back');
    stage.settle();
    expect(stage.state.phase).toBe('rolled-back');
  });

  it('rolls back when another hand changed the endpoint', () => {
    const stage = new RolloutStage().settle().settle();
    stage.send({ kind: 'sampled', endpointId: 'a', sample: sample(99, HEALTHY) });
    expect(stage.state.phase).toBe('rolling-back');
    expect(stage.state.reason).toContain('another hand');
  });

  it('ends where the agent moved back by itself, with the agent’s reason and measurements', () => {
    const measurements = [
      {
        guard: 'disagreement' as const,
        measured: 0.2,
        limit: 0.05,
        samples: 800,
        minimumSamples: 500,
        outcome: 'breach' as const,
        note: '',
      },
    ];
    const move = {
      at: T0.toISOString(),
      kind: 'guard' as const,
      version: '1.1.0',
      reason: 'disagreement 20 % of 800',
      measurements,
    };
    const stage = new RolloutStage().settle().settle();
    const generation = stage.generation();
    const moved = { ...move, from: generation };
    stage.send({ kind: 'sampled', endpointId: 'a', sample: { ...sample(generation + 1, {}), moved } });
    expect(stage.state).toMatchObject({
      phase: 'rolling-back',
      reason: 'edge-a moved back by itself: disagreement 20 % of 800',
    });
    expect(stage.state.verdicts.at(-1)).toMatchObject({ verdict: 'roll-back', measurements });

    // Asked for the next step before it was read: the same end. Changed once more since: another hand did that.
    const asking = new RolloutStage().settle();
    asking.send({ kind: 'moved-back', endpointId: 'a', move: moved });
    expect(asking.state.reason).toContain('moved back by itself');
    const changed = new RolloutStage().settle().settle();
    changed.send({
      kind: 'sampled',
      endpointId: 'a',
      sample: { ...sample(9, {}), moved: { ...move, from: 8 } },
    });
    expect(changed.state.reason).toContain('another hand');
  });

  it('is promoted directly where nothing is served yet, and says why', () => {
    const stage = new RolloutStage().settle(null);
    expect(stage.state.phase).toBe('promoting');
    expect(stage.state.reason).toContain('nothing to compare');
  });

  it('refuses what its phase does not allow', () => {
    const stage = new RolloutStage();
    expect(stage.send({ kind: 'promote' }).kind).toBe('refused');
    expect(stage.send({ kind: 'resume' }).kind).toBe('refused');
    stage.settle().settle();
    stage.send({ kind: 'abort', reason: '' });
    expect(stage.send({ kind: 'abort', reason: '' }).kind).toBe('refused');
    expect(allowedRolloutActions(stage.state)).toEqual([]);
  });

  it('is not promoted by hand over a broken guard', () => {
    const stage = new RolloutStage().settle().settle();
    stage.send({ kind: 'sampled', endpointId: 'a', sample: sample(stage.generation(), {}) });
    stage.send({
      kind: 'sampled',
      endpointId: 'a',
      sample: sample(stage.generation(), { ...HEALTHY, canaryErrors: 500 }),
    });
    const decision = stage.send({ kind: 'promote' });
    expect(decision.kind === 'refused' && decision.reason).toContain('error-rate');
  });

  it('ignores an answer to an effect it no longer waits for', () => {
    const stage = new RolloutStage().settle();
    const [old] = stage.state.pending;
    stage.send({ kind: 'abort', reason: '' });
    const before = stage.state;
    stage.send({ kind: 'routed', key: old?.key ?? '', endpointId: 'a', generation: 7 });
    expect(stage.state.pending).toEqual(before.pending);
    expect(stage.state.phase).toBe('rolling-back');
  });
});

describe('a plan', () => {
  it.each([
    [{ steps: [10, 50] }, 'last step'],
    [{ steps: [50, 10, 100] }, 'rise'],
    [{ steps: [-5, 100] }, 'whole percentage'],
    [{ steps: [10, 250] }, 'whole percentage'],
    [{ steps: [100] }, 'starts below'],
    [{ strategy: 'direct' as const, steps: [10, 100] }, 'one step'],
    [{ bakeMs: 100_000 }, 'bake'],
  ])('is refused: %o', (change, word) => {
    expect(planProblems(plan(change)).join(' ')).toContain(word);
    expect(rolloutPlanSchema.safeParse(plan(change)).success).toBe(false);
  });
  it('as designed is fine', () => {
    expect(planProblems(plan())).toEqual([]);
    expect(rolloutPlanSchema.safeParse(plan()).success).toBe(true);
  });
});
