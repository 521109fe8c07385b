/** `rekey`, `settings`, `status` and the recovery kit, as a user types them. */
import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliError, CliHome, runCli } from '../support/cli.ts';
import { secretFile } from '../support/console.ts';
import { temporaryDirectory } from '../support/temp.ts';

let home: CliHome;
beforeAll(async () => {
  home = await CliHome.make();
});
afterAll(() => home.remove());

interface Status {
  readonly recipient: string;
  readonly lastRekey: string | null;
  readonly settings: object;
}

test('rules are shown to anybody, set by an administrator alone, and checked', async () => {
  const shown = await home.run(['settings']);
  expect(shown.stdout).toMatch(
    /auto-lock\s+after 15 minutes\nprotected\s+champion\nkeep last\s+all versions/,
  );
  const refused = await home.data('ben', 'settings', '--auto-lock', '5');
  expect(refused.code).toBe(4);
  expect(refused.json<CliError>().error.code).toBe('refused.role');
  const set = await home.data(
    'ana',
    ...['settings', '--auto-lock', '0', '--keep-last', '3', '--protected-alias', 'champion', 'gold'],
  );
  expect(set.json()).toEqual({ autoLockMinutes: 0, protectedAliases: ['champion', 'gold'], keepLast: 3 });
  const text = await home.as('ana', 'settings', '--keep-last', 'all', '--protected-alias', 'none');
  expect(text.stdout).toMatch(/never[\s\S]*no alias[\s\S]*all versions/);
  for (const wrong of ['-1', 'soon', '1.5']) {
    const bad = await home.data('ana', 'settings', `--auto-lock=${wrong}`);
    expect(bad.code, wrong).toBe(2);
  }
  expect((await home.run(['--json', 'status'])).json<Status>().settings).toEqual({
    autoLockMinutes: 0,
    protectedAliases: [],
    keepLast: null,
  });
});

test('a plain rekey says what stays as it was; with a kit, the new recovery key is on paper', async () => {
  const before = (await home.run(['--json', 'status'])).json<Status>();
  expect(before.lastRekey).toBeNull();
  expect((await home.data('ben', 'rekey')).code).toBe(4);
  const plain = await home.as('ana', 'rekey');
  expect(plain.code, plain.stderr).toBe(0);
  expect(plain.stdout).toContain('file keys of artifacts are unchanged');
  expect(plain.stdout).not.toContain('AGE-SECRET-KEY');
  const after = (await home.run(['--json', 'status'])).json<Status>();
  expect(after.recipient).not.toBe(before.recipient);
  expect(after.lastRekey).toEqual(expect.any(String));

  const orphan = await home.data('ana', 'rekey', '--recovery-kit', home.path('kit.html'));
  expect(orphan.code).toBe(2);
  const kit = home.path('kit.html');
  const fresh = await home.data('ana', 'rekey', '--new-recovery-key', '--recovery-kit', kit);
  expect(fresh.code, fresh.stderr).toBe(0);
  const { recoveryKey } = fresh.json<{ recoveryKey: string }>();
  expect((await readFile(kit, 'utf8')).replace(/<[^>]+>/g, '')).toContain(recoveryKey);
  if (process.platform !== 'win32') expect((await stat(kit)).mode & 0o777).toBe(0o600);
});

test('a new passphrase takes the place of the old one', async () => {
  const own = await CliHome.make();
  try {
    const next = await own.secret('next.pass', 'the next passphrase of all');
    expect((await own.as('ana', 'rekey', '--full', '--new-passphrase-file', next)).code).toBe(0);
    expect((await own.run(['--json', 'status'])).code).toBe(6);
    const opened = await runCli(['--passphrase-file', next, '--json', 'status'], {
      env: { SALLYPORT_VAULT: own.workspace.vault },
    });
    expect(opened.code, opened.stderr).toBe(0);
  } finally {
    await own.remove();
  }
});

test('a kit that cannot be written does not cost the key: it is shown, with a warning', async () => {
  const folder = temporaryDirectory();
  const made = await runCli([
    ...['--vault', `${folder}/vault`, '--json'],
    ...['--passphrase-file', await secretFile(folder, 'vault.pass', 'a passphrase for the vault')],
    ...['--operator-passphrase-file', await secretFile(folder, 'op.pass', 'a passphrase of ana')],
    ...['init', '--operator', 'ana', '--recovery-kit', `${folder}/no/such/folder/kit.html`],
  ]);
  expect(made.code, made.stderr).toBe(0);
  expect(made.json()).toMatchObject({
    recoveryKey: expect.stringMatching(/^AGE-SECRET-KEY-1/),
    recoveryKit: null,
  });
  expect(made.stderr).toContain('the recovery kit was not written');
});
