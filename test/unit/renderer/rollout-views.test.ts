import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldHolds } from '../../../renderer/features/rollouts/fold-holds.ts';
import { stationsOf } from '../../../renderer/features/rollouts/stations.ts';
import {
  latencyGuard,
  latencyLimit,
  overStep,
  stepMarks,
} from '../../../renderer/features/rollouts/traffic-series.ts';
import { DEFAULT_GUARDS } from '../../../shared/domain/rollout/plan.ts';
import { rolloutPhaseSchema, type Verdict } from '../../../shared/domain/rollout/state.ts';
import * as data from '../../support/renderer-data.ts';

const clock = { now: Date.parse('2026-06-01T12:00:00Z') };
const base = data.rollout(clock, 'r', '1.2.0', 'stepping', 1, 3).state;

describe('the stepper', () => {
  it('reads as done, then at most one present station, then what is to come, in every phase and step', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...rolloutPhaseSchema.options),
        fc.integer({ min: 0, max: 2 }),
        fc.boolean(),
        (phase, step, confirmed) => {
          const endpoints = base.endpoints.map((endpoint) => ({
            ...endpoint,
            confirmedPercent: confirmed ? 10 : null,
          }));
          const statuses = stationsOf({ ...base, phase, step, endpoints }).map((station) => station.status);
          expect(statuses).toHaveLength(base.plan.steps.length + 2);
          const order = statuses.map((status) => (status === 'done' ? 0 : status === 'waiting' ? 2 : 1));
          expect(order).toEqual([...order].sort());
          expect(order.filter((rank) => rank === 1).length).toBe(phase === 'completed' ? 0 : 1);
        },
      ),
    );
  });
  it('shows where a guard stopped it', () => {
    expect(
      stationsOf({ ...base, phase: 'rolled-back' }).map((station) => `${station.label} ${station.status}`),
    ).toEqual(['Prepare done', '10 % done', '50 % returned', '100 % waiting', 'Completed waiting']);
  });
});

describe('the timeline', () => {
  const verdict = fc.record({
    at: fc.constant('2026-06-01T12:00:00Z'),
    step: fc.integer({ min: 0, max: 2 }),
    verdict: fc.constantFrom<Verdict['verdict']>('promote', 'hold', 'roll-back', 'inconclusive'),
    reason: fc.string(),
    measurements: fc.constant<Verdict['measurements']>([]),
  });
  it('folds holds and nothing else: every verdict is shown or counted', () => {
    fc.assert(
      fc.property(fc.array(verdict), (verdicts) => {
        const shown = foldHolds(verdicts);
        expect(shown.reduce((sum, item) => sum + 1 + item.folded, 0)).toBe(verdicts.length);
        expect(shown.filter((item) => item.verdict.verdict !== 'hold').length).toBe(
          verdicts.filter((item) => item.verdict !== 'hold').length,
        );
      }),
    );
  });
});

describe('the latency chart', () => {
  const points = data.trafficPoints(clock, 20, false);
  it('draws the guard where it is in sight, and only writes it where it would press the lines flat', () => {
    expect(latencyGuard(points, DEFAULT_GUARDS)).toEqual({ limit: 50, inSight: false });
    expect(latencyGuard(points, { ...DEFAULT_GUARDS, p95FloorMs: 0 })?.inSight).toBe(true);
    expect(latencyGuard(points, { ...DEFAULT_GUARDS, maxP95Ratio: null })).toBeNull();
  });
  it('never lowers the limit under the floor', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1000, noNaN: true }),
        (stableP95Ms) =>
          (latencyLimit({ ...points[0], stableP95Ms } as never, DEFAULT_GUARDS) ?? 0) >=
          DEFAULT_GUARDS.p95FloorMs,
      ),
    );
  });
  it('shows a share over the step so far, which is what the guard judges, and begins anew with each step', () => {
    const window = (percent: number, disagreement: number | null, pairs: number) =>
      ({ ...points[0], percent, disagreement, pairs }) as (typeof points)[number];
    const values = overStep(
      [window(10, null, 0), window(10, 0.1, 10), window(10, 0, 90), window(50, 0.5, 10)],
      (point) => point.disagreement,
      (point) => point.pairs,
    );
    expect(values).toEqual([null, 0.1, 0.01, 0.5]);
  });
  it('marks each change of the share, and only those', () => {
    expect(stepMarks(points).map((mark) => mark.label)).toEqual(['50 %']);
  });
});
