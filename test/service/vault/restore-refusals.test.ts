/** Backups that were changed: none of them becomes a vault, and nothing of them stays. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readArchive } from '../../../electron/adapters/vault/backup-archive.ts';
import type { JobContext } from '../../../electron/ports/system.ts';
import { backupVault, createVault, openVault, restoreVault } from '../../../electron/services/vault/index.ts';
import { backupNoteText } from '../../../shared/domain/vault/backup.ts';
import { hashBytes, readTar, type TarMember, writeTar } from '../../support/tar.ts';
import { type Machine, machine, OPERATOR_PASSPHRASE } from '../../support/vault.ts';

const QUIET: JobContext = { signal: new AbortController().signal, progress: () => {} };

let folder: string;
let home: Machine;
let good: readonly TarMember[];
let backupFile: string;
let checkpointKey: string;

/** One backup for all trials: making it is what takes time. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'));
  home = machine();
  const path = join(folder, 'source', 'vault');
  mkdirSync(join(folder, 'source'));
  const { vault } = await createVault(home.adapters, path, {
    operator: 'ada',
    person: 'Ada Lovelace',
    operatorPassphrase: OPERATOR_PASSPHRASE,
    keys: { kind: 'keychain' },
  });
  const ada = vault.store.read.operatorByName('ada');
  if (!ada) throw new Error('no operator');
  backupFile = join(folder, 'good');
  await backupVault(
    { vault, adapters: home.adapters },
    { operatorId: ada.id, name: ada.name, person: ada.person, roles: ada.roles },
    { path: backupFile },
    QUIET,
  );
  checkpointKey = (await vault.secrets.get('checkpoint-key')) ?? '';
  await vault.close();
  good = await readTar(backupFile);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the vault's keychain holds: a refused restore must leave it as it is. */
async function kept(): Promise<string> {
  const [secrets] = home.keychain.values();
  return `${await secrets?.get('audit-head')} ${await secrets?.get('vault-keys')}`;
}

