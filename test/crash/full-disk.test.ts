/** A full and a read-only disk in every path that writes: said plainly, nothing half-done, and the vault can still be read. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeNewFile } from '../../electron/cli/input.ts';
import type { Console } from '../../electron/compose.ts';
import { createDesk } from '../../electron/main/desk.ts';
import { OPEN_POLICY, PEOPLE, QUIET, signIn } from '../support/console.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { DIRECT, type Home, homeFactory, makeHome, openHome } from './harness/home.ts';
import { inspectHome } from './harness/inspect.ts';

const NOTHING_WRONG = { lost: [], half: [], orphans: [], unsound: [] };
const NO_DISK = 'this machine does not let a test mount a disk';
const probe = smallDisk(1);
probe?.remove();

let directory: string;
let template: Home;
beforeAll(async () => {
  if (probe === null) return;
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-full-')));
  template = await makeHome(directory);
}, 120_000);
afterAll(() => {
  if (probe !== null) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** The vault and a keychain of files on the small disk; what is written outside of the vault goes there too. */
function homeOn(disk: SmallDisk): Home {
  const home = {
    ...template,
    vault: join(disk.path, 'vault'),
    keychain: join(disk.path, 'keychain'),
    outside: join(disk.path, 'outside'),
  };
  cpSync(template.vault, home.vault, { recursive: true });
  cpSync(template.keychain, home.keychain, { recursive: true });
  mkdirSync(home.outside);
  return home;
}

/** Everything that writes and can be asked for on one vault. Each is refused alike and leaves nothing. */
const WRITING: Readonly<Record<string, (opened: Console, home: Home) => Promise<unknown>>> = {
  'a model is added': async ({ services }, home) =>
    services.models.add(
      await ana(services),
      { name: 'big', version: '1.0.0', path: home.model, parent: null, metadata: {} },
      QUIET,
    ),
  'a policy is changed': async ({ services }, home) =>
    services.environments.setPolicy(await ana(services), {
      id: home.environmentId,
      policy: { ...OPEN_POLICY, requestHours: 3 },
    }),
  'an operator is added': async ({ services }) =>
    services.operators.add(await ana(services), {
      name: 'dora',
      person: 'Dora',
      roles: ['analyst'],
      passphrase: 'dora has this passphrase',
    }),
  'a request is submitted': async ({ services }, home) =>
    services.requests.submit(await ana(services), {
      name: 'phish-url',
      version: '1.1.0',
      environmentId: home.environmentId,
      passphrase: PEOPLE.ana.passphrase,
      plan: DIRECT,
    }),
  'a request is approved': async ({ services }, home) =>
    services.requests.approve(await as(services, 'ben'), {
      id: home.open,
      passphrase: PEOPLE.ben.passphrase,
    }),
  'a model is exported': async ({ services }, home) =>
    services.models.export(
      await ana(services),
      { name: 'phish-url', version: '1.1.0', directory: home.outside },
      QUIET,
    ),
  'the log is exported': async ({ services }, home) =>
    services.audit.export(await as(services, 'cleo'), { path: join(home.outside, 'log.jsonl') }),
  'a backup is made': async ({ services }, home) =>
    services.vault.backup(await ana(services), { path: join(home.outside, 'backup.tar') }, QUIET),
  'the keys are changed': async ({ services }) =>
    services.vault.rekey(
      await ana(services),
      { full: false, newRecoveryKey: false, passphrase: null },
      QUIET,
    ),
  'a version is archived': async ({ services }) =>
    services.models.archive(await as(services, 'ben'), { name: 'phish-url', version: '1.0.0' }),
};

const as = (services: Console['services'], who: keyof typeof PEOPLE) =>
  services.session.signIn({ operator: who, passphrase: PEOPLE[who].passphrase });
const ana = (services: Console['services']) => as(services, 'ana');

/** Files in the vault and beside it, without what SQLite keeps for itself. */
function contents(home: Home): string[] {
  return [home.vault, home.outside].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/registry\.db|open\.db|lock\.db/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort(),
  );
}

