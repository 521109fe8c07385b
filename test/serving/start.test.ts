/** What cannot be opened while the agent starts ends it, and nothing stays behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../electron/sample/free-port.ts';
import { startAgent } from '../../serving/agent.ts';
import { loadConfig } from '../../serving/config.ts';
import { forkInferenceWorker } from '../../serving/fork-worker.ts';
import { lockDirectory } from '../../serving/lock.ts';
import { AGENT_ENTRY } from '../support/agent.ts';
import { certificate } from '../support/certificates.ts';
import { makeRelease } from '../support/release.ts';
import { agentYaml, newAgent, runAgent } from './start-support.ts';
import { stage } from './support.ts';

/** A port that somebody listens on. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const listeners = (predict: number, admin: number): string =>
  `predict:\n  host: 127.0.0.1\n  port: ${predict}\nadmin:\n  host: 127.0.0.1\n  port: ${admin}\n`;

/** An agent in this process, whose inference processes are known. */
function here() {
  const pids: number[] = [];
  const runtime = {
    log: pino({ level: 'silent' }),
    now: () => new Date(),
    fork: () => {
      const worker = forkInferenceWorker(AGENT_ENTRY);
      pids.push(Number(worker.pid));
      return worker;
    },
  };
  return {
    pids,
    start: async (configFile: string) => startAgent(await loadConfig(configFile), runtime),
    alive: () => pids.filter(isAlive),
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('given a port that is taken', () => {
  test.each(['by another process', 'by its own predict listener'])(
    '%s, then the agent ends with exit code 1 and names address, file and line',
    async (by) => {
      const on = await stage();
      await on.serve(makeRelease(on.site));
      await on.agent.stop();
      const predict = await freePort();
      const admin = by.includes('own') ? predict : await takenPort();
      writeFileSync(on.agent.configFile, agentYaml(on.site.environmentId, listeners(predict, admin)));
      const { code, said } = await runAgent(on.agent.configFile);
      expect(code).toBe(1);
      // Beside its log, which is JSON.
      expect(said.split('\n').filter((line) => !line.startsWith('{'))).toEqual([
        `${on.agent.configFile}:9:9: admin.port: 127.0.0.1:${admin} is taken: something listens there already.`,
        'The agent was not started.',
        '',
      ]);
      await expect(fetch(`http://127.0.0.1:${predict}/health`)).rejects.toThrow();
    },
  );

  test('then listeners, inference processes and the lock are let go, and the same directory starts', async () => {
    const on = await stage();
    await on.serve(makeRelease(on.site));
    await on.agent.stop();
    const { configFile, directory } = on.agent;
    const [predict, admin] = [await freePort(), await takenPort()];
    const { pids, start, alive } = here();
    writeFileSync(configFile, agentYaml(on.site.environmentId, listeners(predict, admin)));
    await expect(start(configFile)).rejects.toMatchObject({ facts: { file: configFile, line: 9 } });
    expect(pids.length).toBeGreaterThan(0);
    await expect.poll(alive).toEqual([]);
    await expect(fetch(`http://127.0.0.1:${predict}/health`)).rejects.toThrow();
    lockDirectory(directory)();

    writeFileSync(configFile, agentYaml(on.site.environmentId, listeners(predict, 0)));
    const again = await start(configFile);
    expect((await fetch(`${again.predictUrl}/health`)).status).toBe(200);
    await again.stop();
    await expect.poll(alive).toEqual([]);
    lockDirectory(directory)();
  });
});

test('given a state file that cannot be read, then the directory is not left locked', async () => {
  const { directory, configFile } = await newAgent();
  writeFileSync(join(directory, 'state', 'state.json'), '{');
  await expect(here().start(configFile)).rejects.toThrow();
  lockDirectory(directory)();
});

test('given a directory in the place of a file of its own, then the system’s words are told, without a stack', async () => {
  const { directory, configFile } = await newAgent();
  const place = join(directory, 'state', 'state.json');
  rmSync(place, { force: true });
  mkdirSync(place);
  const { code, said } = await runAgent(configFile);
  expect(said).toContain('The system refused: EISDIR');
  expect(said).not.toMatch(/^\s+at /m);
  expect(code).toBe(1);
  lockDirectory(directory)();
});

test('given an access log that cannot be written, then the agent ends with that and nothing more, its directory free', async () => {
  const { directory, configFile, write } = await newAgent();
  write('predict: { port: 0 }\nadmin: { port: 0 }\naccessLog: { file: none/access.log }\n');
  expect(await runAgent(configFile)).toEqual({
    code: 2,
    said: `${configFile}:6:20: accessLog.file: The access log ${join(directory, 'none', 'access.log')} cannot be written.\nNothing was started. Check that its folder is there and may be written to.\n`,
  });
  lockDirectory(directory)();
});

test('given an address that this machine does not have, then the line of the host is named', async () => {
  const { directory, configFile, write } = await newAgent();
  const { cert, key } = certificate('agent.example');
  for (const [name, text] of Object.entries({ cert, key }))
    writeFileSync(join(directory, `${name}.pem`), text, { mode: 0o600 });
  write(
    'predict: { port: 0 }\nadmin:\n  host: 192.0.2.1\n  port: 8443\n  tls: { cert: cert.pem, key: key.pem }\n',
  );
  const { code, said } = await runAgent(configFile);
  expect(code).toBe(1);
  expect(said).toContain(
    `${configFile}:6:9: admin.host: 192.0.2.1:8443 cannot be listened on: this machine does not have this address.\n`,
  );
});

describe('a signal while models are loaded', () => {
  async function loading() {
    const on = await stage();
    await on.serve(makeRelease(on.site));
    await on.agent.stop();
    const child = spawn(process.execPath, [AGENT_ENTRY, 'run', '--config', on.agent.configFile], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    const { pid } = child;
    const children = (): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    await expect.poll(children, { interval: 5 }).not.toBe('');
    return { child, exited };
  }

  test.runIf(process.platform === 'linux')('to open its logs again does not end it', async () => {
    const { child, exited } = await loading();
    child.kill('SIGHUP');
    expect(String((await once(child.stdout, 'data'))[0])).toContain('"event":"ready"');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  test.runIf(process.platform === 'linux')('to stop ends it at once, and well', async () => {
    const { child, exited } = await loading();
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
