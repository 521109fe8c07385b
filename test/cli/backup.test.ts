/** Backup, restore and an operator's changes as a person types them; and the backup opened without this program. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createDecipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliError, CliHome, runCli } from '../support/cli.ts';
import { MODEL, PEOPLE, SAMPLE_DATA, VAULT_PASSPHRASE } from '../support/console.ts';

let home: CliHome;
const model = join(SAMPLE_DATA, `${MODEL}-1.0.0.onnx`);
beforeAll(async () => {
  home = await CliHome.make();
  await home.secret('recovery.key', home.workspace.recoveryKey);
  const added = await home.as('ana', 'model', 'add', model, '--name', MODEL, '--version', '1.0.0');
  expect(added.code, added.stderr).toBe(0);
  const made = await home.data('ana', 'backup', home.path('backup.tar'));
  expect(made.code, made.stderr).toBe(0);
  expect(made.json()).toMatchObject({ path: home.path('backup.tar'), artifacts: 1, damaged: [] });
});
afterAll(() => home.remove());

const code = (result: { json<T>(): T }) => result.json<CliError>().error.code;

describe('a backup', () => {
  test('is not written twice under one name', async () => {
    const again = await home.data('ana', 'backup', home.path('backup.tar'));
    expect([again.code, code(again)]).toEqual([4, 'conflict']);
  });

  test('is restored into an empty folder, opens there, and the log tells of it', async () => {
    const place = home.path('restored');
    const restored = await home.run(['--json', '--vault', place, 'restore', home.path('backup.tar')]);
    expect(restored.code, restored.stderr).toBe(0);
    expect(restored.json()).toEqual({ path: place, vaultId: home.workspace.vaultId, locked: false });
    const verified = await home.run([
      ...['--json', '--vault', place, '--as', 'ana', '--operator-passphrase-file', home.path('ana.pass')],
      ...['audit', 'verify'],
    ]);
    expect(verified.json(), verified.stderr).toMatchObject({ ok: true, restores: [{ lost: null }] });
    const over = await home.run(['--json', '--vault', place, 'restore', home.path('backup.tar')]);
    expect([over.code, code(over)]).toEqual([4, 'conflict']);
  });

  test('opens by the recovery key where the passphrase is forgotten', async () => {
    const place = home.path('recovered');
    const locked = await runCli(['--json', '--vault', place, 'restore', home.path('backup.tar')]);
    expect(locked.json(), locked.stderr).toMatchObject({ locked: true });
    const next = await home.secret('next.pass', 'another passphrase for it');
    const recovered = await runCli([
      ...['--json', '--vault', home.path('recovered-2'), '--passphrase-file', next],
      ...['restore', home.path('backup.tar'), '--recovery-key-file', home.path('recovery.key')],
    ]);
    expect(recovered.json(), recovered.stderr).toMatchObject({ locked: false });
    const status = await runCli([
      '--json',
      '--vault',
      home.path('recovered-2'),
      '--passphrase-file',
      next,
      'status',
    ]);
    expect(status.code, status.stderr).toBe(0);
  });

  test('is refused when it was changed, with what to do', async () => {
    const bytes = await readFile(home.path('backup.tar'));
    const at = bytes.indexOf('age-encryption.org/v1') + 300;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await home.file('changed.tar', bytes);
    const refused = await home.run([
      '--json',
      '--vault',
      home.path('never'),
      'restore',
      home.path('changed.tar'),
    ]);
    expect([refused.code, code(refused)]).toEqual([5, 'integrity.vault']);
    expect(refused.stderr).toMatch(/Nothing was restored/);
    expect(await readdir(home.directory)).not.toContain('never');
  });
});

/** Present where the set-up for tests was run. */
const missing = ['tar', 'age'].filter((program) => spawnSync(program, ['--version']).error !== undefined);