async function refusalOf(file: string): Promise<string> {
  const before = await kept();
  const place = mkdtempSync(join(folder, 'place-'));
  const outcome = await restoreVault(
    home.adapters,
    join(place, 'vault'),
    { file, passphrase: null, recovery: null },
    QUIET,
  ).then(
    async (vault) => {
      await vault?.close();
      return 'restored';
    },
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
  if (outcome !== 'restored') {
    expect(readdirSync(place)).toEqual([]);
    expect(await kept()).toBe(before);
  }
  rmSync(place, { recursive: true, force: true });
  return outcome;
}

async function refusalOfMembers(members: readonly TarMember[]): Promise<string> {
  const file = join(folder, 'changed');
  await writeTar(file, members);
  return refusalOf(file);
}

const bytesOf = (name: string): Buffer =>
  good.find((member) => member.name === name)?.bytes ?? Buffer.alloc(0);
const without = (name: string): TarMember[] => good.filter((member) => member.name !== name);
const replaced = (name: string, bytes: Buffer): TarMember[] =>
  good.map((member) => (member.name === name ? { ...member, bytes } : member));
const insertedBefore = (name: string, ...added: TarMember[]): TarMember[] =>
  good.flatMap((member) => (member.name === name ? [...added, member] : [member]));

/** With a list, and a note over it, as whoever has this key makes them. */
function listedAnew(change: (manifest: Record<string, unknown>) => void, skey: string): TarMember[] {
  const manifest = JSON.parse(bytesOf('manifest.json').toString()) as Record<string, unknown>;
  change(manifest);
  const list = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  const facts = manifest as unknown as { vaultId: string; createdAt: string };
  const note = home.adapters.checkpoints.signText(backupNoteText(facts, hashBytes(list)), skey);
  return good.map((member) =>
    member.name === 'manifest.json'
      ? { ...member, bytes: list }
      : member.name === 'manifest.note'
        ? { ...member, bytes: Buffer.from(note) }
        : member,
  );
}

describe('a backup is refused, and nothing of it stays, when', () => {
  const any = Buffer.from('any');
  const cases: readonly [string, () => readonly TarMember[], string][] = [
    ['its database is missing', () => without('registry.db'), 'integrity.vault'],
    ['its vault.json is missing', () => without('vault.json'), 'integrity.vault'],
    ['its list is missing', () => without('manifest.json'), 'integrity.vault'],
    ['its signature is missing', () => without('manifest.note'), 'integrity.vault'],
    ['it is empty', () => [], 'integrity.vault'],
    ['a member is in it twice', () => [...good.slice(0, 1), ...good], 'integrity.vault'],
    ['something follows its signature', () => [...good, { name: 'x', bytes: any }], 'integrity.vault'],
    [
      'a member is not listed',
      () => insertedBefore('manifest.json', { name: `recovery/${'a'.repeat(64)}.age`, bytes: any }),
      'integrity.vault',
    ],
    [
      'a member is no file of a vault',
      () => insertedBefore('manifest.json', { name: 'open.db', bytes: any }),
      'integrity.vault',
    ],
    [
      'a member leads out of its folder',
      () => insertedBefore('manifest.json', { name: '../outside', bytes: any }),
      'integrity.vault',
    ],
    [
      'a member has an absolute path',
      () => insertedBefore('manifest.json', { name: `${folder}/absolute`, bytes: any }),
      'integrity.vault',
    ],
    [
      'a member leads out through a known folder',
      () => insertedBefore('manifest.json', { name: 'artifacts/../../x', bytes: any }),
      'integrity.vault',
    ],
    [
      'a member is a symbolic link',
      () =>
        insertedBefore('registry.db', {
          name: 'recovery',
          bytes: Buffer.alloc(0),
          type: 'symlink',
          linkname: folder,
        }),
      'integrity.vault',
    ],
    [
      'a member is a hard link',
      () =>
        insertedBefore('manifest.json', {
          name: 'passphrase.age',
          bytes: Buffer.alloc(0),
          type: 'link',
          linkname: 'registry.db',
        }),
      'integrity.vault',
    ],
    [
      'a member is a device',
      () =>
        insertedBefore('manifest.json', {
          name: 'passphrase.age',
          bytes: Buffer.alloc(0),
          type: 'character-device',
        }),
      'integrity.vault',
    ],
    [
      'a member is a folder',
      () => insertedBefore('manifest.json', { name: 'recovery', bytes: Buffer.alloc(0), type: 'directory' }),
      'integrity.vault',
    ],
    [
      'a marker of a restore was put into it',
      () => insertedBefore('manifest.json', { name: 'restored.json', bytes: any }),
      'integrity.vault',
    ],
    ['its list is no JSON', () => replaced('manifest.json', Buffer.from('{')), 'integrity.vault'],
    ['its list says nothing', () => replaced('manifest.json', Buffer.from('{}')), 'integrity.vault'],
    [
      'its list is signed by another key',
      () =>
        listedAnew(
          (m) => {
            m.createdAt = '2020-01-01T00:00:00.000Z';
          },
          home.adapters.checkpoints.generate(String(vaultIdOf())).skey,
        ),
      'integrity.signature',
    ],
    [
      'its list was changed and not signed',
      () =>
        replaced(
          'manifest.json',
          Buffer.from(bytesOf('manifest.json').toString().replace('"format": 1', '"format":  1')),
        ),
      'integrity.signature',
    ],
    [
      'its head is not that of its log, though signed',
      () =>
        listedAnew((m) => {
          m.head = { seq: 1, hash: 'a'.repeat(64) };
        }, checkpointKey),
      'integrity.vault',
    ],
    [
      'it is of another vault than its files',
      () =>
        listedAnew(
          (m) => {
            m.vaultId = 'c'.repeat(32);
          },
          home.adapters.checkpoints.generate('c'.repeat(32)).skey,
        ),
      'integrity.vault',
    ],
    [
      'it is of a newer schema',
      () =>
        listedAnew((m) => {
          m.schema = 999;
        }, checkpointKey),
      'vault.newer',
    ],
    [
      'it is of a newer kind',
      () =>
        listedAnew((m) => {
          m.format = 2;
        }, checkpointKey),
      'vault.newer',
    ],
  ];
  test.each(cases)('%s', async (_what, members, code) => {
    expect(await refusalOfMembers(members())).toBe(code);
    expect(existsSync(join(folder, 'outside')) || existsSync(join(folder, 'absolute'))).toBe(false);
  });

  test('it is no archive, a folder, a pipe, or not there', async () => {
    const file = join(folder, 'noise');
    writeFileSync(file, Buffer.alloc(5000, 7));
    expect(await refusalOf(file)).toBe('integrity.vault');
    expect(await refusalOf(folder)).toBe('input.invalid');
    expect(await refusalOf(join(folder, 'none'))).toBe('not-found');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await refusalOf(join(folder, 'pipe'))).toBe('input.invalid');
  });
});

