/** What else may lie where a file should: pipes, links, devices, disks that take nothing; and who else can read it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmod,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createModelInspector } from '../../electron/adapters/vault/model-inspector.ts';
import type { ForkWorker } from '../../electron/ports/processes.ts';
import { generateIdentity, rewrapHeader } from '../../shared/node/age/index.ts';
import { job, type StoreHome, storeHome } from '../support/artifact-store.ts';
import { forkWorker } from '../support/machine.ts';
import { minimalOnnx } from '../support/minimal-onnx.ts';
import { temporaryDirectory } from '../support/temp.ts';

const home = (fork: ForkWorker = forkWorker): Promise<StoreHome> => storeHome(temporaryDirectory(), fork);

/** Puts something at `path` that is no regular file. */
const NOT_FILES: readonly [string, string, (path: string) => Promise<unknown>][] = [
  ['a named pipe', 'a named pipe', async (path) => spawnSync('mkfifo', ['-m', '600', path])],
  ['a directory', 'a directory', (path) => mkdir(path)],
  [
    'a socket',
    'a socket',
    async (path) => {
      // The name of a socket may have about 100 bytes: it is bound elsewhere and moved.
      const short = await mkdtemp(join(tmpdir(), 's-'));
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(short, 's'), resolve));
      await rename(join(short, 's'), path);
      onTestFinished(async () => {
        server.close();
        await rm(short, { recursive: true });
      });
    },
  ],
  ['a link to a device', 'a device', (path) => symlink('/dev/zero', path)],
  [
    'a link to a pipe',
    'a named pipe',
    async (path) => {
      spawnSync('mkfifo', ['-m', '600', `${path}.pipe`]);
      await symlink(`${path}.pipe`, path);
    },
  ],
];

describe.skipIf(process.platform === 'win32')('a model to be added or looked at', () => {
  it.each(NOT_FILES)(
    'given %s, it is refused at once as %s, and nothing is kept',
    async (_what, kind, plant) => {
      const at = await home();
      const path = join(at.folder, 'model.onnx');
      await plant(path);
      const refused = { code: 'input.invalid', message: `${path} is ${kind}, not a file.` };
      await expect(at.store.add(path)).rejects.toMatchObject(refused);
      const inspector = createModelInspector({ directory: at.directory, forkWorker });
      await expect(inspector.inspect(path)).rejects.toMatchObject(refused);
      expect(await at.files()).toEqual([]);
    },
  );

  it('given a link to a model, it is the model: the person gave the path', async () => {
    const at = await home();
    const path = await at.source(minimalOnnx());
    await symlink(path, `${path}.link`);
    expect((await at.store.add(`${path}.link`)).digest).toBe((await at.store.add(path)).digest);
  });

  it.each<[string, (file: FileHandle, size: number) => Promise<unknown>]>([
    ['shrinks', async (file) => file.truncate((await file.stat()).size - 1000)],
    ['grows', async (file) => file.write(Buffer.alloc(10), 0, 10, (await file.stat()).size)],
    ['changes in place', (file, size) => file.write(randomBytes(1000), 0, 1000, size / 2)],
  ])('given a file that %s while it is added, nothing is kept', async (_what, change) => {
    const at = await home();
    const bytes = minimalOnnx({ weightBytes: 60_000_000 });
    const path = await at.source(bytes);
    const file = await open(path, 'r+');
    let settled = false;
    const adding = at.store.add(path).finally(() => {
      settled = true;
    });
    const refused = expect(adding).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining('changed while it was read'),
    });
    // Again and again: one change alone may come before the first byte is read, or after the last.
    while (!settled) {
      await change(file, bytes.length);
      await setTimeout(2);
    }
    await file.close();
    await refused;
    expect(await at.files()).toEqual([]);
  });

  it('given /dev/stdin that a slow program writes to, it is refused as the pipe it is', async () => {
    const at = await home();
    const writer: ChildProcess = spawn('sleep', ['30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => {
      writer.kill('SIGKILL');
    });
    const path = `/proc/${writer.pid}/fd/1`;
    await expect(at.store.add(path)).rejects.toMatchObject({ code: 'input.invalid' });
  });
});

