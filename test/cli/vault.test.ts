/** Vault verbs: made once, opened by keychain or passphrase, lost and recovered. */
import { chmod, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliError, CliHome, runCli } from '../support/cli.ts';
import { LABELLED, MODEL, PEOPLE, SAMPLE_DATA, secretFile, VAULT_PASSPHRASE } from '../support/console.ts';
import { keyringUnavailable, startKeyring } from '../support/keyring.ts';
import { temporaryDirectory } from '../support/temp.ts';

let home: CliHome;
beforeAll(async () => {
  home = await CliHome.make();
});
afterAll(() => home.remove());

const code = (result: { json<T>(): T }) => result.json<CliError>().error.code;

describe('a new vault', () => {
  test('is made with a recovery key shown once, on stdout only; a second init leaves it alone', async () => {
    const folder = temporaryDirectory();
    const vault = join(folder, 'vault');
    const common = [
      '--vault',
      vault,
      '--passphrase-file',
      await secretFile(folder, 'vault.pass', VAULT_PASSPHRASE),
      '--operator-passphrase-file',
      await secretFile(folder, 'op.pass', PEOPLE.ana.passphrase),
    ];
    const made = await runCli([...common, 'init', '--operator', 'ana']);
    expect(made.code, made.stderr).toBe(0);
    const keys = made.stdout.match(/AGE-SECRET-KEY-1[0-9A-Z]{58}/g) ?? [];
    expect(keys).toHaveLength(1);
    expect(made.stderr).not.toContain('AGE-SECRET-KEY');
    for (const secret of [VAULT_PASSPHRASE, PEOPLE.ana.passphrase])
      expect(made.stdout + made.stderr).not.toContain(secret);

    const before = await readFile(join(vault, 'vault.json'), 'utf8');
    const again = await runCli([...common, '--json', 'init', '--operator', 'eve']);
    expect(again.code).toBe(4);
    expect(code(again)).toBe('conflict');
    expect(again.stdout).not.toContain('AGE-SECRET-KEY');
    expect(await readFile(join(vault, 'vault.json'), 'utf8')).toBe(before);

    const status = await runCli([...common.slice(0, 4), '--json', 'status']);
    expect(status.json()).toMatchObject({ path: vault, keys: 'passphrase', operators: ['ana'] });
    // Nothing on disk holds the recovery key or a passphrase.
    for (const name of await readdir(vault, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      const bytes = await readFile(join(name.parentPath, name.name));
      for (const secret of [...keys, VAULT_PASSPHRASE, PEOPLE.ana.passphrase])
        expect(bytes.includes(secret), name.name).toBe(false);
    }
  });

  test.each([
    ['a short vault passphrase', 'tiny', PEOPLE.ana.passphrase],
    ['a short operator passphrase', VAULT_PASSPHRASE, 'tiny'],
  ])('is not made with %s', async (_, vaultPassphrase, operatorPassphrase) => {
    const folder = temporaryDirectory();
    const refused = await runCli([
      '--json',
      '--vault',
      join(folder, 'vault'),
      '--passphrase-file',
      await secretFile(folder, 'v', vaultPassphrase),
      '--operator-passphrase-file',
      await secretFile(folder, 'o', operatorPassphrase),
      'init',
      '--operator',
      'ana',
    ]);
    expect(refused.code).toBe(2);
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining(['vault']));
  });

  test('needs a keychain, or a passphrase: without D-Bus it says both and makes nothing', async () => {
    const folder = temporaryDirectory();
    const refused = await runCli([
      '--json',
      '--vault',
      join(folder, 'vault'),
      '--operator-passphrase-file',
      await secretFile(folder, 'o', PEOPLE.ana.passphrase),
      'init',
      '--operator',
      'ana',
    ]);
    expect(refused.code).toBe(6);
    expect(code(refused)).toBe('keychain.missing');
    expect(refused.stderr).toMatch(/passphrase/);
    expect(await readdir(folder)).toEqual(['o']);
  });
});