/** What a person who only reads does. */
async function readEverything(opened: Console): Promise<void> {
  const { services } = opened;
  const cleo = await as(services, 'cleo');
  expect(services.models.get(cleo, { name: 'phish-url', version: '1.1.0' }).version.state).toBe('validated');
  expect((await services.requests.list(cleo)).length).toBe(3);
  expect(services.environments.list(cleo).length).toBe(1);
  expect((await services.audit.verify(cleo)).problems).toEqual([]);
}

describe('a disk that is full', () => {
  let disk: SmallDisk;
  let home: Home;
  beforeEach((context) => {
    const made = smallDisk(8);
    if (made === null) return context.skip(NO_DISK);
    disk = made;
    home = homeOn(disk);
  });
  afterEach(() => disk?.remove());

  test.each(Object.keys(WRITING))(
    'when %s: said so, nothing kept of it, everything else still there',
    async (name) => {
      const opened = await openHome(home);
      try {
        await ana(opened.services);
        const before = contents(home);
        const seq = opened.vault.store.read.audit.head()?.seq;
        disk.fill();
        await expect(WRITING[name]?.(opened, home)).rejects.toMatchObject({ code: 'disk.full' });
        expect(opened.vault.ledger.unwritable()?.code).toBe('disk.full');
        expect(contents(home)).toEqual(before);
        expect(opened.vault.store.read.audit.head()?.seq).toBe(seq);
        // Room again: the same works, and the sign-in that could not be written is in the log.
        disk.empty();
        await WRITING[name]?.(opened, home);
        expect(opened.vault.ledger.unwritable()).toBeNull();
        const late = [...opened.vault.store.read.audit.entries()].filter(
          ({ details }) => 'happenedAt' in details,
        );
        expect(late.map(({ action }) => action)).toContain('session.signed-in');
      } finally {
        await opened.close();
      }
      expect(await inspectHome(home, [], null)).toEqual(NOTHING_WRONG);
    },
  );

  test('opens for reading, with somebody signed in, and says why it takes no change', async () => {
    disk.fill();
    const opened = await openHome(home);
    try {
      await readEverything(opened);
      expect(opened.vault.ledger.unwritable()?.code).toBe('disk.full');
    } finally {
      await opened.close();
    }
    disk.empty();
    expect(await inspectHome(home, [], null)).toEqual(NOTHING_WRONG);
  });

  test('lets nothing leave that cannot be entered into the log', async () => {
    const elsewhere = mkdtempSync(join(directory, 'elsewhere-'));
    const opened = await openHome(home);
    try {
      disk.fill();
      const cleo = await as(opened.services, 'cleo');
      const ref = { name: 'phish-url', version: '1.1.0', directory: elsewhere };
      const full = { code: 'disk.full' };
      await expect(
        opened.services.models.export(await ana(opened.services), ref, QUIET),
      ).rejects.toMatchObject(full);
      const path = join(elsewhere, 'log.jsonl');
      await expect(opened.services.audit.export(cleo, { path })).rejects.toMatchObject(full);
      expect(readdirSync(elsewhere)).toEqual([]);
    } finally {
      await opened.close();
    }
  });

  test('holds no part of a report', async () => {
    const path = join(home.outside, 'report.html');
    disk.fill(8192);
    await expect(writeNewFile(path, 'x'.repeat(100_000))).rejects.toMatchObject({ code: 'disk.full' });
    expect(existsSync(path)).toBe(false);
    disk.empty();
    await writeNewFile(path, 'whole');
    // Nor is one that is there already taken for a beginning.
    await expect(writeNewFile(path, 'another')).rejects.toMatchObject({ code: 'usage' });
    expect(readFileSync(path, 'utf8')).toBe('whole');
  });

  test('holds no second vault: nothing of it is left', async () => {
    disk.fill(20_000);
    const path = join(disk.path, 'second');
    const input = { operator: 'olga', person: 'Olga', operatorPassphrase: 'olga signs with this' };
    await expect(
      homeFactory(home).create(path, { ...input, keys: { kind: 'keychain' } }),
    ).rejects.toMatchObject({ code: 'disk.full' });
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(disk.path).filter((name) => name.includes('second'))).toEqual([]);
  });

  test('keeps guesses at a passphrase apart all the same', async () => {
    disk.fill();
    const opened = await openHome(home);
    try {
      const wrong = { operator: 'ana', passphrase: 'not the one' };
      for (let guess = 0; guess < 3; guess++)
        await expect(opened.services.session.signIn(wrong)).rejects.toMatchObject({ code: 'auth.failed' });
      await expect(signIn(opened, 'ana')).rejects.toThrow(/Too many wrong passphrases/);
    } finally {
      await opened.close();
    }
  });
});

