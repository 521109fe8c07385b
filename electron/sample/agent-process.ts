import { createInterface } from 'node:readline';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { LaunchProgram, RunningProgram } from '../ports/processes.ts';

const initSchema = z.object({ config: z.string(), fingerprint: z.string(), token: z.string() });
export type InitialisedAgent = z.infer<typeof initSchema>;

const readySchema = z.object({ event: z.literal('ready'), adminUrl: z.string(), predictUrl: z.string() });

/** Longest wait for an agent to end in order, in milliseconds. */
const STOP_MS = 5000;

export interface InitAgentOptions {
  readonly directory: string;
  readonly environmentId: string;
  readonly trustFile: string;
  readonly predictPort: number;
  readonly adminPort: number;
}

/** `agent init` in a directory of its own; the token is shown this once. */
export async function initAgent(
  launch: LaunchProgram,
  serving: string,
  options: InitAgentOptions,
): Promise<InitialisedAgent> {
  const program = launch(serving, [
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
  ]);
  const errors = collect(program.stderr);
  const output = collect(program.stdout);
  const code = await new Promise<number | null>((resolve) => program.onExit(resolve));
  if (code !== 0)
    throw new SallyportError('unexpected', `The sample agent could not be made: ${errors().trim()}`);
  return initSchema.parse(JSON.parse(output()));
}

export interface RunningAgent {
  readonly adminUrl: string;
  readonly predictUrl: string;
  stop(): Promise<void>;
}

/** `agent run`; resolves when it serves. Ends with `stop`, or with this process. */
export async function runAgentProcess(
  launch: LaunchProgram,
  serving: string,
  config: string,
): Promise<RunningAgent> {
  const program = launch(serving, ['run', '--config', config]);
  const errors = collect(program.stderr);
  const exited = new Promise<number | null>((resolve) => program.onExit(resolve));
  const ready = await Promise.race([
    readyLine(program),
    exited.then((code) => {
      throw new SallyportError(
        'endpoint.unreachable',
        `The sample agent ended with ${code ?? 'a signal'}: ${errors().trim().slice(-500)}`,
        {
          hint: 'Another program may use its port. Delete the sample workspace’s folder to make a new one.',
        },
      );
    }),
  ]);
  return {
    adminUrl: ready.adminUrl,
    predictUrl: ready.predictUrl,
    stop: async () => {
      program.end('stop');
      const late = setTimeout(() => program.end('kill'), STOP_MS);
      await exited;
      clearTimeout(late);
    },
  };
}

function readyLine(program: RunningProgram): Promise<z.infer<typeof readySchema>> {
  return new Promise((resolve) => {
    createInterface({ input: program.stdout }).on('line', (line) => {
      const parsed = readySchema.safeParse(parseJson(line));
      if (parsed.success) resolve(parsed.data);
    });
  });
}

/** The newest 64 KiB of a stream's text. */
function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer | string) => {
    text = (text + chunk.toString()).slice(-65_536);
  });
  return () => text;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
