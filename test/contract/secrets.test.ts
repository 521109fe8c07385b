import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FileSecrets } from '../../electron/adapters/keychain/file-secrets.ts';
import { KeychainSecrets, keychainError } from '../../electron/adapters/keychain/keychain-secrets.ts';
import { MemorySecrets } from '../../electron/adapters/keychain/memory-secrets.ts';
import { createForkWorker } from '../../electron/adapters/system/fork-worker.ts';
import { MAX_SECRET_BYTES, type SecretStore } from '../../electron/ports/secrets.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { type AgeIdentity, decryptBytes, generateIdentity } from '../../shared/node/age/index.ts';
import {
  environmentWithoutDBus,
  type Keyring,
  keyringUnavailable,
  startKeyring,
} from '../support/keyring.ts';

const forkWorker = createForkWorker((entry) =>
  fileURLToPath(new URL(`../../electron/workers/${entry}.ts`, import.meta.url)),
);

const SECRETS_WRITER = fileURLToPath(new URL('../support/secrets-writer.ts', import.meta.url));

const unavailable = keyringUnavailable();
if (unavailable) console.warn(`skipped: the keychain against a real Secret Service, because ${unavailable}`);

let folder = '';
let vault: AgeIdentity;
beforeAll(async () => {
  vault = await generateIdentity();
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The suite that every store keeps. `open` answers stores over one and the same keychain or file. */
function behavesAsSecretStore(open: () => SecretStore): void {
  let store: SecretStore;
  beforeEach(() => {
    store = open();
  });
  afterEach(() => store.close());

  it('answers null for what it was never given', async () => {
    expect(await store.get('never-given')).toBeNull();
  });

  it('keeps, replaces and deletes a secret', async () => {
    await store.set('endpoint/edge-1/token', 'first');
    await store.set('endpoint/edge-1/token', 'second');
    expect(await store.get('endpoint/edge-1/token')).toBe('second');
    await store.delete('endpoint/edge-1/token');
    expect(await store.get('endpoint/edge-1/token')).toBeNull();
    await store.delete('endpoint/edge-1/token');
  });

  it('keeps any text exactly: lines, other scripts, up to the bound', async () => {
    for (const value of ['a\nb\r\n', ' x ', 'straße 鍵 🗝', '{"a":"\\u0000"}', 'x'.repeat(MAX_SECRET_BYTES)]) {
      await store.set('text', value);
      expect(await store.get('text')).toBe(value);
    }
  });

  it('keeps secrets apart by name, and takes many calls at once', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `parallel/${at}`);
    await Promise.all(names.map((name) => store.set(name, `value of ${name}`)));
    expect(await Promise.all(names.map((name) => store.get(name)))).toEqual(
      names.map((name) => `value of ${name}`),
    );
    await Promise.all(names.map((name) => store.delete(name)));
  });

  it.each([
    ['an empty value', 'ok', ''],
    ['a NUL character', 'ok', 'a\0b'],
    ['half a surrogate pair', 'ok', 'a\ud800'],
    ['more than fits', 'ok', 'ß'.repeat(MAX_SECRET_BYTES / 2 + 1)],
    ['an empty name', '', 'x'],
    ['a name with a line end', 'a\nb', 'x'],
  ])('refuses %s and keeps what was there', async (_what, name, value) => {
    await store.set('ok', 'kept');
    await expect(store.set(name, value)).rejects.toMatchObject({ code: 'usage' });
    expect(await store.get('ok')).toBe('kept');
  });

  it('never quotes a secret in an error', async () => {
    const error = await store.set('ok', `${'hunter2'.repeat(1000)}`).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SallyportError);
    expect(
      JSON.stringify([
        (error as SallyportError).message,
        (error as SallyportError).hint,
        (error as SallyportError).facts,
      ]),
    ).not.toContain('hunter2');
  });
}

describe('secrets in memory', () => behavesAsSecretStore(() => new MemorySecrets()));

