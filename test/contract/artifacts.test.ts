import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgeArtifacts, MAX_SMALL_FILE_BYTES } from '../../electron/adapters/artifacts/age-artifacts.ts';
import { createForkWorker } from '../../electron/adapters/system/fork-worker.ts';
import { ScanRefusal, type StoredArtifact } from '../../electron/ports/artifacts.ts';
import type { JobContext } from '../../electron/ports/system.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { decryptBytes, encryptBytes, generateIdentity } from '../../shared/node/age/index.ts';
import { minimalOnnx } from '../support/minimal-onnx.ts';

const forkWorker = createForkWorker((entry) =>
  fileURLToPath(new URL(`../../electron/workers/${entry}.ts`, import.meta.url)),
);
const vault = await generateIdentity();
const recovery = await generateIdentity();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let folder = '';
let directory = '';
let locked = false;
let store: AgeArtifacts;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  directory = join(folder, randomBytes(4).toString('hex'), 'artifacts');
  locked = false;
  store = storeWith(forkWorker);
});

function storeWith(fork: typeof forkWorker): AgeArtifacts {
  return new AgeArtifacts({
    directory,
    recipients: () => [vault.recipient, recovery.recipient],
    identity: () => {
      if (locked) throw new SallyportError('locked', 'The vault is locked.');
      return vault.identity;
    },
    forkWorker: fork,
  });
}

async function source(bytes: Uint8Array, name = 'model.onnx'): Promise<string> {
  const path = join(folder, `${randomBytes(4).toString('hex')}-${name}`);
  await writeFile(path, bytes);
  return path;
}

/** Every file below the store, temporary ones too. */
async function filesOnDisk(): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function job(
  onProgress: (phase: string, done: number, total: number) => void = () => {},
): JobContext & { readonly controller: AbortController } {
  const controller = new AbortController();
  return { controller, signal: controller.signal, progress: onProgress };
}

const pathOf = ({ artifactId }: StoredArtifact): string =>
  join(directory, artifactId.slice(0, 2), `${artifactId}.age`);

