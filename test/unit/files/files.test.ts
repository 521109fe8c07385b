import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  diskError,
  readSecretFile,
  temporaryOwner,
  temporaryPath,
  writeFileAtomic,
} from '../../../shared/node/files/files.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'files-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('writing a file whole', () => {
  it('creates and replaces, with the mode asked for, and leaves nothing else', async () => {
    const path = join(dir, 'vault.json');
    await writeFileAtomic(path, 'one');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeFileAtomic(path, new Uint8Array([116, 119, 111]), { mode: 0o644 });
    expect(await readFile(path, 'utf8')).toBe('two');
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    expect(await readdir(dir)).toEqual(['vault.json']);
  });

  it('given a target that cannot be replaced, leaves everything as it was', async () => {
    await expect(writeFileAtomic(join(dir, 'no/such/folder'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(writeFileAtomic(dir, 'x')).rejects.toThrow();
    expect(await readdir(dir)).toEqual([]);
  });

  it('says that the disk is full, on a real full device', async () => {
    const { open } = await import('node:fs/promises');
    const full = await open('/dev/full', 'w').catch(() => null);
    if (!full) return console.warn('skipped: this system has no /dev/full');
    const error = await full.write('x').then(
      () => null,
      (thrown: unknown) => diskError(thrown),
    );
    await full.close();
    expect(error).toMatchObject({ code: 'disk.full', hint: expect.stringContaining('unchanged') });
  });

  it.each([
    ['ENOSPC', 'disk.full'],
    ['EDQUOT', 'disk.full'],
    ['EFBIG', 'disk.full'],
    ['EROFS', 'disk.read-only'],
    ['EACCES', 'disk.read-only'],
    ['EPERM', 'disk.read-only'],
  ])('tells %s of a failed write as %s, and says what was kept', (system, code) => {
    const error = Object.assign(new Error('write'), { code: system });
    expect(diskError(error)).toMatchObject({
      code,
      facts: { system },
      hint: expect.stringContaining('unchanged'),
    });
    const other = Object.assign(new Error('read'), { code: 'EIO' });
    expect(diskError(other)).toBe(other);
  });

  it('names temporary files after their process', () => {
    const name = temporaryPath(join(dir, 'a.age')).slice(dir.length + 1);
    expect(temporaryOwner(name)).toBe(process.pid);
    expect(temporaryOwner('a.age')).toBeNull();
    expect(temporaryOwner('.a.age.tmp')).toBeNull();
  });
});

describe('reading a secret file', () => {
  const path = (): string => join(dir, 'passphrase');

  it('answers its text without the line end', async () => {
    await writeFile(path(), 'correct horse \r\n', { mode: 0o600 });
    expect(await readSecretFile(path())).toBe('correct horse ');
    await chmod(path(), 0o400);
    expect(await readSecretFile(path())).toBe('correct horse ');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['no file', async () => {}],
    [
      'a directory',
      () => chmod(dir, 0o700).then(async () => (await import('node:fs/promises')).mkdir(path())),
    ],
    [
      'a file others can read',
      async () => {
        await writeFile(path(), 'x', { mode: 0o600 });
        await chmod(path(), 0o640);
      },
    ],
    [
      'a file others can write',
      async () => {
        await writeFile(path(), 'x', { mode: 0o600 });
        await chmod(path(), 0o602);
      },
    ],
    [
      'a symbolic link to a good file',
      async () => {
        await writeFile(join(dir, 'real'), 'x', { mode: 0o600 });
        await symlink(join(dir, 'real'), path());
      },
    ],
    ['an empty file', () => writeFile(path(), '\n', { mode: 0o600 })],
    ['a huge file', () => writeFile(path(), 'x'.repeat(70_000), { mode: 0o600 })],
    [
      'a pipe that nobody writes to',
      async () => {
        spawnSync('mkfifo', ['-m', '600', path()]);
      },
    ],
  ])('given %s, it is refused', async (_what, make) => {
    await make();
    await expect(readSecretFile(path())).rejects.toMatchObject({ code: 'usage' });
  });
});
