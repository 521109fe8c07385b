/** A whole life of a vault with secrets that are searched for wherever they must not be. */

import { mkdtempSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgeIdentity } from '../../shared/node/age/index.ts';
import { decryptBytes, decryptWithPassphrase, generateIdentity } from '../../shared/node/age/index.ts';
import { type CliResult, runCli } from '../support/cli.ts';
import { consoleFactory, ROOT, SAMPLE_DATA, secretFile } from '../support/console.ts';
import { type ProcessWatch, watchProcesses } from '../support/process-watch.ts';

const VAULT_PASSPHRASE = 'canary-vault-passphrase-7f3a';
const NEXT_PASSPHRASE = 'canary-next-passphrase-51c9';
const OPERATOR_PASSPHRASE = 'canary-operator-passphrase-b20e';
const WRONG_PASSPHRASE = 'canary-wrong-passphrase-d941';
const TOKEN = 'canary-endpoint-token-0a1b2c3d4e5f';
/** A crash needs a second to reach its worker. */
const LIMIT = { timeout: 120_000 };

let folder: string;
let vault: string;
let stranger: AgeIdentity;
/** Secret → what it is. Grows as keys are made. */
const secrets = new Map<string, string>();
const outputs: { readonly what: string; readonly text: string }[] = [];
const shown = new Set<string>();

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-canary-')));
  vault = join(folder, 'home', 'vault');
  stranger = await generateIdentity();
  for (const each of [VAULT_PASSPHRASE, NEXT_PASSPHRASE, OPERATOR_PASSPHRASE, WRONG_PASSPHRASE, TOKEN])
    secrets.set(each, each.slice(0, -5));
  secrets.set(stranger.identity, 'a recovery key of another vault');
  for (const name of ['home', 'tmp', 'work', 'secrets']) await mkdir(join(folder, name));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

const file = (name: string, secret: string): Promise<string> =>
  secretFile(join(folder, 'secrets'), name, secret);