describe.skipIf(process.platform === 'win32')('in the place of a stored file', () => {
  it.each(NOT_FILES)('given %s, no way to read it hangs or answers', async (_what, _kind, plant) => {
    const at = await home();
    const stored = await at.store.putBytes(randomBytes(1000));
    await rm(at.pathOf(stored));
    await plant(at.pathOf(stored));
    const refused = { code: 'integrity.artifact' };
    await expect(at.store.readAll(stored.artifactId, stored.digest)).rejects.toMatchObject(refused);
    await expect(at.store.verify(stored.artifactId, stored.digest)).rejects.toMatchObject(refused);
    await expect(at.store.recipientsOf(stored.artifactId)).rejects.toMatchObject(refused);
    await expect(
      at.store.exportTo(stored.artifactId, stored.digest, join(at.folder, 'out.onnx')),
    ).rejects.toMatchObject(refused);
  });

  it('given a link to the very file, it is refused: the store holds files, not pointers', async () => {
    const at = await home();
    const stored = await at.store.putBytes(randomBytes(1000));
    const elsewhere = join(at.folder, 'elsewhere.age');
    await rename(at.pathOf(stored), elsewhere);
    await symlink(elsewhere, at.pathOf(stored));
    await expect(at.store.verify(stored.artifactId, stored.digest)).rejects.toMatchObject({
      code: 'integrity.artifact',
      message: 'A stored file is a symbolic link, not a file.',
    });
  });
});

describe.skipIf(process.platform === 'win32')('what does not belong in the store', () => {
  it('is listed by path with what is wrong, and a good store has none', async () => {
    const at = await home();
    const named = await at.store.putBytes(Buffer.from('named'));
    const isNamed = (id: string): boolean => id === named.artifactId;
    expect(await at.store.strays(isNamed)).toEqual([]);

    const unnamed = await at.store.putBytes(Buffer.from('unnamed'));
    expect(await at.store.strays(isNamed), 'its commit may be under way').toEqual([]);
    const hourAgo = Date.now() / 1000 - 3600;
    await utimes(at.pathOf(unnamed), hourAgo, hourAgo);

    const folder = dirname(at.pathOf(named));
    await chmod(at.pathOf(named), 0o644);
    await writeFile(join(at.directory, 'notes.txt'), 'x');
    await writeFile(join(folder, `${'f'.repeat(31)}.age`), 'x');
    await writeFile(join(folder, '.x.age.4194305.0123abcd.tmp'), 'x');
    await mkdir(join(at.directory, 'other'));
    await symlink('/etc', join(at.directory, 'ee'));
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    const found = await at.store.strays(isNamed);
    const where = (path: string): string => path.slice(dirname(at.directory).length + 1);
    expect(found).toHaveLength(8);
    expect(Object.fromEntries(found.map(({ path, problem }) => [path, problem]))).toMatchObject({
      [where(at.pathOf(unnamed))]: expect.stringContaining('named by no record'),
      [where(at.pathOf(named))]: expect.stringContaining('mode is 644'),
      'artifacts/notes.txt': 'is not a file of this vault',
      [where(join(folder, `${'f'.repeat(31)}.age`))]: 'is not a file of this vault',
      [where(join(folder, '.x.age.4194305.0123abcd.tmp'))]: expect.stringContaining('half-written'),
      'artifacts/other': 'is not a folder of this vault',
      'artifacts/ee': 'is a symbolic link',
      [where(join(folder, 'pipe'))]: 'is not a file',
    });

    await chmod(at.directory, 0o755);
    expect((await at.store.strays(isNamed))[0]).toMatchObject({
      path: 'artifacts',
      problem: expect.stringContaining('700 is what it should be'),
    });
  });

  it('is not what is being written', async () => {
    const at = await home();
    let during: Promise<unknown[]> | null = null;
    await at.store.add(
      await at.source(minimalOnnx({ weightBytes: 20_000_000 })),
      job(() => {
        during ??= at.store.strays(() => true);
      }),
    );
    expect(await during).toEqual([]);
  });
});

