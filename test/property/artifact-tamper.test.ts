/** Whatever is done to a stored file, at whatever position: it is found, by its one error, and nothing of it gets out. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { StoredArtifact } from '../../electron/ports/artifacts.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { encryptBytes, generateIdentity, headerLength } from '../../shared/node/age/index.ts';
import { storeHome } from '../support/artifact-store.ts';

const SEALED = 65552;
const CHUNKS = 4;
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tamper-')));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
const home = await storeHome(folder);
const { store, vault, recovery, pathOf } = home;
const exports = join(folder, 'exports');
await mkdir(exports);

interface Kept {
  readonly stored: StoredArtifact;
  readonly bytes: Buffer;
  /** The file as it was written. */
  readonly file: Buffer;
  /** Where the payload's first chunk begins. */
  readonly start: number;
}

async function keep(bytes: Buffer): Promise<Kept> {
  const stored = await store.putBytes(bytes);
  const file = await readFile(pathOf(stored));
  return { stored, bytes, file, start: (headerLength(file) ?? 0) + 16 };
}
const small = await keep(randomBytes(300));
const empty = await keep(Buffer.alloc(0));
const large = await keep(randomBytes((CHUNKS - 1) * 65536 + 777));
const twin = await keep(randomBytes((CHUNKS - 1) * 65536 + 777));

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error instanceof SallyportError ? error.code : String(error)),
  );

/** Plaintext that reading piece by piece hands out before it throws. */
async function released(stored: StoredArtifact): Promise<{ code: string; out: Buffer }> {
  const pieces: Buffer[] = [];
  const code = await codeOf(
    (async () => {
      for await (const piece of store.read(stored.artifactId, stored.digest)) pieces.push(Buffer.from(piece));
    })(),
  );
  return { code, out: Buffer.concat(pieces) };
}

/** Puts `changed` in the file's place: every way in refuses it, then the file is put back and answers again. */
async function expectFound(
  { stored, bytes, file }: Kept,
  changed: Uint8Array,
  worker = false,
  isWhole = false,
): Promise<void> {
  await writeFile(pathOf(stored), changed);
  try {
    expect(await codeOf(store.readAll(stored.artifactId, stored.digest))).toBe('integrity.artifact');
    const { code, out } = await released(stored);
    expect(code).toBe('integrity.artifact');
    // What came out before the change is the registered file's own beginning. A whole other file of this vault's keys
    // is known by its digest alone, and so at its end: `read` says to act on nothing before.
    if (!isWhole) expect(bytes.subarray(0, out.length).equals(out)).toBe(true);
    if (worker) {
      expect(await codeOf(store.verify(stored.artifactId, stored.digest))).toBe('integrity.artifact');
      const target = join(exports, 'model.onnx');
      expect(await codeOf(store.exportTo(stored.artifactId, stored.digest, target))).toBe(
        'integrity.artifact',
      );
      expect(await readdir(exports)).toEqual([]);
    }
  } finally {
    await writeFile(pathOf(stored), file);
  }
  // What was found wrong a moment ago is judged by its bytes, not by memory of it; and the other way round below.
  expect((await store.readAll(stored.artifactId, stored.digest)).equals(bytes)).toBe(true);
}

const flipped = (file: Buffer, at: number, mask: number): Buffer => {
  const changed = Buffer.from(file);
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed;
};
const chunksOf = ({ file, start }: Kept): Buffer[] =>
  Array.from({ length: CHUNKS }, (_, at) => file.subarray(start + at * SEALED, start + (at + 1) * SEALED));
const withChunks = (kept: Kept, chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([kept.file.subarray(0, kept.start), ...chunks]);

describe('a byte is flipped', () => {
  it.each([
    ['a small file', small],
    ['an empty file', empty],
  ])('at every position of %s: header, MAC, nonce, chunk, tag', async (_what, kept) => {
    for (let at = 0; at < kept.file.length; at++)
      await expectFound(kept, flipped(kept.file, at, 1 << (at % 8)), at % 97 === 0);
  });

  it('anywhere in a large file, also seen by the worker and the export', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.integer({ min: 0, max: large.file.length - 1 }),
          // First and last byte of each chunk, and its tag.
          fc
            .record({
              chunk: fc.integer({ min: 0, max: CHUNKS - 1 }),
              from: fc.constantFrom(0, 1, SEALED - 17, SEALED - 16, SEALED - 1),
            })
            .map(({ chunk, from }) => Math.min(large.start + chunk * SEALED + from, large.file.length - 1)),
          fc.integer({ min: 1, max: 17 }).map((back) => large.file.length - back),
        ),
        fc.integer({ min: 1, max: 255 }),
        (at, mask) => expectFound(large, flipped(large.file, at, mask), true),
      ),
      { numRuns: 80 },
    ));
});

describe('the length is changed', () => {
  it('to every shorter one of a small file', async () => {
    for (let length = 0; length < small.file.length; length++)
      await expectFound(small, small.file.subarray(0, length));
  });

  it('of a large file, to any, at a chunk’s border too, or by anything appended', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.integer({ min: 0, max: large.file.length - 1 }),
          fc.integer({ min: 0, max: CHUNKS - 1 }).map((chunk) => large.start + chunk * SEALED),
        ),
        fc.uint8Array({ minLength: 1, maxLength: SEALED + 1 }),
        async (length, tail) => {
          await expectFound(large, large.file.subarray(0, length), true);
          await expectFound(large, Buffer.concat([large.file, tail]), true);
        },
      ),
      { numRuns: 25 },
    ));
});

