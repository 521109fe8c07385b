/** Starts a real serving agent, a process of its own, in a directory of its own, on ports that stay free for it while it is down. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { freePort } from '../../electron/sample/free-port.ts';
import type { TrustFile } from '../../shared/domain/endpoint/trust.ts';

/** What starts an agent from its sources. */
export const AGENT_ENTRY = join(import.meta.dirname, '..', '..', 'serving', 'index.ts');
const run = promisify(execFile);

export interface TestAgent {
  readonly adminUrl: string;
  readonly predictUrl: string;
  readonly environmentId: string;
  /** Scopes predict, read and deploy. */
  readonly token: string;
  readonly fingerprint: string;
  readonly pid: number;
  readonly directory: string;
  readonly configFile: string;
  /** What it wrote to its log so far. */
  log(): string;
  /** SIGTERM; resolves with the exit code. The directory stays until `remove`. */
  stop(): Promise<number | null>;
  /** SIGKILL: what a power cut leaves of the process. */
  kill(): Promise<void>;
  /** The same agent again, on the same ports, after `stop` or `kill`. */
  restart(): Promise<void>;
  /** Ends it, and removes its directory. */
  remove(): Promise<void>;
  /** Runs an agent command, e.g. `token add …`; resolves with its stdout. */
  command(...args: string[]): Promise<string>;
}

export interface StartAgentOptions {
  readonly trust: TrustFile;
  readonly environmentId: string;
  /** Changes to `limits` of agent.yaml. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Other sections of agent.yaml; of a listener all but host and port. */
  readonly config?: Readonly<Record<string, unknown>> & {
    readonly predict?: object;
    readonly admin?: object;
  };
  /** Variables of its environment, made from the files of its directory. */
  readonly env?: (directory: string) => Promise<Readonly<Record<string, string>>>;
  /** Where its directory is made; the system's folder of temporary files when left out. */
  readonly folder?: string;
  /** Another entry, e.g. the built bundle. */
  readonly entry?: string;
}

interface Ready {
  readonly adminUrl: string;
  readonly predictUrl: string;
  readonly pid: number;
}

export async function startAgent(options: StartAgentOptions): Promise<TestAgent> {
  const entry = options.entry ?? AGENT_ENTRY;
  const base = await mkdtemp(join(options.folder ?? tmpdir(), 'sallyport-agent-'));
  const directory = join(base, 'agent');
  const trustFile = join(base, 'trust.json');
  await writeFile(trustFile, JSON.stringify(options.trust));
  const agentCommand = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [entry, ...args])).stdout;
  const initialised = JSON.parse(
    await agentCommand(
      'init',
      '--environment',
      options.environmentId,
      '--trust',
      trustFile,
      '--dir',
      directory,
      '--json',
    ),
  ) as { config: string; fingerprint: string; token: string };
  const setConfig = async (change: Record<string, unknown>): Promise<void> => {
    const config = parse(await readFile(initialised.config, 'utf8')) as Record<string, unknown>;
    await writeFile(initialised.config, stringify({ ...config, ...change }));
  };
  const change = { ...(options.limits ? { limits: options.limits } : {}), ...options.config };
  const listenerAt = (name: 'predict' | 'admin', port: number): object => ({
    ...options.config?.[name],
    host: '127.0.0.1',
    port,
  });
  // The same addresses after a restart, as an operator would have configured them.
  const [predictPort, adminPort] = [await freePort(), await freePort()];
  await setConfig({
    ...change,
    predict: listenerAt('predict', predictPort),
    admin: listenerAt('admin', adminPort),
  });

  const env = await options.env?.(directory);
  let log = '';
  let child: ChildProcess;
  const start = async (): Promise<Ready> => {
    child = spawn(process.execPath, [entry, 'run', '--config', initialised.config], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    // Whoever started it may be stopped before it removes it.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.removeListener('exit', kill));
    child.stderr?.on('data', (data: Buffer) => {
      log += data.toString();
    });
    const { stdout } = child;
    if (!stdout) throw new Error('the agent has no stdout');
    const line = await Promise.race([
      once(createInterface({ input: stdout }), 'line').then(([text]) => String(text)),
      once(child, 'exit').then(([code]) =>
        Promise.reject(new Error(`the agent ended with ${String(code)} before it was ready: ${log}`)),
      ),
    ]);
    return JSON.parse(line) as Ready;
  };
  const removeBase = (): Promise<void> => rm(base, { recursive: true, force: true });
  let ready = await start().catch(async (error: unknown) => {
    await removeBase();
    throw error;
  });
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    return (await exited)[0] as number | null;
  };
  return {
    adminUrl: ready.adminUrl,
    predictUrl: ready.predictUrl,
    environmentId: options.environmentId,
    token: initialised.token,
    fingerprint: initialised.fingerprint,
    get pid() {
      return ready.pid;
    },
    directory,
    configFile: initialised.config,
    log: () => log,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
    restart: async () => {
      ready = await start();
    },
    remove: async () => {
      await end('SIGKILL');
      await removeBase();
    },
    command: (verb, ...args) => agentCommand(verb ?? '', ...args),
  };
}
