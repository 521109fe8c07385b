import fc from 'fast-check';
import { expect, test } from 'vitest';
import { capacityOf, RateLimiter } from '../../../serving/guard/rate-limit.ts';

const rates = fc.record({
  perSecond: fc.integer({ min: 1, max: 1000 }),
  burstSeconds: fc.integer({ min: 1, max: 10 }),
});
const wishes = fc.array(
  fc.record({ after: fc.integer({ min: 0, max: 3000 }), amount: fc.integer({ min: 1, max: 50 }) }),
  { minLength: 1, maxLength: 200 },
);

test('over any time, no more is granted than a full bucket, the rate, and one wish that was larger than a bucket', () => {
  fc.assert(
    fc.property(rates, wishes, (rate, calls) => {
      const limiter = new RateLimiter(rate);
      let now = 0;
      let granted = 0;
      for (const { after, amount } of calls) {
        now += after;
        if (limiter.take('a', amount, now).kind === 'taken') granted += amount;
      }
      expect(granted).toBeLessThanOrEqual(capacityOf(rate) + (now / 1000) * rate.perSecond + 50);
    }),
  );
});

test('whoever waits as long as told is granted the same wish, and keeps to the rate without ever being refused', () => {
  fc.assert(
    fc.property(rates, wishes, (rate, calls) => {
      const limiter = new RateLimiter(rate);
      let now = 0;
      for (const { amount } of calls) {
        const taken = limiter.take('a', amount, now);
        if (taken.kind === 'empty') {
          now += taken.waitSeconds * 1000;
          expect(limiter.take('a', amount, now).kind).toBe('taken');
        }
      }
      const steady = new RateLimiter(rate);
      for (let each = 0; each < 200; each++)
        expect(steady.take('a', 1, Math.ceil((each * 1000) / rate.perSecond)).kind).toBe('taken');
    }),
  );
});

test('keys do not share, a clock that goes back fills nothing, and memory is bounded', () => {
  const limiter = new RateLimiter({ perSecond: 1, burstSeconds: 1 }, 3);
  expect(limiter.take('a', 1, 5000).kind).toBe('taken');
  expect(limiter.take('b', 1, 5000).kind).toBe('taken');
  expect(limiter.take('a', 1, 5000)).toEqual({ kind: 'empty', waitSeconds: 1 });
  expect(limiter.take('a', 1, 1000).kind).toBe('empty');
  expect(limiter.take('a', 1, 5500).kind).toBe('empty');
  // Three more keys: the longest unused are forgotten, `b` first.
  for (const key of ['c', 'd']) limiter.take(key, 1, 5500);
  expect(limiter.take('a', 1, 5500).kind).toBe('empty');
  expect(limiter.take('b', 1, 5500).kind).toBe('taken');
});

test('a wish larger than a bucket is granted when it is full, and paid for afterwards', () => {
  const limiter = new RateLimiter({ perSecond: 10, burstSeconds: 2 });
  expect(limiter.take('a', 100, 0)).toEqual({ kind: 'taken', left: 0 });
  expect(limiter.take('a', 1, 0)).toEqual({ kind: 'empty', waitSeconds: 9 });
  expect(limiter.take('a', 1, 8200).kind).toBe('taken');
});

test('as many keys as there is room for are remembered: those used last, in any order of use', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 100 }), (uses) => {
      const room = 4;
      const limiter = new RateLimiter({ perSecond: 1, burstSeconds: 1 }, room);
      let remembered: number[] = [];
      for (const key of uses) {
        // A bucket that was forgotten is full again; one that is remembered was emptied by its first use.
        const kind = remembered.includes(key) ? 'empty' : 'taken';
        expect(limiter.take(String(key), 1, 0).kind).toBe(kind);
        remembered = [...remembered.filter((each) => each !== key), key].slice(-room);
      }
    }),
  );
});
