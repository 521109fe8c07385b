/** Runs the command line as a user does: the program from source as a child process, without a terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  makeWorkspace,
  PEOPLE,
  ROOT,
  secretFile,
  VAULT_PASSPHRASE,
  type Who,
  type Workspace,
} from './console.ts';

const ENTRY = join(ROOT, 'electron', 'cli', 'index.ts');

export interface CliResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one document on stdout; throws where there is not exactly one. */
  json<T = Record<string, unknown>>(): T;
  /** The documents of a watching command, one a line. */
  lines<T = Record<string, unknown>>(): T[];
}

export interface CliError {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Is given the process while it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      TMPDIR: tmpdir(),
      // No desktop's keychain may be found by chance.
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus',
      XDG_RUNTIME_DIR: '/nonexistent',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.onStart?.(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout,
        stderr,
        json: <T>() => JSON.parse(stdout) as T,
        lines: <T>() =>
          stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as T),
      }),
    );
  });
}

/** A folder with a vault and everybody's passphrase files. Every output is searched for every secret. */
export class CliHome {
  readonly directory: string;
  readonly workspace: Workspace;
  /** What must never be printed. */
  readonly secrets: string[];

  private constructor(directory: string, workspace: Workspace) {
    this.directory = directory;
    this.workspace = workspace;
    this.secrets = [
      VAULT_PASSPHRASE,
      workspace.recoveryKey,
      ...Object.values(PEOPLE).map((each) => each.passphrase),
    ];
  }

  static async make(options: Parameters<typeof makeWorkspace>[1] = {}): Promise<CliHome> {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-cli-')));
    const home = new CliHome(directory, await makeWorkspace(directory, options));
    await home.secret('vault.pass', VAULT_PASSPHRASE);
    for (const [name, { passphrase }] of Object.entries(PEOPLE))
      await home.secret(`${name}.pass`, passphrase);
    return home;
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  secret(name: string, text: string): Promise<string> {
    if (!this.secrets.includes(text)) this.secrets.push(text);
    return secretFile(this.directory, name, text);
  }

  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = this.path(name);
    await writeFile(path, content);
    return path;
  }

  /** With the vault's passphrase; the vault comes from `SALLYPORT_VAULT`. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
    const result = await runCli(['--passphrase-file', this.path('vault.pass'), ...args], {
      ...options,
      env: { SALLYPORT_VAULT: this.workspace.vault, ...options.env },
    });
    const leaked = this.secrets.filter((secret) => `${result.stdout}${result.stderr}`.includes(secret));
    if (leaked.length > 0) throw new Error(`sallyport ${args.join(' ')} printed a secret`);
    return result;
  }

  as(who: Who, ...args: string[]): Promise<CliResult> {
    return this.run(['--as', who, '--operator-passphrase-file', this.path(`${who}.pass`), ...args]);
  }

  /** The same with `--json`. */
  data(who: Who, ...args: string[]): Promise<CliResult> {
    return this.as(who, '--json', ...args);
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
