import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTimeToLock, someoneThere, timePassed } from '../../../shared/domain/vault/auto-lock.ts';

test('locks after the minutes and not before; never where that is 0', () => {
  const idle = timePassed(someoneThere(1000), 1000 + 15 * 60_000 - 1);
  expect(isTimeToLock(idle, 15)).toBe(false);
  expect(isTimeToLock(timePassed(idle, 1000 + 15 * 60_000), 15)).toBe(true);
  expect(isTimeToLock(timePassed(idle, Number.MAX_SAFE_INTEGER), 0)).toBe(false);
});

test('a clock that jumps back takes nothing off the time nobody was there', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 })), (jumps) => {
      let at = 1_000_000_000;
      let idle = someoneThere(at);
      let forward = 0;
      for (const jump of jumps) {
        at += jump;
        forward += Math.max(0, jump);
        const next = timePassed(idle, at);
        expect(next.idleMs).toBeGreaterThanOrEqual(idle.idleMs);
        idle = next;
      }
      expect(idle.idleMs).toBe(forward);
    }),
  );
});