describe('parts are exchanged', () => {
  it('any two chunks, one repeated, one left out', async () => {
    const chunks = chunksOf(large);
    for (let a = 0; a < CHUNKS; a++) {
      await expectFound(large, withChunks(large, [...chunks.slice(0, a), ...chunks.slice(a + 1)]));
      await expectFound(large, withChunks(large, [...chunks.slice(0, a + 1), ...chunks.slice(a)]));
      for (let b = a + 1; b < CHUNKS; b++) {
        const swapped = [...chunks];
        [swapped[a], swapped[b]] = [chunks[b] as Buffer, chunks[a] as Buffer];
        await expectFound(large, withChunks(large, swapped));
      }
    }
  });

  it('any chunk, the nonce or the header, by that of another file of the vault', async () => {
    const chunks = chunksOf(large);
    const others = chunksOf(twin);
    for (let at = 0; at < CHUNKS; at++)
      await expectFound(
        large,
        withChunks(
          large,
          chunks.map((own, each) => (each === at ? (others[at] as Buffer) : own)),
        ),
      );
    const header = large.start - 16;
    await expectFound(large, Buffer.concat([twin.file.subarray(0, header), large.file.subarray(header)]));
    await expectFound(
      large,
      Buffer.concat([
        large.file.subarray(0, header),
        twin.file.subarray(header, large.start),
        large.file.subarray(large.start),
      ]),
    );
  });

  it('two whole files: both are found', async () => {
    const aside = join(folder, 'aside');
    await copyFile(pathOf(large.stored), aside);
    await rename(pathOf(twin.stored), pathOf(large.stored));
    await rename(aside, pathOf(twin.stored));
    for (const { stored } of [large, twin])
      expect(await codeOf(store.verify(stored.artifactId, stored.digest))).toBe('integrity.artifact');
    for (const { stored, file } of [large, twin]) await writeFile(pathOf(stored), file);
    expect(await store.verify(large.stored.artifactId, large.stored.digest)).toBe(large.bytes.length);
  });
});

describe('the recipients are changed', async () => {
  const stranger = await generateIdentity();
  const lines = small.file
    .subarray(0, headerLength(small.file) ?? 0)
    .toString('latin1')
    .split('\n');
  const rest = small.file.subarray(headerLength(small.file) ?? 0);
  const foreign = (await encryptBytes([stranger.recipient], Buffer.from('x'))).toString('latin1').split('\n');
  const withLines = (changed: readonly string[]): Buffer =>
    Buffer.concat([Buffer.from(changed.join('\n'), 'latin1'), rest]);
  // 0 version, 1-2 the vault's stanza, 3-4 the recovery's, 5 MAC.
  const stanza = (at: number): string[] => lines.slice(at, at + 2);
  const built = (...parts: string[][]): Buffer =>
    withLines([lines[0] ?? '', ...parts.flat(), ...lines.slice(5)]);

  it.each<[string, Buffer]>([
    ['the recovery’s stanza replaced by a stranger’s', built(stanza(1), foreign.slice(1, 3))],
    ['the vault’s stanza replaced by a stranger’s', built(foreign.slice(1, 3), stanza(3))],
    ['a stranger’s stanza added', built(stanza(1), stanza(3), foreign.slice(1, 3))],
    ['the stanzas swapped', built(stanza(3), stanza(1))],
    ['the recovery’s stanza left out', built(stanza(1))],
    ['the vault’s stanza left out', built(stanza(3))],
    ['a stanza repeated', built(stanza(1), stanza(1))],
  ])('given %s, it is found', (_what, changed) => expectFound(small, changed, true));

  it('with the same content encrypted anew for a stranger in the place of the recovery key: seen in the header', async () => {
    expect(await store.recipientsOf(small.stored.artifactId)).toBe('confirmed');
    const judged = async (...recipients: string[]): Promise<string> => {
      await writeFile(pathOf(small.stored), await encryptBytes(recipients, small.bytes));
      return store.recipientsOf(small.stored.artifactId);
    };
    try {
      expect(await judged(vault.recipient, stranger.recipient)).toBe('unconfirmed');
      expect(await judged(vault.recipient)).toBe('foreign');
      expect(await judged(vault.recipient, recovery.recipient, stranger.recipient)).toBe('foreign');
    } finally {
      await writeFile(pathOf(small.stored), small.file);
    }
  });

  it('with other content encrypted anew for exactly the right ones', async () => {
    for (const other of [Buffer.alloc(0), randomBytes(small.bytes.length), flipped(small.bytes, 7, 1)])
      await expectFound(small, await encryptBytes([vault.recipient, recovery.recipient], other), true, true);
  });
});

it('a file that was good a moment ago is read anew: nothing is kept from then', async () => {
  expect((await store.readAll(large.stored.artifactId, large.stored.digest)).equals(large.bytes)).toBe(true);
  await store.verify(large.stored.artifactId, large.stored.digest);
  await expectFound(large, flipped(large.file, large.file.length - 1, 1), true);
});
