import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../shared/domain/rollout/decide.ts';
import type { RolloutEvent } from '../../shared/domain/rollout/events.ts';
import { isFinal } from '../../shared/domain/rollout/phases.ts';
import { rolloutStateSchema } from '../../shared/domain/rollout/state.ts';
import { RolloutStage, sample, start, T0 } from '../support/rollout.ts';

const endpointId = fc.constantFrom('a', 'b');
const traffic = fc.record({
  canary: fc.nat(2000),
  canaryErrors: fc.nat(100),
  canaryMs: fc.constantFrom(1, 40, 900),
  stable: fc.nat(2000),
  stableMs: fc.constantFrom(1, 40),
  pairs: fc.nat(2000),
  disagreements: fc.nat(400),
});

type Step = { event: (stage: RolloutStage) => RolloutEvent; wait: number };
const pendingKey = (stage: RolloutStage, pick: number) =>
  stage.state.pending[pick % Math.max(1, stage.state.pending.length)] ?? {
    key: 'none',
    endpointId: 'a',
    kind: 'push',
  };
const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.nat(70_000),
  event: fc.oneof(
    fc
      .tuple(fc.nat(5), fc.nat(9), fc.option(fc.constantFrom('1.0.0', '1.1.0')))
      .map(([pick, generation, stableVersion]) => (stage: RolloutStage): RolloutEvent => {
        const effect = pendingKey(stage, pick);
        const base = { key: effect.key, endpointId: effect.endpointId, generation };
        return effect.kind === 'push'
          ? { kind: 'pushed', ...base, stableVersion }
          : effect.kind === 'route'
            ? { kind: 'routed', ...base }
            : { kind: 'withdrawn', ...base };
      }),
    fc
      .tuple(fc.nat(5), fc.constantFrom('transient' as const, 'permanent' as const, 'stale' as const))
      .map(([pick, severity]) => (stage: RolloutStage): RolloutEvent => {
        const effect = pendingKey(stage, pick);
        return {
          kind: 'effect-failed',
          key: effect.key,
          endpointId: effect.endpointId,
          reason: 'x',
          severity,
        };
      }),
    fc.tuple(endpointId, traffic).map(
      ([id, t]) =>
        (stage: RolloutStage): RolloutEvent => ({
          kind: 'sampled',
          endpointId: id,
          sample: sample(stage.state.endpoints.find((e) => e.endpointId === id)?.generation ?? 0, t),
        }),
    ),
    endpointId.map((id) => (): RolloutEvent => ({ kind: 'sample-failed', endpointId: id, reason: 'x' })),
    fc
      .constantFrom<RolloutEvent>(
        { kind: 'tick' },
        { kind: 'pause' },
        { kind: 'resume' },
        { kind: 'promote' },
        { kind: 'abort', reason: 'y' },
      )
      .map((event) => () => event),
  ),
});

describe('whatever happens to a rollout', () => {
  it('its state stays valid, final phases stay final, keys are never used twice, and traffic moves only after all pushes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const stage = new RolloutStage(
          start({
            endpoints: [
              { id: 'a', name: 'a' },
              { id: 'b', name: 'b' },
            ],
          }),
        );
        const keys = new Set(stage.state.pending.map((e) => e.key));
        let lastStep = 0;
        for (const { event, wait } of steps) {
          stage.wait(wait);
          const before = stage.state;
          const decision = stage.send(event(stage));
          rolloutStateSchema.parse(stage.state);
          if (isFinal(before)) expect(stage.state.phase).toBe(before.phase);
          if (decision.kind === 'decided') {
            for (const effect of decision.effects) {
              expect(keys.has(effect.key)).toBe(false);
              keys.add(effect.key);
              if (effect.kind === 'route') expect(stage.state.endpoints.every((e) => e.pushed)).toBe(true);
            }
            expect(stage.state.pending.every((e) => keys.has(e.key))).toBe(true);
          }
          expect(stage.state.step).toBeGreaterThanOrEqual(lastStep);
          expect(stage.state.step - lastStep).toBeLessThanOrEqual(1);
          lastStep = stage.state.step;
          if (before.phase === 'rolling-back')
            expect(['rolling-back', 'rolled-back', 'failed']).toContain(stage.state.phase);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('the same state, event and time give the same decision', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const stage = new RolloutStage();
        for (const { event } of steps) {
          const made = event(stage);
          expect(decide(stage.state, made, T0)).toEqual(
            decide(structuredClone(stage.state), structuredClone(made), T0),
          );
          stage.send(made);
        }
      }),
      { numRuns: 100 },
    );
  });
});
