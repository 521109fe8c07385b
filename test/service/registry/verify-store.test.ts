/** The sweep over a whole store: every file that a record names, and everything else that lies there. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRegistryService, type RegistryService } from '../../../electron/services/registry/index.ts';
import { decryptBytes, encryptBytes, generateIdentity } from '../../../shared/node/age/index.ts';
import { openDatabase } from '../../../shared/node/sqlite/database.ts';
import { job } from '../../support/artifact-store.ts';
import { minimalOnnx } from '../../support/minimal-onnx.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { type TestVault, testVault } from '../../support/vault.ts';

interface Home extends TestVault {
  readonly registry: RegistryService;
  /** Adds a model of about so many bytes; answers the path of its stored file. */
  add(version: string, weightBytes?: number): Promise<string>;
  sweep(...args: Parameters<typeof job>): ReturnType<RegistryService['verify']>;
}

async function home(): Promise<Home> {
  const vault = await testVault();
  const registry = createRegistryService({
    ledger: vault.vault.ledger,
    artifacts: vault.vault.artifacts,
    inspector: vault.inspector,
    system: vault.adapters.system,
    proveDatabase: vault.vault.proveDatabase,
  });
  const folder = temporaryDirectory();
  const add: Home['add'] = async (version, weightBytes = 4000) => {
    const path = join(folder, `${version}.onnx`);
    // Each has bytes of its own.
    writeFileSync(path, minimalOnnx({ weightBytes, width: Number(version.split('.')[0]) }));
    const input = { path, name: 'phish', version, parent: null, metadata: {} };
    const { artifactId } = (await registry.add(vault.admin, input)).version;
    return join(vault.path, 'artifacts', artifactId.slice(0, 2), `${artifactId}.age`);
  };
  const sweep: Home['sweep'] = (...args) => registry.verify(vault.admin, { ref: null }, job(...args));
  return { ...vault, registry, add, sweep };
}

const flip = (path: string, at = -1): void => {
  const file = readFileSync(path);
  file[at < 0 ? file.length + at : at] = (file.at(at) ?? 0) ^ 1;
  writeFileSync(path, file);
};

describe('a sweep', () => {
  test('of a good store finds nothing, and counts every byte once', async () => {
    const at = await home();
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) await at.add(version);
    const seen: [string, number, number][] = [];
    const outcome = await at.sweep((...report) => seen.push(report));
    const total = at.vault.store.read.allArtifacts().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(outcome).toEqual({ checked: 3, bytes: total, bad: [] });
    const done = seen.map(([, bytes]) => bytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(seen.at(-1)).toEqual(['verifying', total, total]);
    expect(new Set(seen.map(([, , of]) => of))).toEqual(new Set([total]));
  });

  test('finds a changed page of the database that nobody reads', async () => {
    const at = await home();
    await at.add('1.0.0');
    const { vault } = at;
    vault.store.transaction((tx) => {
      // Pages enough that most are not in any cache.
      for (let index = 0; index < 200; index++) tx.setSetting(`filler.${index}`, 'x'.repeat(3000));
    });
    const path = join(vault.path, 'registry.db');
    const key = vault.databaseKey();
    const other = openDatabase(path, key);
    other.run('PRAGMA wal_checkpoint(TRUNCATE)');
    other.close();
    expect((await at.sweep()).bad).toEqual([]);
    const pages = Math.floor(readFileSync(path).length / 4096);
    flip(path, Math.floor(pages * 0.7) * 4096 + 100);
    expect((await at.sweep()).bad).toEqual([
      { ref: 'registry.db', problem: expect.stringMatching(/database/i) },
    ]);
  });

  test('names each kind of damage by its version, and goes on behind it', async () => {
    const at = await home();
    const [flipped, cut, gone, swapped, other, resealed, recipient, good] = (await Promise.all(
      ['1', '2', '3', '4', '5', '6', '7', '8'].map((major) => at.add(`${major}.0.0`)),
    )) as [string, string, string, string, string, string, string, string];
    flip(flipped);
    writeFileSync(cut, readFileSync(cut).subarray(0, -20));
    rmSync(gone);
    renameSync(swapped, `${swapped}.aside`);
    copyFileSync(other, swapped);
    renameSync(`${swapped}.aside`, other);
    const { recipient: ours, recovery } = recipientsOf(at);
    writeFileSync(resealed, await encryptBytes([ours, recovery], randomBytes(100)));
    const stranger = await generateIdentity();
    const plain = await decryptBytes([at.recoveryKey], readFileSync(recipient));
    writeFileSync(recipient, await encryptBytes([ours, stranger.recipient], plain));
    chmodSync(good, 0o644);

    const { checked, bad } = await at.sweep();
    expect(checked).toBe(8);
    expect(bad.map(({ ref }) => ref).sort()).toEqual(
      [
        ...['1', '2', '3', '4', '5', '6', '7'].map((major) => `phish@${major}.0.0`),
        good.slice(at.path.length + 1),
      ].sort(),
    );
    const problem = (ref: string): string | undefined => bad.find((each) => each.ref === ref)?.problem;
    expect(problem('phish@3.0.0')).toContain('missing');
    expect(problem('phish@7.0.0')).toContain('recovery key');
    expect(problem(good.slice(at.path.length + 1))).toContain('644');
    expect(at.vault.store.read.audit.page({ before: null, limit: 1, text: '' }).entries[0]).toMatchObject({
      action: 'model.verified',
      details: { checked: 8 },
    });
  });

  test('finds what no record names, once it has lain there for a while', async () => {
    const at = await home();
    const known = await at.add('1.0.0');
    const { artifactId } = await at.vault.artifacts.putBytes(Buffer.from('nobody’s'));
    expect((await at.sweep()).bad).toEqual([]);
    const path = `artifacts/${artifactId.slice(0, 2)}/${artifactId}.age`;
    utimesSync(join(at.path, path), 1, 1);
    writeFileSync(join(dirname(known), 'note'), 'x', { mode: 0o600 });
    const { bad } = await at.sweep();
    expect(bad).toHaveLength(2);
    expect(bad).toContainEqual({ ref: path, problem: expect.stringContaining('named by no record') });
  });

  test('given a cancel within a file, ends with no entry in the log that says it was verified', async () => {
    const at = await home();
    await at.add('1.0.0', 60_000_000);
    const running = job(() => running.controller.abort());
    await expect(at.registry.verify(at.admin, { ref: null }, running)).rejects.toMatchObject({
      code: 'cancelled',
    });
    const [last] = at.vault.store.read.audit.page({ before: null, limit: 1, text: '' }).entries;
    expect(last?.action).toBe('model.added');
  });

  test.skipIf(process.platform !== 'linux')(
    'is read by a worker: no byte of a large file passes through this process',
    async () => {
      const at = await home();
      const large = await at.add('1.0.0', 60_000_000);
      /** Bytes this process has read by any call, from disk or not. */
      const readHere = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
      const before = readHere();
      expect((await at.sweep()).bad).toEqual([]);
      expect(readHere() - before).toBeLessThan(10_000_000);
      expect(readFileSync(large).length).toBeGreaterThan(60_000_000);
      expect(readHere() - before).toBeGreaterThan(60_000_000);
    },
  );
});

function recipientsOf(at: Home): { recipient: string; recovery: string } {
  const setting = (name: string): string => at.vault.store.read.setting(name) ?? '';
  return { recipient: setting('vault.recipient'), recovery: setting('vault.recovery-recipient') };
}
