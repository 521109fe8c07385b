import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreamTags, sameTag } from '../../../shared/node/files/same-bytes.ts';

describe('tags of two streams', () => {
  it('are equal for equal bytes, however they are cut', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.array(fc.nat(5000)), (bytes, cuts) => {
        const newTag = createStreamTags();
        const whole = newTag();
        whole.update(bytes);
        const cut = newTag();
        let from = 0;
        for (const to of [...cuts, bytes.length].filter((at) => at <= bytes.length).sort((a, b) => a - b)) {
          cut.update(bytes.subarray(from, to));
          from = to;
        }
        expect(sameTag(whole, cut)).toBe(true);
      }),
    ));

  it('differ for one bit, a byte more or less, and two pieces in another order', () => {
    const bytes = randomBytes(100_000);
    const differs = (other: readonly Uint8Array[]): void => {
      const newTag = createStreamTags();
      const one = newTag();
      one.update(bytes);
      const two = newTag();
      for (const piece of other) two.update(piece);
      expect(sameTag(one, two)).toBe(false);
    };
    for (const at of [0, 1, 15, 16, 65535, 65536, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      differs([changed]);
    }
    differs([bytes.subarray(1)]);
    differs([bytes, Buffer.alloc(1)]);
    differs([bytes.subarray(50_000), bytes.subarray(0, 50_000)]);
    differs([]);
  });
});