describe('damage anywhere', () => {
  /** The reader by itself, as it runs in the worker: thousands of trials need no thousands of processes. */
  const read = async (bytes: Uint8Array): Promise<string> => {
    const file = join(folder, 'damaged');
    writeFileSync(file, bytes);
    return readArchive(file, null, () => {}).then(
      () => 'whole',
      (error: { code?: string; message: string }) => error.code ?? error.message,
    );
  };

  test('a file cut off at any length is refused', async () => {
    const whole = readFileSync(backupFile);
    expect(await read(whole)).toBe('whole');
    // The last two blocks of an archive are zeros and say nothing, like the padding before them.
    const end = whole.length - 1024 - 512;
    await fc.assert(
      fc.asyncProperty(fc.nat(end), async (length) => {
        expect(await read(whole.subarray(0, length))).toBe('integrity.vault');
      }),
      { numRuns: 200 },
    );
  });

  test('a flipped bit in any member is refused, in its list and signature too', async () => {
    const listed = good.filter(({ name }) => !name.startsWith('manifest.'));
    const trial = (members: readonly TarMember[]) =>
      fc
        .tuple(
          fc.nat(members.length - 1),
          fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
          fc.nat(7),
        )
        .map(([index, where, bit]): [string, Buffer] => {
          const member = members[index];
          const bytes = Buffer.from(member?.bytes ?? '');
          const at = Math.floor(where * bytes.length);
          bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
          return [member?.name ?? '', bytes];
        });
    await fc.assert(
      fc.asyncProperty(trial(listed), async ([name, bytes]) => {
        const file = join(folder, 'flipped');
        await writeTar(file, replaced(name, bytes));
        expect(await read(readFileSync(file))).toBe('integrity.vault');
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(trial(good.slice(-2)), async ([name, bytes]) => {
        expect(await refusalOfMembers(replaced(name, bytes))).toMatch(/^integrity\.|^vault\.newer$/);
      }),
      { numRuns: 8 },
    );
  });
});

test('the backup itself, unchanged, is restored: none of the refusals is for another reason', async () => {
  const place = join(folder, 'restored', 'vault');
  mkdirSync(join(folder, 'restored'));
  await writeTar(join(folder, 'again'), good);
  const vault = await restoreVault(
    home.adapters,
    place,
    { file: join(folder, 'again'), passphrase: null, recovery: null },
    QUIET,
  );
  expect(vault?.store.read.operatorByName('ada')).not.toBeNull();
  await vault?.close();
  await (await openVault(home.adapters, place)).close();
});

function vaultIdOf(): string {
  return (JSON.parse(bytesOf('vault.json').toString()) as { id: string }).id;
}