/** Runs a command in a home and a temporary folder of its own, watched from outside. */
async function run(
  args: readonly string[],
  options: {
    readonly onWatch?: (watch: ProcessWatch) => void;
    readonly operatorPassphrase?: string;
    readonly vaultPassphrase?: string;
  } = {},
): Promise<CliResult> {
  let watch: ProcessWatch | null = null;
  const all = [
    '--vault',
    vault,
    '--passphrase-file',
    await file('vault.pass', options.vaultPassphrase ?? VAULT_PASSPHRASE),
    '--operator-passphrase-file',
    await file('operator.pass', options.operatorPassphrase ?? OPERATOR_PASSPHRASE),
    ...args,
  ];
  const result = await runCli(all, {
    cwd: join(folder, 'work'),
    env: { HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') },
    onStart: (child) => {
      watch = watchProcesses(child.pid ?? 0);
      options.onWatch?.(watch);
    },
  });
  const watched = watch as ProcessWatch | null;
  watched?.stop();
  const what = args.join(' ');
  outputs.push({ what: `stderr of ${what}`, text: result.stderr });
  outputs.push({ what: `stdout of ${what}`, text: result.stdout });
  outputs.push({ what: `arguments and environment of ${what}`, text: [...(watched?.seen ?? [])].join('\n') });
  return result;
}

/** Every way a secret could be spelled by accident. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')];
}

async function rememberKeys(passphrase: string): Promise<string> {
  const text = (
    await decryptWithPassphrase(passphrase, await readFile(join(vault, 'passphrase.age')))
  ).toString();
  const { databaseKey, identity } = JSON.parse(text) as { databaseKey: string; identity: string };
  secrets.set(databaseKey, 'the database key');
  secrets.set(identity, "the vault's private key");
  const held = (await decryptBytes([identity], await readFile(join(vault, 'secrets.age')))).toString();
  const values = (JSON.parse(held) as { secrets: Record<string, string> }).secrets;
  for (const [name, value] of Object.entries(values)) secrets.set(value, `the secret ${name}`);
  return identity;
}

test.skipIf(process.platform !== 'linux')(
  'no secret is in an argument, an environment, an output, a log, an error, the vault, or a file left behind',
  LIMIT,
  async () => {
    const kit = join(folder, 'secrets', 'kit.html');
    const made = await run(['--json', 'init', '--operator', 'ana', '--recovery-kit', kit]);
    expect(made.code, made.stderr).toBe(0);
    const first = made.json<{ recoveryKey: string }>().recoveryKey;
    secrets.set(first, 'the recovery key');
    shown.add(`stdout of --json init --operator ana --recovery-kit ${kit}`);
    await rememberKeys(VAULT_PASSPHRASE);
    // The one file that is made to hold it.
    expect((await readFile(kit, 'utf8')).replace(/<[^>]+>/g, '')).toContain(first);

    // Right and wrong: the operator's, the vault's, the recovery key's.
    const model = join(SAMPLE_DATA, 'phish-url-1.0.0.onnx');
    const add = ['--as', 'ana', '--json', 'model', 'add', model, '--name', 'phish-url', '--version', '1.0.0'];
    expect((await run(add, { operatorPassphrase: WRONG_PASSPHRASE })).code).toBe(6);
    expect((await run(['--json', 'status'], { vaultPassphrase: WRONG_PASSPHRASE })).code).toBe(6);
    const crashed = await run(add, {
      onWatch: (watch) => {
        const timer = setInterval(() => {
          for (const pid of watch.find('vault-jobs')) {
            process.kill(pid, 'SIGSEGV');
            clearInterval(timer);
          }
        }, 5);
        setTimeout(() => clearInterval(timer), 10_000).unref();
      },
    });
    expect(crashed.json()).toMatchObject({ error: { code: 'engine.crashed' } });
    expect((await run(add)).code).toBe(0);

    // An endpoint that does not answer, with a token; and one written by hand into the vault's secrets.
    const environment = await run(['--as', 'ana', '--json', 'environment', 'add', 'production']);
    expect(environment.code, environment.stderr).toBe(0);
    const endpoint = await run([
      ...['--as', 'ana', '--json', 'endpoint', 'add', 'prod', '--predict', 'http://127.0.0.1:9', '--admin'],
      ...['http://127.0.0.1:9', '--environment', 'production', '--fingerprint', 'ab'.repeat(32)],
      ...['--token-file', await file('token', TOKEN)],
    ]);
    expect(endpoint.code, endpoint.stderr).toBe(7);

    const opened = await consoleFactory().open(vault, VAULT_PASSPHRASE);
    await opened.vault.secrets.set('endpoint-token/canary', TOKEN);
    await opened.close();

    const rekeyed = await run([
      ...['--as', 'ana', '--json', 'rekey', '--full', '--new-recovery-key'],
      ...['--new-passphrase-file', await file('next.pass', NEXT_PASSPHRASE)],
    ]);
    expect(rekeyed.code, rekeyed.stderr).toBe(0);
    const second = rekeyed.json<{ recoveryKey: string }>().recoveryKey;
    secrets.set(second, 'the new recovery key');
    for (const { what } of outputs) if (what.startsWith('stdout of --as ana --json rekey')) shown.add(what);
    await rememberKeys(NEXT_PASSPHRASE);

    for (const [name, key, code] of [
      ['of another vault', stranger.identity, 6],
      ['of before', first, 6],
      ['cut off', second.slice(0, -3), 6],
      ['that is valid', second, 0],
    ] as const) {
      const recovered = await run(
        ['--json', 'recover', '--recovery-key-file', await file('recovery.key', key)],
        { vaultPassphrase: NEXT_PASSPHRASE },
      );
      expect(recovered.code, `recovery with the key ${name}: ${recovered.stderr}`).toBe(code);
    }
    // Broken files quote nothing of what they hold.
    await rememberKeys(NEXT_PASSPHRASE);
    await writeFile(join(vault, 'vault.json'), `{"id": "${TOKEN}`);
    expect((await run(['--json', 'status'], { vaultPassphrase: NEXT_PASSPHRASE })).code).toBe(5);

    const leaks: string[] = [];
    for (const [secret, what] of secrets) {
      const spelled = spellings(secret);
      for (const { what: where, text } of outputs) {
        // A recovery key is shown once, by the command that made it.
        if (shown.has(where) && (secret === first || secret === second)) continue;
        if (spelled.some((each) => text.includes(each))) leaks.push(`${what} is in the ${where}`);
      }
    }
    await rm(join(folder, 'secrets'), { recursive: true });
    await rm(join(vault, 'vault.json'));
    const left = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of left.filter((each) => each.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const text = (await readFile(path)).toString('latin1');
      for (const [secret, what] of secrets)
        if (spellings(secret).some((each) => text.includes(each))) leaks.push(`${what} is in ${path}`);
    }
    expect(leaks).toEqual([]);
    // Neither a core file nor a report of Node is left where commands ran; Node's compile cache is elsewhere.
    expect(left.filter(({ name }) => /^core|report.*\.json$|\.heapsnapshot$/.test(name))).toEqual([]);
    expect(await readdir(join(folder, 'work'))).toEqual([]);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
    // The watch has seen something worth searching: workers too.
    expect(outputs.some(({ text }) => text.includes('vault-jobs'))).toBe(true);
    expect(outputs.some(({ text }) => text.includes('rekey.'))).toBe(true);
  },
);

test('nothing in the program asks the runtime for crash dumps, diagnostic reports or heap snapshots', async () => {
  const found: string[] = [];
  for (const room of ['electron', 'serving', 'shared']) {
    const names = await readdir(join(ROOT, room), { recursive: true });
    for (const name of names.filter((each) => each.endsWith('.ts'))) {
      const source = await readFile(join(ROOT, room, name), 'utf8');
      if (/crashReporter\s*\.|process\.report\b|writeHeapSnapshot|setHeapSnapshotNearHeapLimit/.test(source))
        found.push(join(room, name));
    }
  }
  expect(found).toEqual([]);
  expect(process.report?.reportOnFatalError).toBe(false);
  expect(process.report?.reportOnUncaughtException).toBe(false);
  expect(process.report?.reportOnSignal).toBe(false);
});
