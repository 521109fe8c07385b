import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countRequest,
  latencyBucket,
  snapshot,
  startCounting,
} from '../../../shared/domain/traffic/count.ts';
import { BUCKETS, bucketOf, isCanary } from '../../../shared/domain/traffic/route.ts';
import { LATENCY_BUCKETS_MS } from '../../../shared/domain/traffic/sample.ts';

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text, 'utf8').digest();

describe('sticky routing', () => {
  test('puts a key where every agent with the same salt puts it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (salt, key) => {
        const bucket = bucketOf(salt, key, sha256);
        expect(bucket).toBeGreaterThanOrEqual(0);
        expect(bucket).toBeLessThan(BUCKETS);
        expect(bucket).toBe(
          Number(
            BigInt(
              `0x${createHash('sha256')
                .update(salt + key)
                .digest('hex')
                .slice(0, 8)}`,
            ) % 10_000n,
          ),
        );
      }),
    );
  });
  test('never takes a key out of the canary while its percent rises', () => {
    fc.assert(
      fc.property(fc.nat(BUCKETS - 1), fc.nat(100), fc.nat(100), (bucket, a, b) => {
        if (isCanary(bucket, Math.min(a, b))) expect(isCanary(bucket, Math.max(a, b))).toBe(true);
      }),
    );
  });
  test('sends nobody at 0 %, everybody at 100 %, and about the share in between', () => {
    const buckets = Array.from({ length: 20_000 }, (_, index) =>
      bucketOf('a-plan-salt', `caller-${index}`, sha256),
    );
    const share = (percent: number) =>
      buckets.filter((bucket) => isCanary(bucket, percent)).length / buckets.length;
    expect(share(0)).toBe(0);
    expect(share(100)).toBe(1);
    // Four standard deviations of a binomial share at n = 20,000.
    expect(Math.abs(share(10) - 0.1)).toBeLessThan(0.0085);
    expect(Math.abs(share(50) - 0.5)).toBeLessThan(0.0142);
  });
});

describe('counting', () => {
  test('puts a latency into the first bucket whose bound it does not pass', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 20_000, noNaN: true }), (ms) => {
        const bucket = latencyBucket(ms);
        expect(ms).toBeLessThanOrEqual(LATENCY_BUCKETS_MS[bucket] ?? Number.POSITIVE_INFINITY);
        if (bucket > 0) expect(ms).toBeGreaterThan(LATENCY_BUCKETS_MS[bucket - 1] ?? 0);
      }),
    );
  });
  test('keeps failures out of the latencies, and a reading out of later counts', () => {
    const counter = startCounting('1.0.0');
    countRequest(counter, 1, false);
    const reading = snapshot(counter);
    countRequest(counter, 1, true);
    expect(reading).toMatchObject({ requests: 1, errors: 0 });
    expect(snapshot(counter)).toMatchObject({ requests: 2, errors: 1 });
    expect(snapshot(counter)?.latencyCounts.reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});
