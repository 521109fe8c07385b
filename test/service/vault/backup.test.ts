import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JobContext } from '../../../electron/ports/system.ts';
import {
  backupVault,
  type OpenVault,
  openVault,
  recoverVault,
  restoreVault,
} from '../../../electron/services/vault/index.ts';
import { backupManifestSchema } from '../../../shared/domain/vault/backup.ts';
import { insertRequest } from '../../support/records.ts';
import { readTar } from '../../support/tar.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { actorWith, type TestVault, testVault, VAULT_PASSPHRASE } from '../../support/vault.ts';

const QUIET: JobContext = { signal: new AbortController().signal, progress: () => {} };
const UNDER_PASSPHRASE = { kind: 'passphrase', passphrase: VAULT_PASSPHRASE } as const;
const NOTHING_GIVEN = { passphrase: null, recovery: null } as const;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const actions = ({ store }: OpenVault): string[] =>
  [...store.read.audit.entries()].map(({ action }) => action);
const lastEntry = ({ store }: OpenVault) => [...store.read.audit.entries()].at(-1);

/** A vault with two files that rows name: one stored file of each of two requests. */
async function filledVault(options: Parameters<typeof testVault>[0] = {}) {
  const home = await testVault(options);
  const files = await Promise.all(['one', 'two'].map((text) => addFile(home, text)));
  return { ...home, files, folder: temporaryDirectory() };
}

/** Stores a file and a row that names it. */
async function addFile({ vault }: Pick<TestVault, 'vault'>, text: string) {
  const stored = await vault.artifacts.putBytes(Buffer.from(text));
  const id = `request-${stored.artifactId}`;
  await vault.ledger.commit(null, { action: 'request.submitted', subject: id, details: {} }, (tx) =>
    insertRequest(tx, id, [{ name: 'plan.json', ...stored }]),
  );
  return stored;
}

function backup(home: Pick<TestVault, 'vault' | 'adapters' | 'admin'>, path: string, job = QUIET) {
  return backupVault({ vault: home.vault, adapters: home.adapters }, home.admin, { path }, job);
}

async function restore(
  { adapters }: Pick<TestVault, 'adapters'>,
  path: string,
  file: string,
  given: Partial<Parameters<typeof restoreVault>[2]> = {},
): Promise<OpenVault | null> {
  const vault = await restoreVault(adapters, path, { file, ...NOTHING_GIVEN, ...given }, QUIET);
  if (vault) onTestFinished(() => vault.close());
  return vault;
}