describe('secrets come from files of one’s own', () => {
  test('never from a pipe: without terminal and file it is a usage error that names the option', async () => {
    const refused = await home.run(['--json', '--as', 'ana', 'model', 'list']);
    expect(refused.code).toBe(2);
    expect(code(refused)).toBe('usage');
    expect(refused.stderr).toContain('--operator-passphrase-file');
  });

  test('a file that others can read, a link, or none is refused', async () => {
    const open = await home.secret('open.pass', PEOPLE.ana.passphrase);
    await chmod(open, 0o644);
    await symlink(home.path('ana.pass'), home.path('link.pass'));
    for (const [file, words] of [
      [open, /chmod 600/],
      [home.path('link.pass'), /symbolic link/],
      [home.path('none.pass'), /does not exist/],
    ] as const) {
      const refused = await home.run(['--as', 'ana', '--operator-passphrase-file', file, 'model', 'list']);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(words);
    }
  });

  test('a wrong passphrase opens neither the vault nor the operator', async () => {
    const wrong = await home.secret('wrong.pass', 'guessed by a stranger');
    const vault = await runCli(['--json', '--passphrase-file', wrong, 'status'], {
      env: { SALLYPORT_VAULT: home.workspace.vault },
    });
    expect([vault.code, code(vault)]).toEqual([6, 'auth.failed']);
    const operator = await home.run([
      '--json',
      '--as',
      'cleo',
      '--operator-passphrase-file',
      wrong,
      'audit',
      'verify',
    ]);
    expect([operator.code, code(operator)]).toEqual([6, 'auth.failed']);
    const stranger = await home.run([
      '--json',
      '--as',
      'eve',
      '--operator-passphrase-file',
      wrong,
      'model',
      'list',
    ]);
    expect([stranger.code, code(stranger)]).toEqual([6, 'auth.failed']);
    const locked = await runCli(['--json', 'status'], { env: { SALLYPORT_VAULT: home.workspace.vault } });
    expect(locked.code).toBe(6);
    expect(locked.stderr).toContain('--passphrase-file');
    // The failed sign-in is in the log, and the log is whole.
    const log = await home.data('ana', 'audit', 'show', 'session.refused');
    expect(log.json<{ entries: { subject: string }[] }>().entries.map((e) => e.subject)).toContain('cleo');
    expect((await home.as('ana', 'audit', 'verify')).code).toBe(0);
  });
});