describe('secrets in an age file', () => {
  const path = (): string => join(folder, 'secrets.age');
  const open = (): FileSecrets =>
    new FileSecrets({ path: path(), recipient: () => vault.recipient, identity: () => vault.identity });
  behavesAsSecretStore(open);

  it('are an age file for the vault, and survive the process', async () => {
    await open().set('token', 'in the file');
    expect(await open().get('token')).toBe('in the file');
    expect(
      JSON.parse((await decryptBytes([vault.identity], await readFile(path()))).toString()),
    ).toMatchObject({ version: 1, secrets: { token: 'in the file' } });
    expect((await readdir(folder)).sort()).toEqual(['secrets-lock.db', 'secrets.age']);
  });

  it('of two stores over one file, none loses the change of the other', async () => {
    const [one, two] = [open(), open()];
    await Promise.all(
      Array.from({ length: 10 }, (_, at) => (at % 2 ? one : two).set(`both/${at}`, String(at))),
    );
    expect(await Promise.all(Array.from({ length: 10 }, (_, at) => one.get(`both/${at}`)))).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
    ]);
  });

  it('of two processes, each killed at any time, none leaves a lock behind or loses what was acknowledged', async () => {
    const writers = ['a', 'b', 'c'].map(async (name, at) => {
      const child = spawn(process.execPath, [SECRETS_WRITER, path(), vault.recipient, vault.identity, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString();
        if (said.split('\n').length > 6 + at * 5) child.kill('SIGKILL');
      });
      await once(child, 'close');
      return said.split('\n').slice(0, -1);
    });
    const acknowledged = (await Promise.all(writers)).flat();
    expect(acknowledged.length).toBeGreaterThanOrEqual(6 + 11 + 16);
    for (const name of acknowledged) expect(await open().get(name), name).toBe('x');
    await open().set('after-crash', 'x');
    expect(await open().get('after-crash')).toBe('x');
  });

  it('given a locked vault, say so', async () => {
    const locked = new FileSecrets({
      path: path(),
      recipient: () => vault.recipient,
      identity: () => {
        throw new SallyportError('locked', 'The vault is locked.');
      },
    });
    await expect(locked.get('token')).rejects.toMatchObject({ code: 'locked' });
    await expect(locked.set('token', 'x')).rejects.toMatchObject({ code: 'locked' });
  });

  it('given a changed file or that of another vault, refuse and leave it', async () => {
    await open().set('token', 'x');
    const file = await readFile(path());
    const stranger = await generateIdentity();
    const other = new FileSecrets({
      path: path(),
      recipient: () => stranger.recipient,
      identity: () => stranger.identity,
    });
    await expect(other.get('token')).rejects.toMatchObject({ code: 'integrity.vault' });
    await expect(other.set('token', 'y')).rejects.toMatchObject({ code: 'integrity.vault' });
    file[file.length - 1] = (file.at(-1) ?? 0) ^ 1;
    await writeFile(path(), file);
    await expect(open().set('token', 'y')).rejects.toMatchObject({ code: 'integrity.vault' });
    expect((await readFile(path())).equals(file)).toBe(true);
    await rm(path());
  });
});