describe('a backup', () => {
  test('holds every file of the vault, each encrypted, and a signed list of them', async () => {
    const home = await filledVault({ keys: UNDER_PASSPHRASE });
    const path = join(home.folder, 'vault.backup');
    const head = home.vault.store.read.audit.head();
    const result = await backup(home, path);
    expect(result).toMatchObject({ path, artifacts: 2, auditHead: head?.seq, damaged: [] });
    expect(statSync(path)).toMatchObject({ size: result.bytes });
    expect(statSync(path).mode & 0o777).toBe(0o600);

    const members = await readTar(path);
    const names = members.map(({ name }) => name);
    expect(names.slice(0, 2)).toEqual(['vault.json', 'registry.db']);
    expect(names.slice(-2)).toEqual(['manifest.json', 'manifest.note']);
    expect(names).toEqual(
      expect.arrayContaining([
        'recovery.age',
        'passphrase.age',
        'secrets.age',
        ...home.files.map(({ artifactId }) => `artifacts/${artifactId.slice(0, 2)}/${artifactId}.age`),
      ]),
    );
    for (const { name, bytes } of members) {
      if (name.endsWith('.age')) expect(bytes.subarray(0, 21).toString(), name).toBe('age-encryption.org/v1');
      expect(bytes.includes('SQLite format 3'), name).toBe(false);
    }
    const list = members.find(({ name }) => name === 'manifest.json')?.bytes ?? Buffer.alloc(0);
    const manifest = backupManifestSchema.parse(JSON.parse(list.toString()));
    expect(manifest).toMatchObject({ vaultId: home.vault.id, head });
    for (const { name, size, sha256: digest } of manifest.members) {
      const bytes = members.find((member) => member.name === name)?.bytes ?? Buffer.alloc(0);
      expect([bytes.length, sha256(bytes)], name).toEqual([size, digest]);
    }
    const note = members.at(-1)?.bytes.toString() ?? '';
    expect(home.adapters.checkpoints.openText(note, home.vault.checkpointVerifier)).toContain(sha256(list));
    expect(() => home.adapters.checkpoints.verify(note, home.vault.checkpointVerifier)).toThrow(
      expect.objectContaining({ code: 'integrity.signature' }),
    );

    expect(lastEntry(home.vault)).toMatchObject({
      action: 'vault.backed-up',
      actor: 'ada',
      details: { head, digest: sha256(readFileSync(path)), artifacts: 2 },
    });
    // Nothing of it is left in the vault or beside the file.
    expect(readdirSync(home.path).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(readdirSync(home.folder)).toEqual(['vault.backup']);
  });

  test('is for administrators', async () => {
    const home = await filledVault();
    const path = join(home.folder, 'b');
    for (const role of ['analyst', 'release-manager', 'auditor'] as const)
      await expect(backup({ ...home, admin: actorWith(role) }, path)).rejects.toMatchObject({
        code: 'refused.role',
      });
    expect(existsSync(path)).toBe(false);
    expect(lastEntry(home.vault)).toMatchObject({ action: 'refused' });
  });

  test('is never written over anything, nor into a folder that is not there', async () => {
    const home = await filledVault();
    const path = join(home.folder, 'taken');
    writeFileSync(path, 'mine');
    await expect(backup(home, path)).rejects.toMatchObject({ code: 'conflict' });
    await expect(backup(home, join(home.folder, 'none', 'b'))).rejects.toMatchObject({ code: 'not-found' });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(readdirSync(home.path).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('that is cancelled in any phase leaves nothing', async () => {
    const home = await filledVault();
    const phases = new Set<string>();
    await backup(home, join(home.folder, 'whole'), {
      ...QUIET,
      progress: (phase) => void phases.add(phase),
    });
    rmSync(join(home.folder, 'whole'));
    expect([...phases]).toEqual(
      expect.arrayContaining(['copying the database', 'verifying', 'writing', 'reading back']),
    );
    for (const wanted of phases) {
      const controller = new AbortController();
      const job = {
        signal: controller.signal,
        progress: (phase: string) => {
          if (phase === wanted) controller.abort(new Error('enough'));
        },
      };
      await expect(backup(home, join(home.folder, 'b'), job), wanted).rejects.toThrow(/cancelled|enough/);
      expect(readdirSync(home.folder), wanted).toEqual([]);
      expect(
        readdirSync(home.path).filter((name) => name.startsWith('.')),
        wanted,
      ).toEqual([]);
    }
    expect(actions(home.vault).filter((action) => action === 'vault.backed-up')).toHaveLength(1);
  });

  test('is whole although files are added and collected while it is made', async () => {
    const home = await filledVault();
    const collected = await addFile(home, 'collected meanwhile');
    let busy = true;
    const work = (async () => {
      for (let round = 0; busy; round++) {
        await addFile(home, `added meanwhile ${round}`);
        if (round === 1) await home.vault.artifacts.discard(collected.artifactId);
      }
    })();
    // A row still names what was discarded: damage of the vault, not of the backup.
    const result = await backup(home, join(home.folder, 'b'));
    busy = false;
    await work;
    expect(result.artifacts).toBeGreaterThanOrEqual(2);
    await home.vault.close();
    const vault = await restore(home, join(home.folder, 'restored'), join(home.folder, 'b'));
    expect(vault?.store.read.requests().length).toBeGreaterThanOrEqual(3);
  });

  test('of a vault with a damaged file has all the others, and says which one is not whole', async () => {
    const home = await filledVault();
    const [first, second] = home.files;
    const file = join(
      home.path,
      'artifacts',
      first?.artifactId.slice(0, 2) ?? '',
      `${first?.artifactId}.age`,
    );
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const path = join(home.folder, 'b');
    const result = await backup(home, path);
    expect(result.damaged).toEqual([expect.stringContaining('plan.json of request')]);
    await home.vault.close();
    const vault = await restore(home, join(home.folder, 'restored'), path);
    const restored = await vault?.artifacts.getBytes(second?.artifactId ?? '', second?.digest ?? '');
    expect(restored?.toString()).toBe('two');
  });

  test('left by a dead process is swept with what it had written elsewhere', async () => {
    const home = await filledVault();
    // A process id above the largest there can be is nobody's.
    const snapshot = join(home.path, '.backup.99999999.0badcafe.tmp');
    const unfinished = join(home.folder, '.b.99999999.0badcafe.tmp');
    const mine = join(home.folder, 'mine');
    mkdirSync(snapshot);
    writeFileSync(join(snapshot, 'target'), unfinished);
    writeFileSync(unfinished, 'half');
    writeFileSync(mine, 'mine');
    expect(await home.vault.sweepBackups()).toBe(1);
    expect(existsSync(snapshot) || existsSync(unfinished)).toBe(false);
    expect(existsSync(mine)).toBe(true);
    // A text that names something else removes nothing.
    mkdirSync(snapshot);
    writeFileSync(join(snapshot, 'target'), mine);
    await home.vault.sweepBackups();
    expect(existsSync(mine)).toBe(true);
  });
});

describe('a restore', () => {
  test('brings the vault back, and its log names the head that was lost', async () => {
    const home = await filledVault();
    const file = join(home.folder, 'b');
    const before = home.vault.store.read.audit.head();
    await backup(home, file);
    await addFile(home, 'after the backup');
    const lost = home.vault.store.read.audit.head();
    await home.vault.close();

    const path = join(home.folder, 'restored');
    const vault = await restore(home, path, file);
    if (!vault) throw new Error('the keys were at hand');
    expect(lastEntry(vault)).toMatchObject({
      action: 'vault.restored',
      details: { lostHead: lost, restoredHead: before, backup: { createdAt: expect.any(String) } },
    });
    expect(await vault.ledger.witness()).toMatchObject({ status: 'agrees' });
    for (const { artifactId, digest } of home.files) await vault.artifacts.verify(artifactId, digest);
    await addFile({ vault }, 'it goes on');
    expect(existsSync(join(path, 'restored.json'))).toBe(false);
    await vault.close();

    // The folder it came from is the older one now.
    const old = await openVault(home.adapters, home.path);
    onTestFinished(() => old.close());
    expect(await old.ledger.witness()).toMatchObject({ status: 'contradicts' });
    await expect(addFile({ vault: old }, 'no')).rejects.toMatchObject({ code: 'integrity.audit' });
  });

  test('of a vault under a passphrase opens with it, at once or later', async () => {
    const home = await filledVault({ keys: UNDER_PASSPHRASE });
    const file = join(home.folder, 'b');
    await backup(home, file);
    await home.vault.close();
    const now = await restore(home, join(home.folder, 'now'), file, { passphrase: VAULT_PASSPHRASE });
    expect(now && lastEntry(now)).toMatchObject({ action: 'vault.restored', details: { lostHead: null } });
    await now?.close();

    const path = join(home.folder, 'later');
    expect(await restore(home, path, file)).toBeNull();
    await expect(
      restore(home, join(home.folder, 'x'), file, { passphrase: 'wrong wrong' }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    expect(existsSync(join(home.folder, 'x'))).toBe(false);
    const later = await openVault(home.adapters, path, { passphrase: VAULT_PASSPHRASE });
    expect(actions(later).filter((action) => action === 'vault.restored')).toHaveLength(1);
    await later.close();
    const again = await openVault(home.adapters, path, { passphrase: VAULT_PASSPHRASE });
    onTestFinished(() => again.close());
    expect(actions(again).filter((action) => action === 'vault.restored')).toHaveLength(1);
  });

  test('on another machine is locked until it is recovered; the entry is written then', async () => {
    const home = await filledVault();
    const file = join(home.folder, 'b');
    await backup(home, file);
    await home.vault.close();
    home.keychain.clear();
    const path = join(home.folder, 'restored');
    expect(await restore(home, path, file)).toBeNull();
    await expect(openVault(home.adapters, path)).rejects.toMatchObject({ code: 'keychain.missing' });
    const vault = await recoverVault(home.adapters, path, {
      recoveryKey: home.recoveryKey,
      keys: { kind: 'keychain' },
    });
    onTestFinished(() => vault.close());
    expect(actions(vault).slice(-2)).toEqual(['vault.restored', 'vault.recovered']);
    expect(await vault.ledger.witness()).toMatchObject({ status: 'agrees' });
  });

  test('with the recovery key proves and opens at once; another key restores nothing', async () => {
    const home = await filledVault();
    const file = join(home.folder, 'b');
    await backup(home, file);
    await home.vault.close();
    home.keychain.clear();
    const path = join(home.folder, 'restored');
    const { identity } = await home.adapters.keys.generateIdentity();
    const keys = { kind: 'keychain' } as const;
    await expect(
      restore(home, path, file, { recovery: { recoveryKey: identity, keys } }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    expect(readdirSync(home.folder)).toEqual(['b']);
    const vault = await restore(home, path, file, { recovery: { recoveryKey: home.recoveryKey, keys } });
    expect(vault && actions(vault).slice(-2)).toEqual(['vault.restored', 'vault.recovered']);
  });

  test('over a witness that went on needs the recovery key where the keychain had lost the keys alone', async () => {
    const home = await filledVault();
    const file = join(home.folder, 'b');
    await backup(home, file);
    const lost = home.vault.store.read.audit.head();
    await home.vault.close();
    const secrets = home.keychain.get(home.vault.id);
    const kept = (await secrets?.get('vault-keys')) ?? '';
    await secrets?.delete('vault-keys');
    const path = join(home.folder, 'restored');
    expect(await restore(home, path, file)).toBeNull();
    // The keys are back without anybody having shown the recovery key: what lies here could be a thief's older copy.
    await secrets?.set('vault-keys', kept);
    const opened = await openVault(home.adapters, path);
    expect(await opened.ledger.witness()).toMatchObject({ status: 'contradicts' });
    await expect(addFile({ vault: opened }, 'no')).rejects.toMatchObject({ code: 'integrity.audit' });
    await opened.close();
    const vault = await recoverVault(home.adapters, path, {
      recoveryKey: home.recoveryKey,
      keys: { kind: 'keychain' },
    });
    onTestFinished(() => vault.close());
    expect([...vault.store.read.audit.entries()].at(-2)).toMatchObject({
      action: 'vault.restored',
      details: { lostHead: lost },
    });
  });

  test('is refused while the same vault is open in the folder beside', async () => {
    const home = await filledVault();
    const file = join(home.folder, 'b');
    await backup(home, file);
    const beside = join(home.path, '..', 'restored');
    await expect(restore(home, beside, file)).rejects.toMatchObject({ code: 'conflict' });
    expect(existsSync(beside)).toBe(false);
    await expect(restore(home, home.path, file)).rejects.toMatchObject({ code: 'conflict' });
    await home.vault.close();
    expect(await restore(home, beside, file)).not.toBeNull();
  });
});
