import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';

const initSchema = z.object({ config: z.string(), fingerprint: z.string(), token: z.string() });
export type InitialisedAgent = z.infer<typeof initSchema>;

const readySchema = z.object({ event: z.literal('ready'), adminUrl: z.string(), predictUrl: z.string() });

/** Starts a program of ours with the runtime this process runs on. */
const runtimeEnv = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };

/** `agent init` in a directory of its own; the token is shown this once. */
export async function initAgent(
  serving: string,
  options: {
    directory: string;
    environmentId: string;
    trustFile: string;
    predictPort: number;
    adminPort: number;
  },
): Promise<InitialisedAgent> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      serving,
      'init',
      '--environment',
      options.environmentId,
      '--trust',
      options.trustFile,
      '--dir',
      options.directory,
      '--predict-port',
      String(options.predictPort),
      '--admin-port',
      String(options.adminPort),
      '--json',
    ],
    { env: runtimeEnv },
  );
  return initSchema.parse(JSON.parse(stdout));
}

export interface RunningAgent {
  readonly adminUrl: string;
  readonly predictUrl: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** `agent run`; resolves when it serves. Ends with `stop`, or with this process. */
export async function runAgentProcess(serving: string, config: string): Promise<RunningAgent> {
  const child = spawn(process.execPath, [serving, 'run', '--config', config], {
    env: runtimeEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<z.infer<typeof readySchema>>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(
        new SallyportError(
          'endpoint.unreachable',
          `The sample agent ended with ${code}: ${errors.join('').slice(-500)}`,
          {
            hint: 'Another program may use its port. Delete the sample workspace’s folder to make a new one.',
          },
        ),
      ),
    );
    createInterface({ input: child.stdout }).on('line', (line) => {
      const parsed = readySchema.safeParse(parseJson(line));
      if (parsed.success) resolve(parsed.data);
    });
  });
  return {
    adminUrl: ready.adminUrl,
    predictUrl: ready.predictUrl,
    process: child,
    stop: async () => {
      process.removeListener('exit', kill);
      child.kill('SIGTERM');
      const late = setTimeout(kill, 5000);
      await exited;
      clearTimeout(late);
    },
  };
}

/** A port nobody uses now, on loopback. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string')
    throw new SallyportError('unexpected', 'No loopback port is free.');
  return address.port;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