describe('usage', () => {
  test.each([
    ['no such verb', ['bogus']],
    ['no argument', ['model', 'show']],
    ['no NAME@VERSION', ['--as', 'ana', 'model', 'show', 'phish']],
    ['nobody acts', ['model', 'list']],
    ['a number that is none', ['--as', 'ana', 'model', 'list', '--limit', 'many']],
    ['a rate that is none', ['demo', '--rate', 'fast']],
    ['options before the agent', ['agent', 'run']],
  ])('%s is exit 2 with one document', async (_, args) => {
    const asked = await home.run(['--operator-passphrase-file', home.path('ana.pass'), '--json', ...args]);
    expect(asked.code, asked.stderr).toBe(2);
    expect(code(asked)).toBe('usage');
    expect(asked.stderr).not.toBe('');
  });

  test('what is not there is exit 3', async () => {
    const nowhere = await runCli(['--json', '--vault', home.path('nowhere'), 'status']);
    expect([nowhere.code, code(nowhere)]).toEqual([3, 'not-found']);
    expect(nowhere.stderr).toContain('sallyport init');
    for (const args of [
      ['model', 'show', 'phish@1.0.0'],
      ['request', 'show', 'none'],
      ['rollout', 'show', 'none'],
      ['submit', 'phish@1.0.0', '--for', 'nowhere'],
      ['endpoint', 'check', 'none'],
    ]) {
      const asked = await home.data('ana', ...args);
      expect([args[0], asked.code]).toEqual([args[0], 3]);
    }
  });

  test('help answers on stdout with 0', async () => {
    const help = await runCli(['--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('rollback');
  });
});

describe('operators and environments', () => {
  test('are added by an administrator only, each with a key of their own', async () => {
    const file = await home.secret('dora.pass', 'dora signs with hers');
    const args = ['operator', 'add', 'dora', '--person', 'Dora', '--roles', 'analyst,auditor'];
    const refused = await home.data('ben', ...args, '--new-passphrase-file', file);
    expect([refused.code, code(refused)]).toEqual([4, 'refused.role']);
    const added = await home.data('ana', ...args, '--new-passphrase-file', file);
    expect(added.json()).toMatchObject({ name: 'dora', roles: ['analyst', 'auditor'] });
    const twice = await home.data('ana', ...args, '--new-passphrase-file', file);
    expect([twice.code, code(twice)]).toEqual([4, 'conflict']);
    const wrongRole = await home.data(
      'ana',
      'operator',
      'add',
      'x',
      '--person',
      'X',
      '--roles',
      'king',
      '--new-passphrase-file',
      file,
    );
    expect(wrongRole.code).toBe(2);
    const list = await home.as('ben', 'operator', 'list');
    expect(list.stdout).toMatch(/dora\s+Dora\s+analyst,auditor\s+yes\s+[0-9a-f]{64}/);
  });

  test('an environment takes its preset by name, or a policy file', async () => {
    const policy = await home.file(
      'policy.yaml',
      'version: 1\ngates: []\nminimumRows: 1\ndatasets: []\nmaximumSeverity: low\nquorum: { approvals: 3 }\nrequestHours: 2\n',
    );
    const dev = await home.data('ana', 'environment', 'add', 'dev');
    expect(dev.json()).toMatchObject({ policy: { quorum: { approvals: 1 } } });
    const changed = await home.data('ana', 'environment', 'set-policy', 'dev', '--policy', policy);
    expect(changed.json()).toMatchObject({ policy: { quorum: { approvals: 3 } } });
    const bad = await home.file('bad.yaml', 'version: 1\nquorum: { approvals: 0 }\n');
    const refused = await home.data('ana', 'environment', 'add', 'other', '--policy', bad);
    expect(refused.code).toBe(2);
    const list = await home.as('cleo', 'environment', 'list');
    expect(list.stdout).toMatch(/^production\s+production-[0-9a-f]{32}\s+2/m);
    expect(list.stdout).not.toContain('other');
  });
});

describe('a lost passphrase', () => {
  test('is replaced with the recovery key; the old one opens nothing, and all is there', async () => {
    const own = await CliHome.make();
    try {
      expect(
        (
          await own.data(
            'ana',
            'model',
            'add',
            join(SAMPLE_DATA, `${MODEL}-1.0.0.onnx`),
            '--name',
            MODEL,
            '--version',
            '1.0.0',
          )
        ).code,
      ).toBe(0);
      await rm(join(own.workspace.vault, 'passphrase.age'));
      const lost = await own.data('ana', 'model', 'list');
      expect(lost.code, 'a file of the vault is missing').toBe(5);

      const recoveryKey = await own.secret('recovery.key', own.workspace.recoveryKey);
      const wrongKey = await own.secret('other.key', `AGE-SECRET-KEY-1${'Q'.repeat(58)}`);
      const next = await own.secret('next.pass', 'another vault passphrase');
      const env = { SALLYPORT_VAULT: own.workspace.vault };
      const refused = await runCli(
        ['--json', '--passphrase-file', next, 'recover', '--recovery-key-file', wrongKey],
        { env },
      );
      expect([2, 6]).toContain(refused.code);
      const recovered = await runCli(
        ['--json', '--passphrase-file', next, 'recover', '--recovery-key-file', recoveryKey],
        { env },
      );
      expect(recovered.code, recovered.stderr).toBe(0);
      expect(recovered.stdout + recovered.stderr).not.toContain(own.workspace.recoveryKey);
      expect(recovered.json()).toEqual({ vaultId: own.workspace.vaultId });

      expect((await own.data('ana', 'model', 'list')).code).toBe(6);
      await secretFile(own.directory, 'vault.pass', 'another vault passphrase');
      expect((await own.data('ana', 'model', 'verify')).json()).toMatchObject({ checked: 1, bad: [] });
      expect((await own.data('ana', 'audit', 'verify')).json()).toMatchObject({ ok: true });
    } finally {
      await own.remove();
    }
  });
});

const unavailable = keyringUnavailable();
describe.skipIf(unavailable !== null)(`a keychain ${unavailable ?? ''}`, () => {
  test('that was wiped: every command says so and the way back; the recovery key brings everything back', async () => {
    const folder = temporaryDirectory();
    const keyring = await startKeyring();
    try {
      const env = { ...keyring.env, SALLYPORT_VAULT: join(folder, 'vault') };
      const operator = await secretFile(folder, 'op.pass', PEOPLE.ana.passphrase);
      const as = ['--as', 'ana', '--operator-passphrase-file', operator, '--json'];
      const run = (...args: string[]) => runCli(args, { env });
      const made = await run('--operator-passphrase-file', operator, '--json', 'init', '--operator', 'ana');
      expect(made.code, made.stderr).toBe(0);
      const { recoveryKey } = made.json<{ recoveryKey: string }>();
      const model = join(SAMPLE_DATA, `${MODEL}-1.0.0.onnx`);
      expect((await run(...as, 'model', 'add', model, '--name', MODEL, '--version', '1.0.0')).code).toBe(0);
      expect((await run('--json', 'status')).json()).toMatchObject({ keys: 'keychain' });

      // No session bus at all: a service, a console without a desktop.
      const noBus = await runCli(['--json', 'status'], { env: { SALLYPORT_VAULT: join(folder, 'vault') } });
      expect(noBus.code).toBe(6);
      expect(code(noBus)).toMatch(/^keychain\./);

      await keyring.wipe();
      for (const args of [
        ['--json', 'status'],
        [...as, 'model', 'list'],
        [...as, 'model', 'verify'],
        [...as, 'validate', `${MODEL}@1.0.0`, '--data', LABELLED],
        [...as, 'audit', 'verify'],
        [...as, 'environment', 'add', 'production'],
      ]) {
        const lost = await run(...args);
        expect([args.at(-1), lost.code]).toEqual([args.at(-1), 6]);
        expect(lost.stderr).toContain('sallyport recover');
      }

      const keyFile = await secretFile(folder, 'recovery.key', recoveryKey);
      const recovered = await run('--json', 'recover', '--recovery-key-file', keyFile);
      expect(recovered.code, recovered.stderr).toBe(0);
      expect((await run(...as, 'model', 'verify')).json()).toMatchObject({ checked: 1, bad: [] });
      const verified = await run(...as, 'audit', 'verify');
      expect(verified.code, verified.stderr).toBe(0);
      expect(verified.json()).toMatchObject({ ok: true });
    } finally {
      await keyring.stop();
    }
  });
});