describe('adding a model', () => {
  it('answers what it is, and keeps exactly its bytes, encrypted to vault and recovery', async () => {
    const bytes = minimalOnnx({ width: 3, weightBytes: 400_000 });
    const added = await store.add(await source(bytes));
    expect(added).toMatchObject({
      digest: sha256(bytes),
      sizeBytes: bytes.length,
      summary: {
        sizeBytes: bytes.length,
        producerName: 'minimal-onnx',
        nodeCount: 1,
        inputs: [{ name: 'x', shape: ['N', 3] }],
      },
    });
    expect(added.rulesRun.length).toBeGreaterThan(5);
    expect(await filesOnDisk()).toEqual([pathOf(added)]);
    expect((await stat(pathOf(added))).mode & 0o777).toBe(0o600);
    const file = await readFile(pathOf(added));
    expect(file.includes(bytes.subarray(-64))).toBe(false);
    for (const { identity } of [vault, recovery])
      expect((await decryptBytes([identity], file)).equals(bytes)).toBe(true);
    expect((await store.readAll(added.artifactId, added.digest)).equals(bytes)).toBe(true);
    expect(await store.verify(added.artifactId, added.digest)).toBe(bytes.length);
  });

  const ageMissing = spawnSync('age', ['--version']).status !== 0;
  if (ageMissing) console.warn('skipped: the age command is not installed (Debian: apt install age)');
  it.skipIf(ageMissing)('opens in the age command with the recovery key alone', async () => {
    const bytes = minimalOnnx({ weightBytes: 200_000 });
    const added = await store.add(await source(bytes));
    const keyFile = await source(Buffer.from(`${recovery.identity}\n`), 'recovery.txt');
    const opened = spawnSync('age', ['-d', '-i', keyFile, pathOf(added)], { maxBuffer: 1e8 });
    expect(opened.stderr.toString()).toBe('');
    expect(opened.stdout.equals(bytes)).toBe(true);
  });

  it('needs no private key: a locked vault takes it, and reads nothing', async () => {
    locked = true;
    const added = await store.add(await source(minimalOnnx()));
    await expect(store.readAll(added.artifactId, added.digest)).rejects.toMatchObject({ code: 'locked' });
    await expect(store.verify(added.artifactId, added.digest)).rejects.toMatchObject({ code: 'locked' });
  });

  it.skipIf(process.platform !== 'linux')(
    'takes no more memory for a large model than for a small one',
    async () => {
      /** Peak resident memory of the worker that adds a model of this size, in MiB. */
      const peakOf = async (weightBytes: number): Promise<number> => {
        let pid = 0;
        let peak = 0;
        const measured = storeWith((entry, options) => {
          const worker = forkWorker(entry, options);
          pid = worker.pid ?? 0;
          return worker;
        });
        await measured.add(
          await source(minimalOnnx({ weightBytes })),
          job(() => {
            const status = readFileSync(`/proc/${pid}/status`, 'utf8');
            peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
          }),
        );
        return peak;
      };
      const small = await peakOf(1_000_000);
      expect(small).toBeGreaterThan(10);
      expect((await peakOf(100_000_000)) - small).toBeLessThan(64);
    },
  );

  it('reports its phases in order, up to the whole size', async () => {
    const bytes = minimalOnnx({ weightBytes: 20_000_000 });
    const seen: [string, number, number][] = [];
    await store.add(
      await source(bytes),
      job((...report) => seen.push(report)),
    );
    expect([...new Set(seen.map(([phase]) => phase))]).toEqual(['encrypting', 'verifying', 'inspecting']);
    expect(seen.filter(([phase]) => phase === 'encrypting').at(-1)).toEqual([
      'encrypting',
      bytes.length,
      bytes.length,
    ]);
    expect(seen.length).toBeLessThan(30);
  });

  it.each<[string, string, () => Uint8Array]>([
    ['text', 'model.not-onnx', () => Buffer.from('a,b,label\n1,2,0\n')],
    ['an empty file', 'model.not-onnx', () => Buffer.alloc(0)],
    ['a truncated model', 'model.truncated', () => minimalOnnx({ weightBytes: 100_000 }).subarray(0, 50_000)],
  ])('given %s, it is refused as %s and nothing is kept', async (_what, code, make) => {
    await expect(store.add(await source(make()))).rejects.toMatchObject({ code });
    expect(await filesOnDisk()).toEqual([]);
  });

  it('given a model that reaches outside its file, the refusal carries the findings and nothing is kept', async () => {
    const bytes = minimalOnnx({ externalLocation: '../../../etc/passwd' });
    const refusal = await store.add(await source(bytes)).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(ScanRefusal);
    const { code, digest, findings, rulesRun } = refusal as ScanRefusal;
    expect({ code, digest }).toEqual({ code: 'refused.scan', digest: sha256(bytes) });
    expect(findings.some(({ severity }) => severity === 'critical')).toBe(true);
    expect(rulesRun.length).toBeGreaterThan(5);
    expect(await filesOnDisk()).toEqual([]);
  });

  it('given no file or a directory, it says so', async () => {
    await expect(store.add(join(folder, 'nowhere.onnx'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(store.add(folder)).rejects.toMatchObject({ code: 'input.invalid' });
    expect(await filesOnDisk()).toEqual([]);
  });

  it.each(['encrypting', 'verifying'])(
    'given a cancel while %s, the worker ends and its file is gone',
    async (when) => {
      const running = job((phase) => {
        if (phase === when) running.controller.abort();
      });
      await expect(
        store.add(await source(minimalOnnx({ weightBytes: 60_000_000 })), running),
      ).rejects.toMatchObject({ code: 'cancelled' });
      expect(await filesOnDisk()).toEqual([]);
      await expect(store.add(await source(minimalOnnx()), running)).rejects.toMatchObject({
        code: 'cancelled',
      });
    },
  );

  it('given a listener that throws, the error comes back to the caller and nothing is kept', async () => {
    const throwing = job(() => {
      throw new Error('the window is gone');
    });
    await expect(store.add(await source(minimalOnnx()), throwing)).rejects.toThrow('the window is gone');
    expect(await filesOnDisk()).toEqual([]);
  });

  it('given a worker that crashes halfway, it is an error and nothing is kept', async () => {
    const crashing = await source(
      Buffer.from(`import { writeFileSync } from 'node:fs';
        process.on('message', (m) => { writeFileSync(m.targetPath, 'half'); process.kill(process.pid, 'SIGSEGV'); });`),
      'crashing.mjs',
    );
    const broken = storeWith(createForkWorker(() => crashing));
    await expect(broken.add(await source(minimalOnnx()))).rejects.toMatchObject({ code: 'engine.crashed' });
    expect(await filesOnDisk()).toEqual([]);
  });

  it('given a full disk, it says so and keeps nothing', async ({ skip }) => {
    const small = join(folder, 'small-disk');
    await mkdir(small);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status !== 0)
      return skip('no right to mount a small disk here');
    try {
      directory = join(small, 'artifacts');
      store = storeWith(forkWorker);
      await expect(store.add(await source(minimalOnnx({ weightBytes: 4_000_000 })))).rejects.toMatchObject({
        code: 'disk.full',
      });
      await expect(store.putBytes(randomBytes(3_000_000))).rejects.toMatchObject({ code: 'disk.full' });
      expect(await filesOnDisk()).toEqual([]);
      const kept = await store.putBytes(Buffer.from('fits'));
      expect((await store.getBytes(kept.artifactId, kept.digest)).toString()).toBe('fits');
    } finally {
      spawnSync('umount', [small]);
    }
  });
});

describe('a stored file that is not what was stored', () => {
  const bytes = randomBytes(3 * 65536 + 99);

  /** Every way to get at the content must refuse, and an export must leave nothing. */
  async function expectRefused(stored: StoredArtifact): Promise<void> {
    const refused = { code: 'integrity.artifact' };
    await expect(store.readAll(stored.artifactId, stored.digest)).rejects.toMatchObject(refused);
    await expect(store.verify(stored.artifactId, stored.digest)).rejects.toMatchObject(refused);
    const target = join(folder, 'export', 'model.onnx');
    await mkdir(join(folder, 'export'), { recursive: true });
    await expect(store.exportTo(stored.artifactId, stored.digest, target)).rejects.toMatchObject(refused);
    expect(await readdir(join(folder, 'export'))).toEqual([]);
  }

  it('with any byte changed', async () => {
    const stored = await store.putBytes(bytes);
    const file = await readFile(pathOf(stored));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: file.length - 1 })),
        fc.integer({ min: 0, max: 7 }),
        async (at, bit) => {
          const changed = Buffer.from(file);
          changed[at] = (changed[at] ?? 0) ^ (1 << bit);
          await writeFile(pathOf(stored), changed);
          await expectRefused(stored);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('cut off anywhere, or longer', async () => {
    const stored = await store.putBytes(bytes);
    const file = await readFile(pathOf(stored));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: file.length - 1 }), async (length) => {
        await writeFile(pathOf(stored), file.subarray(0, length));
        await expectRefused(stored);
      }),
      { numRuns: 40 },
    );
    await writeFile(pathOf(stored), Buffer.concat([file, Buffer.alloc(1)]));
    await expectRefused(stored);
  });

  it('with two chunks swapped', async () => {
    const stored = await store.putBytes(bytes);
    const file = await readFile(pathOf(stored));
    const start = file.indexOf('\n', file.indexOf('\n--- ') + 1) + 1 + 16;
    const chunk = (at: number): Buffer => file.subarray(start + at * 65552, start + (at + 1) * 65552);
    await writeFile(
      pathOf(stored),
      Buffer.concat([
        file.subarray(0, start),
        chunk(1),
        chunk(0),
        chunk(2),
        file.subarray(start + 3 * 65552),
      ]),
    );
    await expectRefused(stored);
  });

  it('replaced by another file of the same vault, by one somebody made with its public key, or by one of another vault', async () => {
    const stored = await store.putBytes(bytes);
    const other = await store.putBytes(Buffer.from('another'));
    await copyFile(pathOf(other), pathOf(stored));
    await expectRefused(stored);
    await writeFile(pathOf(stored), await encryptBytes([vault.recipient], Buffer.from('forged')));
    await expectRefused(stored);
    await writeFile(pathOf(stored), await encryptBytes([(await generateIdentity()).recipient], bytes));
    await expectRefused(stored);
  });

  it('missing', async () => {
    const stored = await store.putBytes(bytes);
    await rm(pathOf(stored));
    await expectRefused(stored);
  });

  it('under an id that is a path', async () => {
    for (const id of ['../../etc/passwd', '', '..', 'ab', 'A'.repeat(32)]) {
      await expect(store.readAll(id, sha256(bytes))).rejects.toMatchObject({ code: 'usage' });
      await expect(store.discard(id)).rejects.toMatchObject({ code: 'usage' });
    }
  });
});

