/** Agents that are to fail while they start: their directory, their `agent.yaml` line by line, and how they ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { runCommand } from '../../serving/commands.ts';
import { initAgent } from '../../serving/init.ts';
import { AGENT_ENTRY } from '../support/agent.ts';
import { makeSite } from '../support/release.ts';
import { temporaryDirectory } from '../support/temp.ts';

/** Three lines, then those of the test: the first of `rest` is line 4. */
export function agentYaml(environmentId: string, rest: string): string {
  return `version: 1\nenvironmentId: ${environmentId}\ntrust: trust.yaml\n${rest}`;
}

export interface NewAgent {
  readonly directory: string;
  readonly configFile: string;
  /** Writes `agent.yaml`; the first line of `rest` is its line 4. */
  write(rest: string): void;
}

/** The directory of an agent as `init` makes it; with listeners on ports of the system's choice. */
export async function newAgent(): Promise<NewAgent> {
  const { environmentId, trust } = makeSite();
  const directory = temporaryDirectory();
  const trustFile = join(directory, 'trust.yaml');
  writeFileSync(trustFile, stringify(trust));
  const { config: configFile } = await initAgent(
    { environmentId, trustFile, directory, host: '127.0.0.1', predictPort: 0, adminPort: 0, tokenDays: 1 },
    new Date(),
  );
  return {
    directory,
    configFile,
    write: (rest) => writeFileSync(configFile, agentYaml(environmentId, rest)),
  };
}

/** Runs an agent that does not get as far as to listen, in this process. */
export async function runHere(configFile: string): Promise<{ readonly code: number; readonly said: string }> {
  const said: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0;
  try {
    return { code: await runCommand('run', ['--config', configFile], AGENT_ENTRY), said: said.join('') };
  } finally {
    process.stderr.write = write;
  }
}

/** Runs the agent until it ends, in a process of its own. One that gets ready is stopped, and its code is `ready`. */
export async function runAgent(
  configFile: string,
): Promise<{ readonly code: number | 'ready' | null; readonly said: string }> {
  const child = spawn(process.execPath, [AGENT_ENTRY, 'run', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let ready = false;
  child.stdout.once('data', () => {
    ready = true;
    child.kill('SIGTERM');
  });
  const said = text(child.stderr);
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code: ready ? 'ready' : code, said: await said };
}
