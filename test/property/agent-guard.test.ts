import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeCanary, type WatchedCanary } from '../../shared/domain/rollout/agent-guard.ts';
import { decide } from '../../shared/domain/rollout/decide.ts';
import type { TrafficSample } from '../../shared/domain/traffic/sample.ts';
import { plan, RolloutStage, sample, start, type Traffic } from '../support/rollout.ts';

const seen = fc.record({
  canary: fc.nat(2000),
  canaryErrors: fc.nat(60),
  canaryMs: fc.constantFrom(1, 40, 90, 900),
  stable: fc.nat(2000),
  stableMs: fc.constantFrom(1, 40, 400),
  pairs: fc.nat(2000),
  disagreements: fc.nat(200),
});
const guard = (arbitrary: fc.Arbitrary<number>) => fc.option(arbitrary, { freq: 4 });
const plans = fc
  .record({
    maxErrorRate: guard(fc.constantFrom(0, 0.01, 0.05)),
    maxP95Ratio: guard(fc.constantFrom(1, 2, 10)),
    p95FloorMs: fc.constantFrom(0, 50),
    maxDisagreement: guard(fc.constantFrom(0.01, 0.05)),
    minimumRequests: fc.constantFrom(1, 200, 1000),
    minimumPairs: fc.constantFrom(1, 500),
  })
  .map((guards) => plan({ bakeMs: 600_000, maxStepMs: 3_600_000 }, guards));

/** A console at its first step, with a first reading of nothing: where an agent's own counters begin. */
function consoleAt(made: ReturnType<typeof plan>): RolloutStage {
  const stage = new RolloutStage(start({ plan: made })).settle().settle();
  stage.send({ kind: 'sampled', endpointId: 'a', sample: sample(stage.generation(), {}) });
  return stage;
}

function watchedAt(stage: RolloutStage, stableP95Ms: number | null): WatchedCanary {
  const ref = (version: string, fill: string) => ({
    version,
    digest: fill.repeat(64),
    root: fill.repeat(64),
  });
  return {
    name: 'phish',
    generation: stage.generation(),
    stable: ref('1.0.0', 'a'),
    canary: { ...ref('1.1.0', 'e'), percent: 10 },
    plan: stage.state.plan,
    stableP95Ms,
  };
}

const readingsOf = (stage: RolloutStage, traffic: readonly Traffic[]): TrafficSample[] =>
  traffic.map((each) => sample(stage.generation(), each));

describe('the agent and the console', () => {
  it('judge the same readings alike: one takes the canary out exactly when the other does, for the same reason', () => {
    let breaches = 0;
    fc.assert(
      fc.property(plans, fc.array(seen, { minLength: 1, maxLength: 6 }), (made, traffic) => {
        const stage = consoleAt(made);
        let remembered: number | null = null;
        for (const latest of readingsOf(stage, traffic)) {
          const judged = judgeCanary(watchedAt(stage, remembered), latest, stage.now);
          stage.send({ kind: 'sampled', endpointId: 'a', sample: latest });
          const decision = stage.send({ kind: 'tick' });
          remembered = judged.stableP95Ms;
          const verdict = decision.kind === 'decided' ? decision.verdict : null;
          expect(judged.breach).toEqual(
            verdict?.verdict === 'roll-back'
              ? { reason: verdict.reason, measurements: verdict.measurements }
              : null,
          );
          expect(judged.stableP95Ms).toBe(stage.state.stableP95Ms);
          if (judged.breach) {
            breaches++;
            return;
          }
        }
      }),
      { numRuns: 500 },
    );
    // Neither side was let off by readings that never break anything.
    expect(breaches).toBeGreaterThan(50);
  });

  it('differ in one thing: whatever is read, at whatever time, the agent’s decision moves nothing forward', () => {
    fc.assert(
      fc.property(plans, seen, fc.nat(10_000_000), (made, traffic, wait) => {
        const stage = consoleAt({ ...made, bakeMs: 0, maxStepMs: 1000 });
        const [latest] = readingsOf(stage, [traffic]);
        if (!latest) return;
        const later = new Date(stage.now.getTime() + wait);
        const judged = judgeCanary(watchedAt(stage, null), latest, later);
        // A judgement has two outcomes: stay, or go. The rule behind it, asked directly, routes nothing.
        expect(Object.keys(judged).sort()).toEqual(['breach', 'stableP95Ms']);
        const paused = { ...stage.state, phase: 'paused' as const, resumePhase: 'stepping' as const };
        const decision = decide(paused, { kind: 'tick' }, later);
        if (decision.kind === 'decided') {
          expect(decision.effects.filter((effect) => effect.kind === 'route')).toEqual([]);
          expect(decision.state.step).toBe(paused.step);
        }
      }),
      { numRuns: 200 },
    );
  });
});