describe('small files, export and cleaning up', () => {
  it.each([0, 1, 65536, 1_000_000])('keeps %i bytes', async (size) => {
    const bytes = randomBytes(size);
    const stored = await store.putBytes(bytes);
    expect(stored).toMatchObject({ digest: sha256(bytes), sizeBytes: size });
    expect((await store.getBytes(stored.artifactId, stored.digest)).equals(bytes)).toBe(true);
  });

  it('refuses to keep whole what should be streamed', async () => {
    await expect(store.putBytes(Buffer.alloc(MAX_SMALL_FILE_BYTES + 1))).rejects.toMatchObject({
      code: 'input.invalid',
    });
    expect(await filesOnDisk()).toEqual([]);
  });

  it('exports to a new file, never over another', async () => {
    const bytes = randomBytes(200_000);
    const stored = await store.putBytes(bytes);
    const target = join(folder, `${stored.artifactId}.onnx`);
    await store.exportTo(stored.artifactId, stored.digest, target);
    expect((await readFile(target)).equals(bytes)).toBe(true);
    await writeFile(target, 'mine');
    await expect(store.exportTo(stored.artifactId, stored.digest, target)).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await readFile(target, 'utf8')).toBe('mine');
    await expect(
      store.exportTo(stored.artifactId, stored.digest, join(folder, 'no-folder/x')),
    ).rejects.toMatchObject({ code: 'not-found' });
    const running = job();
    running.controller.abort();
    await expect(
      store.exportTo(stored.artifactId, stored.digest, `${target}2`, running),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('lists what is there and discards it, twice without complaint', async () => {
    expect(await store.list()).toEqual([]);
    const [a, b] = [await store.putBytes(Buffer.from('a')), await store.putBytes(Buffer.from('b'))];
    expect(await store.list()).toEqual([a.artifactId, b.artifactId].sort());
    await store.discard(a.artifactId);
    await store.discard(a.artifactId);
    expect(await store.list()).toEqual([b.artifactId]);
  });

  it('sweeps temporary files of processes that are gone, and of no other', async () => {
    const kept = await store.putBytes(Buffer.from('kept'));
    const inFolder = (owner: number): string =>
      join(directory, kept.artifactId.slice(0, 2), `.${'0'.repeat(32)}.age.${owner}.0123abcd.tmp`);
    // 2^22 is above the largest process number Linux gives out by default; the parent of this process is alive.
    for (const owner of [4194305, process.ppid, process.pid]) await writeFile(inFolder(owner), 'half');
    expect(await store.sweepTemporary()).toBe(2);
    expect((await filesOnDisk()).sort()).toEqual([inFolder(process.ppid), pathOf(kept)].sort());
    expect(await store.list()).toEqual([kept.artifactId]);
  });

  it('sweeps nothing that is being written', async () => {
    let swept: Promise<number> | null = null;
    const added = await store.add(
      await source(minimalOnnx({ weightBytes: 20_000_000 })),
      job(() => {
        swept ??= store.sweepTemporary();
      }),
    );
    expect(await swept).toBe(0);
    expect(await store.list()).toEqual([added.artifactId]);
  });
});
