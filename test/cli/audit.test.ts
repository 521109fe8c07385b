/** Audit verbs: shown by a query, exported, and proved from the file alone, where no vault is. */
import { execFileSync } from 'node:child_process';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditVerdict } from '../../shared/domain/audit/entry.ts';
import { type CliError, CliHome, runCli } from '../support/cli.ts';
import { secretFile } from '../support/console.ts';
import { keyringUnavailable, startKeyring } from '../support/keyring.ts';
import { temporaryDirectory } from '../support/temp.ts';

let home: CliHome;
let file: string;
let key: string;
beforeAll(async () => {
  home = await CliHome.make();
  file = home.path('audit.jsonl');
  expect((await home.data('ana', 'audit', 'export', file)).code).toBe(0);
  const shown = await home.data('ana', 'audit', 'key');
  key = shown.json<{ key: string }>().key;
});
afterAll(() => home.remove());

/** The program beside no vault at all. */
const alone = (...args: readonly string[]) =>
  runCli(['--json', '--vault', join(temporaryDirectory(), 'none'), 'audit', 'verify', ...args]);

describe('an exported log', () => {
  test('is proved without a vault, says what it shows and what it cannot', async () => {
    const result = await alone(file);
    expect(result.code, result.stderr).toBe(0);
    expect(result.json<AuditVerdict>()).toMatchObject({
      ok: true,
      problems: [],
      restores: [],
      witnesses: [],
    });
    const { unproven } = result.json<AuditVerdict>();
    expect(unproven.join(' ')).toMatch(/No witness outside.*known from the file alone.*not in the file/);

    const head = join(temporaryDirectory(), 'head.json');
    await writeFile(head, (await readFile(file, 'utf8')).trimEnd().split('\n').at(-1) ?? '');
    const held = (await alone(file, '--key', key, '--head', head)).json<AuditVerdict>();
    expect(held.witnesses.map(({ name, status }) => [name, status])).toEqual([
      ['signature in the file', 'agrees'],
      ['kept head', 'agrees'],
    ]);
    expect(held.unproven.some((sentence) => sentence.includes('No witness'))).toBe(false);
  });

  test('that was edited ends with exit code 5 and names the entry; another file and a typing error with others', async () => {
    const folder = temporaryDirectory();
    const edited = join(folder, 'edited.jsonl');
    await writeFile(edited, (await readFile(file, 'utf8')).replace('"person":"Ben', '"person":"Bob'));
    const result = await alone(edited);
    expect(result.code).toBe(5);
    expect(result.stdout).toContain('does not follow entry');
    const cut = join(folder, 'cut.jsonl');
    await writeFile(cut, (await readFile(file, 'utf8')).split('\n').slice(0, 3).join('\n'));
    expect((await alone(cut)).code).toBe(5);
    expect((await alone(join(folder, 'nothing'))).code).toBe(3);
    expect((await alone(file, '--key', 'no key')).code).toBe(2);
    expect((await alone('--key', key)).json<CliError>().error.code).toBe('usage');
  });

  test('from an entry on is proved as far as it goes', async () => {
    const part = home.path('part.jsonl');
    const exported = await home.data('ana', 'audit', 'export', part, '--from', '5');
    expect(exported.code, exported.stderr).toBe(0);
    const verdict = (await alone(part, '--key', key)).json<AuditVerdict>();
    expect(verdict.ok).toBe(true);
    expect(verdict.head?.seq).toBe(verdict.entries + 4);
    expect(verdict.unproven.join(' ')).toContain('entries 1 to 4');
    expect((await home.data('ana', 'audit', 'export', home.path('x'), '--from', '9999')).code).toBe(2);
  });

  test('is proved by the lines of the handbook, in a shell', async ({ skip }) => {
    const tools = ['bash', 'jq', 'sha256sum'];
    if (tools.some((tool) => !has(tool))) skip('needs bash, jq and sha256sum');
    const handbook = await readFile(resolve(import.meta.dirname, '../../docs/audit.md'), 'utf8');
    const lines = /```sh\n([\s\S]*?)```/.exec(handbook)?.[1] ?? '';
    const folder = temporaryDirectory();
    await writeFile(join(folder, 'audit.jsonl'), await readFile(file));
    const said = execFileSync('bash', ['-c', lines], { cwd: folder, encoding: 'utf8' });
    expect(said).toContain('head fits');
    expect(said).not.toContain('broken');
    await writeFile(
      join(folder, 'audit.jsonl'),
      (await readFile(file, 'utf8')).replace('"person":"Ben', '"person":"Bob'),
    );
    expect(execFileSync('bash', ['-c', lines], { cwd: folder, encoding: 'utf8' })).toContain(
      'broken after line',
    );
  });
});

test('entries are shown by a query, which is refused where it is none', async () => {
  const shown = await home.data('ana', 'audit', 'show', 'actor:ana', 'action:operator.*');
  expect(shown.code, shown.stderr).toBe(0);
  const { entries } = shown.json<{ entries: { actor: string; action: string }[] }>();
  expect(entries.length).toBeGreaterThan(0);
  expect(new Set(entries.map(({ action, actor }) => `${actor} ${action}`))).toEqual(
    new Set(['ana operator.added']),
  );
  const refused = await home.data('ana', 'audit', 'show', 'action:nothing');
  expect(refused.code).toBe(2);
});

function has(tool: string): boolean {
  try {
    execFileSync('which', [tool], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const unavailable = keyringUnavailable();
test.skipIf(unavailable !== null)(
  `a log that the keychain contradicts lets nobody in, and is judged all the same ${unavailable ?? ''}`,
  async () => {
    const keyring = await startKeyring();
    try {
      const folder = temporaryDirectory();
      const database = join(folder, 'vault', 'registry.db');
      const passphrase = await secretFile(folder, 'ana.pass', 'a passphrase of ana');
      const run = (...args: readonly string[]) =>
        runCli(
          [
            '--vault',
            join(folder, 'vault'),
            '--json',
            '--as',
            'ana',
            '--operator-passphrase-file',
            passphrase,
            ...args,
          ],
          { env: keyring.env },
        );
      expect((await run('init', '--operator', 'ana')).code).toBe(0);
      await copyFile(database, join(folder, 'old.db'));
      expect((await run('settings', '--auto-lock', '5')).code).toBe(0);
      await copyFile(join(folder, 'old.db'), database);
      for (const end of ['-wal', '-shm']) await rm(`${database}${end}`, { force: true });

      const refused = await run('model', 'list');
      expect([refused.code, refused.json<CliError>().error.code]).toEqual([5, 'integrity.audit']);
      const judged = await run('audit', 'verify');
      expect(judged.code, judged.stderr).toBe(5);
      expect(judged.json<AuditVerdict>()).toMatchObject({
        ok: false,
        entries: 2,
        witnesses: [{ name: 'keychain', status: 'contradicts' }],
        problems: [{ seq: 3 }],
      });
    } finally {
      await keyring.stop();
    }
  },
);