describe('a disk that is read-only', () => {
  let disk: SmallDisk;
  let home: Home;
  beforeEach((context) => {
    const made = smallDisk(8);
    if (made === null) return context.skip(NO_DISK);
    disk = made;
    home = homeOn(disk);
  });
  afterEach(() => disk?.remove());

  test('opens for reading; each change is refused and nothing is left half-done', async () => {
    disk.readOnly(true);
    const opened = await openHome(home);
    try {
      await readEverything(opened);
      expect(opened.vault.ledger.unwritable()?.code).toBe('disk.read-only');
      expect(opened.vault.acquireEffectsLock()).toBe(false);
      const before = contents(home);
      for (const [name, write] of Object.entries(WRITING))
        await expect(write(opened, home), name).rejects.toMatchObject({ code: 'disk.read-only' });
      expect(contents(home)).toEqual(before);
      // Made writable: the open vault takes changes again, and what was signed in meanwhile is written.
      disk.readOnly(false);
      await WRITING['a policy is changed']?.(opened, home);
      expect(opened.vault.ledger.unwritable()).toBeNull();
    } finally {
      await opened.close();
    }
    expect(await inspectHome(home, [{ kind: 'policy', what: { hours: 3 } }], null)).toEqual(NOTHING_WRONG);
  });

  test('is said in the window, with the reason, until it is writable', async () => {
    disk.readOnly(true);
    const desk = createDesk({
      factory: homeFactory(home),
      vaultPath: home.vault,
      runtime: 'test',
      version: '0',
      events: {},
      onChange: () => {},
      onProgress: () => {},
    });
    try {
      await desk.unlock(null);
      const view = await desk.signIn('ana', PEOPLE.ana.passphrase);
      expect(view.operator?.name).toBe('ana');
      expect(view.readOnly).toMatch(/cannot be written/);
      const ref = { name: 'phish-url', version: '1.1.0' };
      expect((await desk.services().models.verify(desk.actor(), { ref }, QUIET)).bad).toEqual([]);
      disk.readOnly(false);
      expect((await desk.status()).readOnly).toBeNull();
    } finally {
      await desk.close();
    }
    const opened = await openHome(home);
    const late = [...opened.vault.store.read.audit.entries()].filter(
      ({ details }) => 'happenedAt' in details,
    );
    expect(late.map(({ action }) => action)).toEqual(['session.signed-in', 'model.verified']);
    await opened.close();
  });

  test('shows what a killed process had committed and not yet moved into the database', async () => {
    const writer = await openHome(home);
    await writer.services.environments.setPolicy(await ana(writer.services), {
      id: home.environmentId,
      policy: { ...OPEN_POLICY, requestHours: 9 },
    });
    // Copied while it is open: what a kill leaves, with the change in the log beside the database alone.
    const left = { ...home, vault: join(disk.path, 'left') };
    cpSync(home.vault, left.vault, { recursive: true });
    for (const file of ['registry.db-shm']) rmSync(join(left.vault, file), { force: true });
    await writer.close();
    disk.readOnly(true);
    const opened = await openHome(left);
    try {
      expect(opened.vault.store.read.environment(home.environmentId)?.policy.requestHours).toBe(9);
      expect(opened.vault.ledger.unwritable()?.code).toBe('disk.read-only');
    } finally {
      await opened.close();
      disk.readOnly(false);
    }
  });

  test('leaves no copy of the database behind', async () => {
    const copies = () =>
      readdirSync(tmpdir()).filter((name) => name.startsWith(`sallyport-reading-${process.pid}-`));
    disk.readOnly(true);
    const opened = await openHome(home);
    expect(copies()).toHaveLength(1);
    await opened.close();
    expect(copies()).toEqual([]);
    disk.readOnly(false);
  });
});
