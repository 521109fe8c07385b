import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attempts, judgeAttempt, waitAfter } from '../../../shared/domain/operator/back-off.ts';

const at = new Date('2026-01-01T00:00:00.000Z');
const later = (ms: number): Date => new Date(at.getTime() + ms);

describe('the wait after wrong passphrases', () => {
  test.each([
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 1000],
    [4, 2000],
    [5, 4000],
    [11, 256_000],
    [12, 300_000],
    [5000, 300_000],
  ])('after %i failures is %i ms', (failures, wait) => {
    expect(waitAfter(failures)).toBe(wait);
  });

  test('runs out by the clock, and an attempt that is looked at is spent', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(1_000_000), (count, passed) => {
        const attempts = { count, lastAt: at.toISOString() };
        const { waitMs, next } = judgeAttempt(attempts, later(passed));
        expect(waitMs).toBe(Math.max(0, waitAfter(count) - passed));
        expect(next).toEqual(waitMs === 0 ? { count: count + 1, lastAt: later(passed).toISOString() } : null);
      }),
    );
  });

  test('is the whole one after the clock was set back, counted by the new clock, and ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 50 }), fc.integer({ min: 1, max: 1e10 }), (count, back) => {
        const now = later(-back);
        const first = judgeAttempt({ count, lastAt: at.toISOString() }, now);
        expect(first).toEqual({ waitMs: waitAfter(count), next: { count, lastAt: now.toISOString() } });
        const kept = first.next as Attempts;
        expect(judgeAttempt(kept, new Date(now.getTime() + waitAfter(count) - 1)).waitMs).toBe(1);
        expect(judgeAttempt(kept, new Date(now.getTime() + waitAfter(count))).waitMs).toBe(0);
      }),
    );
  });

  test('lets nobody guess faster than the schedule, however attempts and clock are moved', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -400_000, max: 400_000 }), { maxLength: 60 }), (steps) => {
        let kept: Attempts = { count: 0, lastAt: null };
        let now = at.getTime();
        /** Time that went forwards since the last attempt that was looked at: a clock set back gives none of it back. */
        let forwards = 0;
        for (const step of steps) {
          now += step;
          forwards += Math.max(0, step);
          const { waitMs, next } = judgeAttempt(kept, new Date(now));
          if (waitMs === 0) {
            expect(forwards).toBeGreaterThanOrEqual(waitAfter(kept.count));
            forwards = 0;
          }
          kept = next ?? kept;
        }
      }),
    );
  });
});