describe('a disk that takes nothing', () => {
  /** A small disk mounted for the test, or null where that is not allowed. */
  async function disk(folder: string, options: string): Promise<string | null> {
    const path = join(folder, 'disk');
    await mkdir(path, { mode: 0o700 });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status !== 0) return null;
    onTestFinished(() => {
      spawnSync('umount', ['-l', path]);
    });
    return path;
  }

  it('given a read-only disk, it says so, keeps what is there readable, and changes nothing', async ({
    skip,
  }) => {
    const folder = temporaryDirectory();
    const mounted = await disk(folder, 'size=8m');
    if (mounted === null) return skip('no right to mount a disk here');
    const at = await storeHome(mounted);
    const kept = await at.store.putBytes(Buffer.from('kept'));
    const source = join(folder, 'model.onnx');
    await writeFile(source, minimalOnnx());
    expect(spawnSync('mount', ['-o', 'remount,ro', mounted]).status).toBe(0);
    const readOnly = { code: 'disk.read-only', hint: expect.stringContaining('unchanged') };
    await expect(at.store.putBytes(Buffer.from('more'))).rejects.toMatchObject(readOnly);
    await expect(at.store.add(source)).rejects.toMatchObject(readOnly);
    await expect(
      at.store.exportTo(kept.artifactId, kept.digest, join(mounted, 'out.onnx')),
    ).rejects.toMatchObject(readOnly);
    expect((await at.store.getBytes(kept.artifactId, kept.digest)).toString()).toBe('kept');
    expect(await at.store.verify(kept.artifactId, kept.digest)).toBe(4);
    expect(await at.files()).toEqual([at.pathOf(kept)]);
  });

  it('given a disk that fills while an export is written, it says so and leaves nothing', async ({
    skip,
  }) => {
    const folder = temporaryDirectory();
    const mounted = await disk(folder, 'size=1m');
    if (mounted === null) return skip('no right to mount a disk here');
    const at = await storeHome(folder);
    const kept = await at.store.putBytes(randomBytes(4_000_000));
    const target = join(mounted, 'out.onnx');
    await expect(at.store.exportTo(kept.artifactId, kept.digest, target)).rejects.toMatchObject({
      code: 'disk.full',
    });
    expect(spawnSync('ls', ['-A', mounted]).stdout.toString()).toBe('');
  });
});