describe.skipIf(unavailable !== null)('secrets in a real Secret Service', () => {
  let keyring: Keyring;
  beforeAll(async () => {
    keyring = await startKeyring();
  });
  afterAll(() => keyring.stop());
  const open = (vaultId = 'vault-1'): KeychainSecrets =>
    new KeychainSecrets({ vaultId, forkWorker, env: keyring.env, timeoutMs: 20_000 });
  behavesAsSecretStore(open);

  it('of two vaults do not meet', async () => {
    const [one, two] = [open('vault-1'), open('vault-2')];
    await one.set('key', 'of one');
    expect(await two.get('key')).toBeNull();
    await two.set('key', 'of two');
    expect(await one.get('key')).toBe('of one');
    await Promise.all([one.close(), two.close()]);
  });

  it('survive the process, and the store opens again after it was closed', async () => {
    const first = open();
    await first.set('durable', 'x');
    await first.close();
    expect(await first.get('durable')).toBe('x');
    const second = open();
    expect(await second.get('durable')).toBe('x');
    await Promise.all([first.close(), second.close()]);
  });

  it('given a locked keychain, every call says so instead of "nothing there"; then a wiped one is empty and works', async () => {
    const store = open();
    await store.set('there', 'x');
    keyring.lock();
    await expect(store.get('there')).rejects.toMatchObject({ code: 'keychain.locked' });
    await expect(store.set('there', 'y')).rejects.toMatchObject({ code: 'keychain.locked' });
    await expect(store.delete('there')).rejects.toMatchObject({ code: 'keychain.locked' });
    await keyring.wipe();
    // The service is another process now; the store finds it.
    expect(await store.get('there')).toBeNull();
    await store.set('there', 'z');
    expect(await store.get('there')).toBe('z');
    await store.close();
  });
});

describe('a keychain that is not there', () => {
  const call = async (
    options: Partial<ConstructorParameters<typeof KeychainSecrets>[0]>,
  ): Promise<unknown> => {
    const store = new KeychainSecrets({ vaultId: 'v', forkWorker, timeoutMs: 20_000, ...options });
    try {
      return await store.get('key').then(
        () => 'answered',
        (error: unknown) => (error instanceof SallyportError ? error.code : error),
      );
    } finally {
      await store.close();
    }
  };
  const worker = async (
    name: string,
    source: string,
  ): Promise<Partial<ConstructorParameters<typeof KeychainSecrets>[0]>> => {
    const path = join(folder, `${name}.mjs`);
    await writeFile(path, source);
    return { forkWorker: createForkWorker(() => path) };
  };

  it('without D-Bus is missing', async () => {
    if (process.platform !== 'linux') return;
    expect(await call({ env: environmentWithoutDBus() })).toBe('keychain.missing');
  });

  it.runIf(process.platform === 'linux')('whose library does not load is missing, and says why', async () => {
    // The system's loader finds this one first, and it is no library: as after an update that broke off.
    const libraries = await mkdtemp(join(folder, 'libraries-'));
    await writeFile(join(libraries, 'libsecret-1.so.0'), 'no library');
    const env = { ...environmentWithoutDBus(), LD_LIBRARY_PATH: libraries };
    const store = new KeychainSecrets({ vaultId: 'v', forkWorker, timeoutMs: 20_000, env });
    await expect(store.get('key')).rejects.toMatchObject({
      code: 'keychain.missing',
      message: expect.stringContaining('does not load'),
      facts: { system: expect.stringContaining('libsecret-1.so.0') },
    });
    await store.close();
  });

  it('whose process does not start is missing', async () => {
    expect(await call(await worker('throws', `throw new Error('does not start')`))).toBe('keychain.missing');
  });

  it('that crashes in the prompt was cancelled, and nothing else ends', async () => {
    expect(
      await call(
        await worker('crashes', `process.on('message', () => process.kill(process.pid, 'SIGSEGV'))`),
      ),
    ).toBe('keychain.cancelled');
  });

  it('that never answers counts as locked after the time allowed', async () => {
    expect(
      await call({ ...(await worker('waits', `process.on('message', () => {})`)), timeoutMs: 300 }),
    ).toBe('keychain.locked');
  });

  it.each([
    ['Cannot create an item in a locked collection', 'keychain.locked'],
    ['The operation was dismissed', 'keychain.cancelled'],
    ['User canceled the operation.', 'keychain.cancelled'],
    ['User interaction is not allowed.', 'keychain.locked'],
    ['Cannot autolaunch D-Bus without X11 $DISPLAY', 'keychain.missing'],
    ['The name org.freedesktop.secrets was not provided by any .service files', 'keychain.missing'],
  ])('told %j, the error is %s', (text, code) => {
    expect(keychainError('call', text).code).toBe(code);
  });
});
