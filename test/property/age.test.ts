import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { SallyportError } from '../../shared/domain/errors.ts';
import {
  decryptBytes,
  decryptFileStream,
  decryptWithPassphrase,
  encryptBytes,
  encryptWithPassphrase,
  generateIdentity,
  headerLength,
  openHeader,
} from '../../shared/node/age/index.ts';

const SEALED = 65552;
const vault = await generateIdentity();
const recovery = await generateIdentity();
const folder = await mkdtemp(join(tmpdir(), 'age-property-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Whatever was done to the file, nothing is returned, and the error is one of ours. */
async function expectRefused(file: Uint8Array): Promise<void> {
  const outcome = await decryptBytes([vault.identity], file).then(
    () => 'returned',
    (error: unknown) => (error instanceof SallyportError ? error.code : String(error)),
  );
  expect(['integrity.artifact', 'auth.failed']).toContain(outcome);
}

const small = await encryptBytes([vault.recipient, recovery.recipient], Buffer.from('a small secret'));
const bytes = randomBytes(5 * 65536 + 77);
const large = await encryptBytes([vault.recipient], bytes);
const largeStart = (headerLength(large) ?? 0) + 16;

describe('a changed age file is refused', () => {
  it('with any bit of a small file flipped', async () => {
    for (let at = 0; at < small.length; at++) {
      for (const bit of [1, 0x80, 1 << (at % 8)]) {
        const changed = Buffer.from(small);
        changed[at] = (changed[at] ?? 0) ^ bit;
        await expectRefused(changed);
      }
    }
  });

  it('cut off anywhere, for a small file at every length', async () => {
    for (let length = 0; length < small.length; length++) await expectRefused(small.subarray(0, length));
  });

  it('with any byte of a large file replaced', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: large.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const changed = Buffer.from(large);
          changed[at] = (changed[at] ?? 0) ^ mask;
          await expectRefused(changed);
        },
      ),
      { numRuns: 150 },
    ));

  it('cut off at any length or chunk border, or with anything appended', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.integer({ min: 0, max: large.length - 1 }),
          fc.integer({ min: 0, max: 5 }).map((chunk) => largeStart + chunk * SEALED),
        ),
        fc.uint8Array({ minLength: 1, maxLength: 70_000 }),
        async (length, tail) => {
          await expectRefused(large.subarray(0, length));
          await expectRefused(Buffer.concat([large, tail]));
        },
      ),
      { numRuns: 60 },
    ));

  it('with any two chunks swapped, one repeated, or one left out', async () => {
    const chunks = Array.from({ length: 6 }, (_, at) =>
      large.subarray(largeStart + at * SEALED, largeStart + (at + 1) * SEALED),
    );
    const begin = large.subarray(0, largeStart);
    for (let a = 0; a < chunks.length; a++) {
      await expectRefused(Buffer.concat([begin, ...chunks.slice(0, a), ...chunks.slice(a + 1)]));
      await expectRefused(Buffer.concat([begin, ...chunks.slice(0, a + 1), ...chunks.slice(a)]));
      for (let b = a + 1; b < chunks.length; b++) {
        const swapped = [...chunks];
        [swapped[a], swapped[b]] = [chunks[b] as Buffer, chunks[a] as Buffer];
        await expectRefused(Buffer.concat([begin, ...swapped]));
      }
    }
  });

  it('with the payload of another file under its header', async () => {
    const other = await encryptBytes([vault.recipient], bytes);
    await expectRefused(
      Buffer.concat([large.subarray(0, largeStart), other.subarray((headerLength(other) ?? 0) + 16)]),
    );
  });

  it('also streamed from disk: the pieces before the change are the original, the rest never comes', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: largeStart, max: large.length - 1 }), async (at) => {
        const path = join(folder, 'changed.age');
        const changed = Buffer.from(large);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await writeFile(path, changed);
        const fileKey = await openHeader(vault.identity, changed.subarray(0, largeStart - 16));
        let seen = 0;
        await expect(
          (async () => {
            for await (const piece of decryptFileStream(path, fileKey)) {
              expect(piece.equals(bytes.subarray(seen, seen + piece.length))).toBe(true);
              seen += piece.length;
            }
          })(),
        ).rejects.toMatchObject({ code: 'integrity.artifact' });
        expect(seen).toBeLessThan(bytes.length);
      }),
      { numRuns: 30 },
    ));

  it('under a passphrase, with any bit flipped', async () => {
    const file = await encryptWithPassphrase('correct horse', Buffer.from('key'), { workFactor: 1 });
    for (let at = 0; at < file.length; at++) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const outcome = await decryptWithPassphrase('correct horse', changed).then(
        () => 'returned',
        (error: unknown) => (error instanceof SallyportError ? error.code : String(error)),
      );
      expect(['integrity.artifact', 'auth.failed'], `byte ${at}`).toContain(outcome);
    }
  });
});

it('any bytes come back as they were', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200_000 }), async (plain) => {
      expect(
        (await decryptBytes([vault.identity], await encryptBytes([vault.recipient], plain))).equals(plain),
      ).toBe(true);
    }),
    { numRuns: 40 },
  ));
