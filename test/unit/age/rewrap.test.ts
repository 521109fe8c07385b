import { createHash, randomBytes } from 'node:crypto';
import { copyFile, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeHeader } from '../../../shared/node/age/header.ts';
import {
  checkHeaderRecipients,
  decryptBytes,
  encryptBytes,
  generateIdentity,
  headerLength,
  openHeader,
  resealFile,
  rewrapHeader,
} from '../../../shared/node/age/index.ts';
import { temporaryDirectory } from '../../support/temp.ts';

const [oldVault, newVault, recovery, stranger] = await Promise.all([
  generateIdentity(),
  generateIdentity(),
  generateIdentity(),
  generateIdentity(),
]);
const OLD = [oldVault.recipient, recovery.recipient];
const NEW = [newVault.recipient, recovery.recipient];

/** Around the borders of a chunk, and more than the copy reads at once. */
const SIZES = [0, 1, 65535, 65536, 65537, 3 * 1024 * 1024 + 11];

async function fileOf(bytes: Uint8Array, recipients: readonly string[] = OLD): Promise<string> {
  const path = join(temporaryDirectory(), 'model.age');
  await writeFile(path, await encryptBytes(recipients, bytes), { mode: 0o600 });
  return path;
}
const header = (file: Buffer): Buffer => file.subarray(0, headerLength(file) ?? 0);

describe('a new header around the same payload', () => {
  it.each(SIZES)(
    'given %i bytes, the new keys open it, the old one no more, and the payload stays',
    async (size) => {
      const bytes = randomBytes(size);
      const path = await fileOf(bytes);
      const before = await readFile(path);
      expect(await rewrapHeader(path, [newVault.identity, oldVault.identity], NEW)).toEqual({
        rewrapped: true,
        fileBytes: before.length,
      });
      const after = await readFile(path);
      expect(after.subarray(header(after).length).equals(before.subarray(header(before).length))).toBe(true);
      for (const { identity } of [newVault, recovery])
        expect((await decryptBytes([identity], after)).equals(bytes)).toBe(true);
      await expect(decryptBytes([oldVault.identity], after)).rejects.toMatchObject({ code: 'auth.failed' });
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readdir(join(path, '..'))).toEqual(['model.age']);
    },
  );

  it('done again, as after a stop, it writes nothing', async () => {
    const path = await fileOf(randomBytes(100));
    await rewrapHeader(path, oldVault.identity, NEW);
    const { ino } = await stat(path);
    expect(await rewrapHeader(path, [oldVault.identity, newVault.identity], NEW)).toMatchObject({
      rewrapped: false,
    });
    expect((await stat(path)).ino).toBe(ino);
  });

  it.each<[string, string, (path: string) => Promise<void>]>([
    [
      'a changed payload',
      'integrity.artifact',
      async (path) => {
        const file = await readFile(path);
        file[file.length - 1] = (file.at(-1) ?? 0) ^ 1;
        await writeFile(path, file);
      },
    ],
    [
      'a cut-off payload',
      'integrity.artifact',
      async (path) => writeFile(path, (await readFile(path)).subarray(0, -5)),
    ],
    [
      'a file of somebody else',
      'auth.failed',
      async (path) => {
        await writeFile(path, await encryptBytes([stranger.recipient], Buffer.from('theirs')));
      },
    ],
  ])('given %s, it is refused as %s and left as it was', async (_what, code, spoil) => {
    const path = await fileOf(randomBytes(200_000));
    await spoil(path);
    const before = await readFile(path);
    await expect(rewrapHeader(path, oldVault.identity, NEW)).rejects.toMatchObject({ code });
    await expect(resealFile(path, oldVault.identity, NEW, null)).rejects.toMatchObject({ code });
    expect((await readFile(path)).equals(before)).toBe(true);
    expect(await readdir(join(path, '..'))).toEqual(['model.age']);
  });

  it('given a link, it is refused: what it points to is not ours to replace', async () => {
    const path = await fileOf(randomBytes(10));
    await symlink(path, `${path}.link`);
    await expect(rewrapHeader(`${path}.link`, oldVault.identity, NEW)).rejects.toMatchObject({
      code: 'input.invalid',
    });
  });
});

describe('encrypting a file again', () => {
  it.each(SIZES)(
    'given %i bytes, they stay, and the key that was in the old header opens nothing',
    async (size) => {
      const bytes = randomBytes(size);
      const path = await fileOf(bytes);
      const oldKey = await openHeader(oldVault.identity, header(await readFile(path)));
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect(await resealFile(path, oldVault.identity, NEW, digest)).toEqual({ digest, sizeBytes: size });
      const after = await readFile(path);
      expect((await decryptBytes([recovery.identity], after)).equals(bytes)).toBe(true);
      expect(Buffer.from(await openHeader(newVault.identity, header(after))).equals(oldKey)).toBe(false);
    },
  );

  it('given a file with other content than registered, it is refused and left as it was', async () => {
    const path = await fileOf(Buffer.from('other'));
    const copy = `${path}.copy`;
    await copyFile(path, copy);
    await expect(resealFile(path, oldVault.identity, NEW, 'f'.repeat(64))).rejects.toMatchObject({
      code: 'integrity.artifact',
    });
    expect((await readFile(path)).equals(await readFile(copy))).toBe(true);
  });
});

describe('whom a header is for', () => {
  const judge = async (file: Buffer, recipients: readonly string[] = OLD): Promise<string> =>
    checkHeaderRecipients(header(file), await openHeader(oldVault.identity, header(file)), recipients);

  it('is confirmed for exactly those it was made for, in any order', async () => {
    const file = await encryptBytes(OLD, randomBytes(10));
    expect(await judge(file)).toBe('confirmed');
    expect(await judge(file, [...OLD].reverse())).toBe('confirmed');
    expect(await judge(file, NEW)).toBe('unconfirmed');
    expect(await judge(file, [oldVault.recipient])).toBe('foreign');
  });

  it('is not for somebody put in the place of the recovery key, nor added beside it', async () => {
    const replaced = await encryptBytes([oldVault.recipient, stranger.recipient], Buffer.from('same'));
    expect(await judge(replaced)).toBe('unconfirmed');
    expect(await judge(await encryptBytes([...OLD, stranger.recipient], Buffer.from('same')))).toBe(
      'foreign',
    );
    expect(await judge(await encryptBytes([oldVault.recipient], Buffer.from('same')))).toBe('foreign');
  });

  it('cannot be judged with a key that is not the file’s', async () => {
    const file = await encryptBytes(OLD, randomBytes(10));
    await expect(checkHeaderRecipients(header(file), randomBytes(16), OLD)).rejects.toMatchObject({
      code: 'integrity.artifact',
    });
  });

  it('two files for one recipient share nothing that tells so', async () => {
    const shares = new Set<string>();
    for (let each = 0; each < 50; each++) {
      const { bytes } = await makeHeader([oldVault.recipient]);
      shares.add(Buffer.from(bytes).toString('latin1').split('\n')[1] ?? '');
    }
    expect(shares.size).toBe(50);
  });
});
