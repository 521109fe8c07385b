import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemorySecrets } from '../../../electron/adapters/keychain/memory-secrets.ts';
import { createSessionService } from '../../../electron/services/session/index.ts';
import { createVault, openVault, recoverVault, vaultAt } from '../../../electron/services/vault/index.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { smallDisk } from '../../support/small-disk.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { machine, OPERATOR_PASSPHRASE, testVault, VAULT_PASSPHRASE } from '../../support/vault.ts';

const FIRST = { operator: 'ada', person: 'Ada Lovelace', operatorPassphrase: OPERATOR_PASSPHRASE };
const UNDER_PASSPHRASE = { kind: 'passphrase', passphrase: VAULT_PASSPHRASE } as const;

describe('creating a vault', () => {
  test('leaves its files, and an audit log that begins with the vault and its first operator', async () => {
    const { vault, path } = await testVault();
    expect(readdirSync(path).sort()).toEqual(
      expect.arrayContaining(['artifacts', 'recovery', 'recovery.age', 'registry.db', 'vault.json']),
    );
    expect(existsSync(join(path, 'passphrase.age'))).toBe(false);
    expect([...vault.store.read.audit.entries()].map(({ action }) => action)).toEqual([
      'vault.created',
      'operator.added',
    ]);
    expect(vault.store.read.operatorByName('ada')?.roles).toEqual(['administrator', 'analyst']);
  });

  test('writes no plaintext of what the database holds', async () => {
    const { vault, path } = await testVault();
    await vault.close();
    const bytes = readFileSync(join(path, 'registry.db')).toString('latin1');
    expect(bytes.startsWith('SQLite format 3')).toBe(false);
    expect(bytes).not.toContain('Ada Lovelace');
  });

  test.each([
    ['a vault', 'vault.json'],
    ['anything else', 'notes.txt'],
  ])('refuses a folder that has %s in it, and touches nothing', async (_what, name) => {
    const { adapters } = machine();
    const path = temporaryDirectory();
    writeFileSync(join(path, name), 'mine');
    await expect(createVault(adapters, path, { ...FIRST, keys: { kind: 'keychain' } })).rejects.toMatchObject(
      { code: 'conflict' },
    );
    expect(readdirSync(path)).toEqual([name]);
    expect(readFileSync(join(path, name), 'utf8')).toBe('mine');
  });

  test('fills an empty folder', async () => {
    const { adapters } = machine();
    const path = join(temporaryDirectory(), 'empty');
    mkdirSync(path);
    const { vault } = await createVault(adapters, path, { ...FIRST, keys: UNDER_PASSPHRASE });
    await vault.close();
    expect(await vaultAt(adapters, path)).toEqual({ id: vault.id, keysKind: 'passphrase' });
  });

  test('removes what an attempt that died left beside it, and nothing of one that lives', async () => {
    const parent = temporaryDirectory();
    const dead = join(parent, '.vault.999999999.0a1b2c3d.tmp');
    const living = join(parent, `.vault.${process.ppid}.0a1b2c3d.tmp`);
    mkdirSync(join(dead, 'artifacts'), { recursive: true });
    mkdirSync(living);
    const { vault } = await createVault(machine().adapters, join(parent, 'vault'), {
      ...FIRST,
      keys: UNDER_PASSPHRASE,
    });
    await vault.close();
    expect(readdirSync(parent).sort()).toEqual([basename(living), 'vault']);
  });

  test('is not made through a symbolic link, nor inside of another vault', async () => {
    const parent = temporaryDirectory();
    mkdirSync(join(parent, 'real'));
    symlinkSync('real', join(parent, 'link'));
    symlinkSync('nowhere', join(parent, 'dangling'));
    const { adapters, path } = await testVault();
    const made = (at: string) => createVault(adapters, at, { ...FIRST, keys: UNDER_PASSPHRASE });
    for (const at of [join(parent, 'link'), join(parent, 'dangling')])
      await expect(made(at)).rejects.toMatchObject({ code: 'input.invalid', hint: expect.any(String) });
    for (const at of [join(path, 'second'), join(path, 'artifacts', 'deep', 'second')])
      await expect(made(at)).rejects.toMatchObject({ code: 'conflict', hint: expect.any(String) });
    expect(readdirSync(parent).sort()).toEqual(['dangling', 'link', 'real']);
    expect(readdirSync(join(parent, 'real'))).toEqual([]);
    expect(existsSync(join(path, 'second'))).toBe(false);
  });

  test('is not made in the place of a whole disk, but in a folder on it', async ({ skip }) => {
    const disk = smallDisk(1);
    skip(disk === null, 'no file system can be mounted here');
    onTestFinished(() => disk?.remove());
    const { adapters } = machine();
    await expect(
      createVault(adapters, disk?.path ?? '', { ...FIRST, keys: UNDER_PASSPHRASE }),
    ).rejects.toMatchObject({ code: 'input.invalid', hint: expect.stringContaining('folder') });
  });

  // Skipped on Windows, where modes say nothing.
  test.skipIf(process.platform === 'win32')('is for its owner alone', async () => {
    const { path } = await testVault();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const name of ['artifacts', 'recovery']) expect(statSync(join(path, name)).mode & 0o777).toBe(0o700);
    for (const name of ['vault.json', 'recovery.age'])
      expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
  });

  test('leaves nothing when the keychain fails half-way, neither files nor secrets', async () => {
    const secrets = new MemorySecrets();
    const failing = Object.assign(Object.create(secrets) as MemorySecrets, {
      kind: 'memory',
      get: (name: string) => secrets.get(name),
      delete: (name: string) => secrets.delete(name),
      close: () => secrets.close(),
      set: async (name: string, value: string) => {
        if (name.startsWith('operator-key/')) throw new Error('the keychain went away');
        await secrets.set(name, value);
      },
    });
    const { adapters } = machine({ keychainSecrets: () => failing });
    const parent = temporaryDirectory();
    await expect(
      createVault(adapters, join(parent, 'vault'), { ...FIRST, keys: { kind: 'keychain' } }),
    ).rejects.toThrow('the keychain went away');
    expect(readdirSync(parent)).toEqual([]);
    expect(await secrets.get('vault-keys')).toBeNull();
    expect(await secrets.get('checkpoint-key')).toBeNull();
  });

  test.each([
    ['operator', { ...FIRST, operatorPassphrase: 'short', keys: UNDER_PASSPHRASE }],
    ['vault', { ...FIRST, keys: { kind: 'passphrase', passphrase: 'short' } as const }],
  ])('refuses a short passphrase of the %s', async (_whose, input) => {
    const parent = temporaryDirectory();
    await expect(createVault(machine().adapters, join(parent, 'vault'), input)).rejects.toMatchObject({
      code: 'input.invalid',
    });
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe('opening a vault', () => {
  test('with the keychain', async () => {
    const { vault, adapters, path } = await testVault();
    await vault.close();
    const again = await openVault(adapters, path);
    expect(again.keysKind).toBe('keychain');
    expect(again.identity()).toMatch(/^AGE-SECRET-KEY-1/);
    await again.close();
    expect(() => again.identity()).toThrow(expect.objectContaining({ code: 'locked' }));
    expect(() => again.store.read.operators()).toThrow(expect.objectContaining({ code: 'locked' }));
    await again.close();
  });

  test('with a passphrase, which is asked for and checked', async () => {
    const { vault, adapters, path } = await testVault({ keys: UNDER_PASSPHRASE });
    await vault.close();
    await expect(openVault(adapters, path)).rejects.toMatchObject({ code: 'locked' });
    await expect(openVault(adapters, path, { passphrase: 'not the passphrase' })).rejects.toMatchObject({
      code: 'auth.failed',
    });
    const again = await openVault(adapters, path, { passphrase: VAULT_PASSPHRASE });
    expect(again.secrets.kind).toBe('file');
    await again.close();
  });

  test('is refused where something was put in a file’s place or a file is gone; never taken for a place for a new one', async () => {
    const { vault, adapters, path } = await testVault({ keys: UNDER_PASSPHRASE });
    await vault.close();
    const passphrase = VAULT_PASSPHRASE;
    rmSync(join(path, 'passphrase.age'));
    mkdirSync(join(path, 'passphrase.age'));
    await expect(openVault(adapters, path, { passphrase })).rejects.toMatchObject({
      code: 'integrity.vault',
      facts: { file: 'passphrase.age' },
    });
    await expect(vaultAt(adapters, path)).rejects.toMatchObject({ code: 'integrity.vault' });
    rmSync(join(path, 'passphrase.age'), { recursive: true });
    rmSync(join(path, 'vault.json'));
    const before = readFileSync(join(path, 'registry.db'));
    for (const attempt of [() => vaultAt(adapters, path), () => openVault(adapters, path, { passphrase })])
      await expect(attempt()).rejects.toMatchObject({ code: 'integrity.vault' });
    await expect(createVault(adapters, path, { ...FIRST, keys: UNDER_PASSPHRASE })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(readFileSync(join(path, 'registry.db')).equals(before)).toBe(true);
  });

  test('says where there is none', async () => {
    await expect(openVault(machine().adapters, temporaryDirectory())).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('names the way back when the keychain was wiped, and creates no new key', async () => {
    const { vault, adapters, path, keychain } = await testVault();
    await vault.close();
    keychain.clear();
    await expect(openVault(adapters, path)).rejects.toMatchObject({
      code: 'keychain.missing',
      hint: expect.stringContaining('sallyport recover'),
    });
    expect(await keychain.get(vault.id)?.get('vault-keys')).toBeNull();
  });

  test('tells a keychain with other keys from a damaged database', async () => {
    const { vault, adapters, path, keychain } = await testVault();
    await vault.close();
    const secrets = keychain.get(vault.id);
    const keys = JSON.parse((await secrets?.get('vault-keys')) ?? '{}') as { databaseKey: string };
    await secrets?.set('vault-keys', JSON.stringify({ ...keys, databaseKey: 'ab'.repeat(32) }));
    await expect(openVault(adapters, path)).rejects.toMatchObject({ code: 'keychain.changed' });
  });

  test('refuses a vault.json that names another vault', async () => {
    const { vault, adapters, path, keychain } = await testVault();
    const other = 'f'.repeat(32);
    const keys = JSON.parse((await keychain.get(vault.id)?.get('vault-keys')) ?? '{}') as object;
    await vault.close();
    writeFileSync(join(path, 'vault.json'), JSON.stringify({ id: other, format: 1 }));
    // Even where the keychain gives keys under that name, the database says whose it is.
    const secrets = new MemorySecrets();
    await secrets.set('vault-keys', JSON.stringify({ ...keys, vaultId: other }));
    keychain.set(other, secrets);
    await expect(openVault(adapters, path)).rejects.toMatchObject({ code: 'integrity.vault' });
  });

  test('says that the database is gone, and makes no new one', async () => {
    const { vault, adapters, path } = await testVault();
    await vault.close();
    rmSync(join(path, 'registry.db'));
    await expect(openVault(adapters, path)).rejects.toMatchObject({ code: 'not-found' });
    expect(existsSync(join(path, 'registry.db'))).toBe(false);
  });

  test('refuses a database in place of which another one was put', async () => {
    const mine = await testVault();
    const other = await testVault();
    await Promise.all([mine.vault.close(), other.vault.close()]);
    writeFileSync(join(mine.path, 'registry.db'), readFileSync(join(other.path, 'registry.db')));
    await expect(openVault(mine.adapters, mine.path)).rejects.toMatchObject({ code: 'keychain.changed' });
  });

  test('lets one process at a time run effects', async () => {
    const { vault, adapters, path } = await testVault();
    const second = await openVault(adapters, path);
    expect(vault.acquireEffectsLock()).toBe(true);
    expect(vault.acquireEffectsLock()).toBe(true);
    expect(second.acquireEffectsLock()).toBe(false);
    vault.releaseEffectsLock();
    expect(second.acquireEffectsLock()).toBe(true);
    await second.close();
    expect(vault.acquireEffectsLock()).toBe(true);
  });
});

describe('recovering a vault whose keychain was wiped', () => {
  test.each([
    ['the keychain', { kind: 'keychain' } as const],
    ['a new passphrase', UNDER_PASSPHRASE],
  ])('into %s: keys, operators, tokens and artifacts are back, and the log says so', async (_where, keys) => {
    const { vault, adapters, path, keychain, recoveryKey } = await testVault();
    const artifact = await vault.artifacts.putBytes(Buffer.from('a stored file'));
    await vault.secrets.set('endpoint-token/e1', 'a token');
    await vault.close();
    keychain.clear();

    const recovered = await recoverVault(adapters, path, { recoveryKey, keys });
    await recovered.close();
    const again = await openVault(
      adapters,
      path,
      keys.kind === 'passphrase' ? { passphrase: VAULT_PASSPHRASE } : {},
    );
    expect(again.keysKind).toBe(keys.kind);
    expect(await again.secrets.get('endpoint-token/e1')).toBe('a token');
    expect((await again.artifacts.getBytes(artifact.artifactId, artifact.digest)).toString()).toBe(
      'a stored file',
    );
    const session = createSessionService({
      ledger: again.ledger,
      store: again.store,
      secrets: again.secrets,
      keys: adapters.keys,
      system: adapters.system,
    });
    expect((await session.signIn({ operator: 'ada', passphrase: OPERATOR_PASSPHRASE })).name).toBe('ada');
    expect([...again.store.read.audit.entries()].map(({ action }) => action)).toContain('vault.recovered');
    await again.close();
  });

  test('from a forgotten passphrase', async () => {
    const { vault, adapters, path, recoveryKey } = await testVault({ keys: UNDER_PASSPHRASE });
    await vault.close();
    const keys = { kind: 'passphrase', passphrase: 'a passphrase to remember' } as const;
    await (await recoverVault(adapters, path, { recoveryKey, keys })).close();
    await expect(openVault(adapters, path, { passphrase: VAULT_PASSPHRASE })).rejects.toMatchObject({
      code: 'auth.failed',
    });
    await (await openVault(adapters, path, { passphrase: keys.passphrase })).close();
  });

  test('refuses another recovery key and changes nothing', async () => {
    const { vault, adapters, path, keychain } = await testVault();
    await vault.close();
    keychain.clear();
    const { identity } = await adapters.keys.generateIdentity();
    await expect(
      recoverVault(adapters, path, { recoveryKey: identity, keys: { kind: 'keychain' } }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    await expect(
      recoverVault(adapters, path, { recoveryKey: 'nonsense', keys: { kind: 'keychain' } }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    expect((await keychain.get(vault.id)?.get('vault-keys')) ?? null).toBeNull();
  });

  test('is the way back that is named where the passphrase file is gone and there is no keychain', async () => {
    const gone = new SallyportError('keychain.missing', 'There is no keychain to talk to.');
    const { adapters } = machine({
      keychainSecrets: () => ({
        kind: 'keychain',
        get: () => Promise.reject(gone),
        set: () => Promise.reject(gone),
        delete: () => Promise.reject(gone),
        close: () => Promise.resolve(),
      }),
    });
    const path = join(temporaryDirectory(), 'vault');
    const { vault } = await createVault(adapters, path, { ...FIRST, keys: UNDER_PASSPHRASE });
    await vault.close();
    rmSync(join(path, 'passphrase.age'));
    await expect(openVault(adapters, path, { passphrase: VAULT_PASSPHRASE })).rejects.toMatchObject({
      code: 'integrity.vault',
      hint: expect.stringContaining('sallyport recover'),
    });
  });

  test('works whatever became of the recovery file while the vault could still be opened, and the log tells', async () => {
    const other = await testVault();
    await other.vault.close();
    const wrongs = {
      missing: null,
      'of another vault': readFileSync(join(other.path, 'recovery.age')),
      damaged: Buffer.from('age-encryption.org/v1\n'),
    };
    for (const [what, bytes] of Object.entries(wrongs)) {
      const { vault, adapters, path, keychain, recoveryKey } = await testVault();
      await vault.close();
      const file = join(path, 'recovery.age');
      if (bytes === null) rmSync(file);
      else writeFileSync(file, bytes);
      const opened = await openVault(adapters, path);
      const last = [...opened.store.read.audit.entries()].at(-1);
      expect(last, what).toMatchObject({ actor: 'system', action: 'vault.recovery-mended' });
      await opened.close();
      // Written once: the next opening finds it good.
      const again = await openVault(adapters, path);
      expect(again.store.read.audit.head()?.seq).toBe(last?.seq);
      await again.close();
      keychain.clear();
      const back = await recoverVault(adapters, path, { recoveryKey, keys: { kind: 'keychain' } });
      await back.close();
    }
  });

  test('refuses the recovery file of another vault', async () => {
    const mine = await testVault();
    const other = await testVault();
    await Promise.all([mine.vault.close(), other.vault.close()]);
    writeFileSync(join(mine.path, 'recovery.age'), readFileSync(join(other.path, 'recovery.age')));
    await expect(
      recoverVault(mine.adapters, mine.path, { recoveryKey: other.recoveryKey, keys: { kind: 'keychain' } }),
    ).rejects.toMatchObject({ code: 'integrity.vault' });
  });
});