describe('the worker that waits', () => {
  /** Counts the processes that were started. */
  function counted(): { fork: ForkWorker; pids: (number | undefined)[] } {
    const pids: (number | undefined)[] = [];
    return {
      pids,
      fork: (entry, options) => {
        const worker = forkWorker(entry, options);
        pids.push(worker.pid);
        return worker;
      },
    };
  }

  it('looks at a model, adds it and verifies it in one process', async () => {
    const { fork, pids } = counted();
    const at = await home(fork);
    const path = await at.source(minimalOnnx());
    await createModelInspector({ directory: at.directory, forkWorker: fork }).inspect(path);
    const added = await at.store.add(path);
    await at.store.verify(added.artifactId, added.digest);
    await writeFile(at.pathOf(added), (await readFile(at.pathOf(added))).subarray(0, -1));
    await expect(at.store.verify(added.artifactId, added.digest)).rejects.toMatchObject({
      code: 'integrity.artifact',
    });
    await expect(at.store.verify(added.artifactId, added.digest)).rejects.toThrow();
    expect(pids).toHaveLength(1);
  });

  it('does not wait after it met an attack, an unreadable model or a cancel', async () => {
    const { fork, pids } = counted();
    const at = await home(fork);
    const good = await at.source(minimalOnnx());
    const alive = (pid: number | undefined): boolean => spawnSync('kill', ['-0', String(pid)]).status === 0;
    for (const bytes of [minimalOnnx({ externalLocation: '../x' }), Buffer.from('no model')])
      await expect(at.store.add(await at.source(bytes))).rejects.toThrow();
    const running = job(() => running.controller.abort());
    await expect(at.store.add(good, running)).rejects.toMatchObject({ code: 'cancelled' });
    expect(pids).toHaveLength(3);
    await at.store.add(good);
    expect(pids).toHaveLength(4);
    await expect.poll(() => pids.map(alive)).toEqual([false, false, false, true]);
  });

  it('that ends while it waits is replaced without a word', async () => {
    const { fork, pids } = counted();
    const at = await home(fork);
    const path = await at.source(minimalOnnx());
    await at.store.add(path);
    process.kill(pids[0] as number, 'SIGKILL');
    await at.store.add(path);
    expect(pids).toHaveLength(2);
  });

  it('does two jobs at once in two processes and keeps one', async () => {
    const { fork, pids } = counted();
    const at = await home(fork);
    const path = await at.source(minimalOnnx());
    await Promise.all([at.store.add(path), at.store.add(path)]);
    await at.store.add(path);
    expect(pids).toHaveLength(2);
  });

  it('does not keep a program from ending', async () => {
    const folder = temporaryDirectory();
    const program = join(folder, 'program.ts');
    const path = join(folder, 'model.onnx');
    await writeFile(path, minimalOnnx());
    const support = join(import.meta.dirname, '../support/artifact-store.ts');
    await writeFile(
      program,
      `import { storeHome } from ${JSON.stringify(support)};
       const { store } = await storeHome(${JSON.stringify(folder)});
       console.log((await store.add(${JSON.stringify(path)})).digest);`,
    );
    // Under the ten seconds that a process waits for work.
    const ran = spawnSync(process.execPath, [program], { timeout: 8000 });
    expect(ran.stderr.toString()).toBe('');
    expect({ status: ran.status, signal: ran.signal }).toEqual({ status: 0, signal: null });
    expect(ran.stdout.toString().trim()).toMatch(/^[0-9a-f]{64}$/);
  });
});

const ageMissing = spawnSync('age', ['--version']).status !== 0;
if (ageMissing) console.warn('skipped: the age command is not installed (Debian: apt install age)');
describe.skipIf(ageMissing)('the age command with the recovery key alone', () => {
  it.each([0, 1, 65535, 65536, 65537, 2 * 65536, 3_000_001, 60_000_000])(
    'opens a stored file of %i bytes, also under a new header, to the byte',
    async (size) => {
      const at = await home();
      const bytes = randomBytes(size);
      // Small ones as the console stores them, the large one as the worker does.
      const model = minimalOnnx({ weightBytes: size - (size % 4) });
      const big = size > 16 * 1024 * 1024;
      const stored = big ? await at.store.add(await at.source(model)) : await at.store.putBytes(bytes);
      const keyFile = join(at.folder, 'recovery.txt');
      await writeFile(keyFile, `${at.recovery.identity}\n`, { mode: 0o600 });
      const expectOpens = (): void => {
        const opened = spawnSync('age', ['-d', '-i', keyFile, at.pathOf(stored)], { maxBuffer: 1e9 });
        expect(opened.stderr.toString()).toBe('');
        expect(opened.stdout.equals(big ? model : bytes)).toBe(true);
      };
      expectOpens();
      const next = await generateIdentity();
      await rewrapHeader(at.pathOf(stored), at.vault.identity, [next.recipient, at.recovery.recipient]);
      expectOpens();
    },
  );

  it('writes a file for our recipients that we open, though nobody can say it is ours', async () => {
    const at = await home();
    const bytes = randomBytes(100_000);
    const stored = await at.store.putBytes(bytes);
    const theirs = spawnSync('age', ['-r', at.vault.recipient, '-r', at.recovery.recipient, '-o', '-'], {
      input: bytes,
    });
    expect(theirs.status).toBe(0);
    await writeFile(at.pathOf(stored), theirs.stdout);
    expect((await at.store.readAll(stored.artifactId, stored.digest)).equals(bytes)).toBe(true);
    expect(await at.store.recipientsOf(stored.artifactId)).toBe('unconfirmed');
  });
});
