import crypto, { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreamDigest, type DigestResult } from '../../../shared/node/files/stream-digest.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function compare(expected: readonly Uint8Array[], came: readonly Uint8Array[]): DigestResult {
  const digest = createStreamDigest(crypto);
  for (const piece of expected) digest.expect(piece);
  for (const piece of came) digest.update(piece);
  return digest.finish();
}

describe('a stream that should equal an earlier one', () => {
  it('does for equal bytes, however they are cut, and has their SHA-256', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 5000 }), fc.array(fc.nat(5000)), (bytes, cuts) => {
        const pieces: Uint8Array[] = [];
        let from = 0;
        for (const to of [...cuts, bytes.length].filter((at) => at <= bytes.length).sort((a, b) => a - b)) {
          pieces.push(bytes.subarray(from, to));
          from = to;
        }
        expect(compare([bytes], pieces)).toEqual({ digest: sha256(bytes), asExpected: true });
      }),
    ));

  it('does not for one bit, a byte more or less, and two pieces in another order', () => {
    const bytes = randomBytes(100_000);
    const differs = (other: readonly Uint8Array[]): void =>
      expect(compare([bytes], other).asExpected).toBe(false);
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

  it('given nothing was expected, only the digest is answered; each time anew', () => {
    const digest = createStreamDigest(crypto);
    digest.expect(Buffer.from('a'));
    digest.update(Buffer.from('a'));
    expect(digest.finish().asExpected).toBe(true);
    digest.update(Buffer.from('b'));
    expect(digest.finish()).toEqual({ digest: sha256(Buffer.from('b')), asExpected: null });
    expect(digest.finish()).toEqual({ digest: sha256(Buffer.alloc(0)), asExpected: null });
  });
});
