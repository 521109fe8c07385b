import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backOffMs } from '../../../shared/domain/operator/back-off.ts';

const at = new Date('2026-01-01T00:00:00.000Z');

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
    expect(backOffMs(failures, at.toISOString(), at)).toBe(wait);
  });

  test('runs out, is never negative, and a clock set back does not lengthen it', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.integer({ min: -1e9, max: 1e9 }), (failures, passed) => {
        const whole = backOffMs(failures, at.toISOString(), at);
        const rest = backOffMs(failures, at.toISOString(), new Date(at.getTime() + passed));
        expect(rest).toBe(passed <= 0 ? whole : Math.max(0, whole - passed));
      }),
    );
  });
});