// Debian: apt install age tar.
describe.skipIf(missing.length > 0)(
  `without this program${missing.length > 0 ? ` (no ${missing.join(', ')})` : ''}`,
  () => {
    let folder: string;
    beforeAll(async () => {
      folder = home.path('by-hand');
      await mkdir(folder);
      execFileSync('tar', ['-xf', home.path('backup.tar'), '-C', folder]);
    });
    const age = (file: string): Buffer =>
      execFileSync('age', ['-d', '-i', home.path('recovery.key'), join(folder, file)]);

    test('tar and age with the recovery key give back the exact model', async () => {
      const [prefix = ''] = await readdir(join(folder, 'artifacts'));
      const [name = ''] = await readdir(join(folder, 'artifacts', prefix));
      expect(age(join('artifacts', prefix, name)).equals(await readFile(model))).toBe(true);
    });

    test('the database’s first page opens with the key that age gives, by SQLCipher’s published layout', async () => {
      const { databaseKey } = JSON.parse(age('recovery.age').toString()) as { databaseKey: string };
      const page = (await readFile(join(folder, 'registry.db'))).subarray(0, 4096);
      const salt = page.subarray(0, 16);
      const key = Buffer.from(databaseKey, 'hex');
      // Reserved at the end of a page: 16 bytes of IV and 64 of HMAC-SHA512.
      const iv = page.subarray(4096 - 80, 4096 - 64);
      const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
      const plain = Buffer.concat([decipher.update(page.subarray(16, 4096 - 80)), decipher.final()]);
      // Page size 4096, then the versions of the file format: write-ahead log.
      expect(plain.subarray(0, 5).toString('hex')).toBe('1000020250');
      // Its key comes from the salt with each byte flipped by 0x3a, in two rounds; it covers the IV and the page's number.
      const macKey = pbkdf2Sync(
        key,
        salt.map((byte) => byte ^ 0x3a),
        2,
        32,
        'sha512',
      );
      const mac = createHmac('sha512', macKey)
        .update(page.subarray(16, 4096 - 64))
        .update(Buffer.from([1, 0, 0, 0]))
        .digest();
      expect(mac.equals(page.subarray(4096 - 64))).toBe(true);
    });

    test('sha256sum agrees with the list, and the log with what was backed up', async () => {
      const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
        members: { name: string; sha256: string }[];
      };
      for (const { name, sha256 } of manifest.members)
        expect(
          createHash('sha256')
            .update(await readFile(join(folder, name)))
            .digest('hex'),
        ).toBe(sha256);
      const shown = await home.data('ana', 'audit', 'show', 'action:vault.backed-up');
      const digest = createHash('sha256')
        .update(await readFile(home.path('backup.tar')))
        .digest('hex');
      expect(shown.stdout).toContain(digest);
    });
  },
);

describe('operators', () => {
  test('are given roles, disabled and enabled; their own passphrase they change themselves', async () => {
    expect((await home.data('ana', 'operator', 'roles', 'ben', 'auditor,analyst')).json()).toMatchObject({
      roles: ['auditor', 'analyst'],
    });
    expect((await home.as('ana', 'operator', 'disable', 'ben')).code).toBe(0);
    const refused = await home.data('ben', 'model', 'list');
    expect([refused.code, code(refused)]).toEqual([6, 'auth.failed']);
    expect((await home.as('ana', 'operator', 'enable', 'ben')).code).toBe(0);
    const next = await home.secret('ben-next.pass', 'ben signs with a new one');
    const changed = await home.as('ben', 'operator', 'passphrase', '--new-passphrase-file', next);
    expect(changed.code, changed.stderr).toBe(0);
    expect((await home.as('ben', 'model', 'list')).code).toBe(6);
    expect((await home.run(['--as', 'ben', '--operator-passphrase-file', next, 'model', 'list'])).code).toBe(
      0,
    );
    const last = await home.data('ana', 'operator', 'disable', 'ana');
    expect([last.code, code(last)]).toEqual([4, 'refused.state']);
    const none = await home.data('ana', 'operator', 'roles', 'nobody', 'auditor');
    expect([none.code, code(none)]).toEqual([3, 'not-found']);
    expect([VAULT_PASSPHRASE, PEOPLE.ben.passphrase].every((each) => !changed.stdout.includes(each))).toBe(
      true,
    );
  });
});
