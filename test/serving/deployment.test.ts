/** What `resources/agent` is deployed with: the program alone, the image, the unit, and a real nginx before two agents. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../../electron/sample/free-port.ts';
import { forkInferenceWorker } from '../../serving/fork-worker.ts';
import { startAgent, type TestAgent } from '../support/agent.ts';
import { certificate } from '../support/certificates.ts';
import { openAfterOneRun } from '../support/one-run.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent } from './support.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const dockerfile = read('resources/agent/Dockerfile');
const lines = dockerfile.replaceAll(/\\\n\s*/g, ' ').split('\n');
/** Sources of COPY lines that come from the checkout. */
const copied = lines
  .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
  .flatMap((line) => line.split(/\s+/).slice(1, -1));
const missing = (program: string): boolean => spawnSync(program, ['-v']).error !== undefined;

let base: string;
let program: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'sallyport-deploy-'));
  program = join(base, 'agent');
  // What the image's first stage sees, and no more.
  const context = join(base, 'build');
  for (const path of copied) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    cpSync(join(ROOT, path), join(context, path), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(context, 'node_modules'));
  execFileSync(process.execPath, ['resources/agent/bundle.mjs', program], { cwd: context });
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe.skipIf(process.platform !== 'linux')('the program alone', () => {
  test('runs models without the telemetry of their runtime', async () => {
    const open = await openAfterOneRun(() => forkInferenceWorker(join(program, 'serving.js')));
    expect(open.some((path) => path.startsWith('pipe:') || path.startsWith('socket:'))).toBe(true);
    expect(open.filter((path) => path.includes('.onnxruntime'))).toEqual([]);
  });
});

describe('the image', () => {
  test('is built from files that are there and that its build may see, on the Node of the project', () => {
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const seen = read('resources/agent/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect([...new Set(copied)].sort()).toEqual(seen.sort());
    const { node } = (JSON.parse(read('package.json')) as { devDependencies: Record<string, string> })
      .devDependencies;
    const bases = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]);
    expect(bases).toEqual([`node:${node}-bookworm-slim`, `node:${node}-bookworm-slim`]);
  });

  test('runs as nobody in particular, writes to its volume alone, and can be asked how it is', () => {
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
    expect(last.find((line) => line.startsWith('USER '))).toMatch(/^USER [1-9]\d*:[1-9]\d*$/);
    expect(last).toContain('VOLUME /var/lib/sallyport-agent');
    expect(last.find((line) => line.startsWith('HEALTHCHECK '))).toContain('"health", "--config"');
    expect(dockerfile).not.toMatch(/ADD |curl|wget|:latest|sudo/);
  });

  test('holds no package but those with machine code, of one platform', () => {
    const { stdout } = spawnSync(
      'find',
      [program, '-name', '*.node', '-o', '-name', '*.so*', '-o', '-name', '*.d*ll', '-o', '-name', '*.dylib'],
      {
        encoding: 'utf8',
      },
    );
    const native = stdout
      .trim()
      .split('\n')
      .map((path) => path.slice(program.length + 1));
    expect(native.length).toBeGreaterThanOrEqual(3);
    expect(native.filter((path) => !path.includes(process.arch))).toEqual([]);
    for (const name of ['fastify', 'electron', 'keytar', '@duckdb'])
      expect(existsSync(join(program, 'node_modules', name))).toBe(false);
  });
});

const unit = read('resources/agent/sallyport-agent.service');
// Where there is no systemd, the unit is looked at as text alone.
describe.skipIf(process.platform !== 'linux' || missing('systemd-analyze'))('the unit', () => {
  test('is one that systemd understands, with little to attack', () => {
    const path = join(base, 'sallyport-agent.service');
    writeFileSync(path, unit.replace('/usr/bin/node', process.execPath));
    const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    expect(verified.stderr + verified.stdout).toBe('');
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path], {
      encoding: 'utf8',
    });
    const [, exposure] = /Overall exposure level for \S+: (\d+\.\d+)/.exec(stdout) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(1.5);
  });
});

describe('the unit as text', () => {
  test('reloads with a shell alone: a small system has no program kill', async () => {
    const [, path = '', script = ''] = /^ExecReload=(\S+) -c '(.*)'$/m.exec(unit) ?? [];
    const told = spawn('sh', ['-c', 'trap "exit 3" HUP; echo ready; while :; do sleep 0.05; done']);
    onTestFinished(() => void told.kill('SIGKILL'));
    await once(told.stdout, 'data');
    // As systemd passes it on.
    const MAINPID = String(told.pid);
    execFileSync(path, ['-c', script.replaceAll('$$', '$')], { env: { PATH: base, MAINPID } });
    expect(await once(told, 'exit')).toEqual([3, null]);
  });

  test('lets JavaScript be compiled, waits longer than a drain takes, and keeps keys out of the agent’s folder', () => {
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute/m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10);
    expect(unit.match(/^LoadCredentialEncrypted=(\w+):/gm)).toHaveLength(2);
    expect(unit).toMatch(/^SystemCallFilter=sched_setaffinity/m);
  });
});

/** What a text has between backquotes, in one line each. */
function codeIn(text: string): string[] {
  const fenced = /^```.*\n([\s\S]*?)^```$/gm;
  const blocks = [...text.matchAll(fenced)].flatMap(([, block = '']) =>
    block.replaceAll(/\\\n\s*/g, ' ').split('\n'),
  );
  const inline = [...text.replaceAll(fenced, '').matchAll(/`([^`]+)`/g)];
  return [...blocks, ...inline.map(([, code = '']) => code.replaceAll(/\n#?\s*/g, ' '))];
}

describe('the page, followed to the letter', () => {
  const page = read('docs/deployment.md');
  const commands = codeIn(page);
  const place = (pattern: RegExp): number => commands.findIndex((command) => pattern.test(command));
  const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

  test('writes each credential under the name and to the place where the unit looks, into a folder that a step before made', () => {
    for (const [, name, path = ''] of unit.matchAll(/^LoadCredentialEncrypted=(\w+):(.*)$/gm)) {
      const encrypted = place(new RegExp(`systemd-creds encrypt --name=${name} \\S+ ${path} `));
      const folder = place(new RegExp(`^install -d .*${dirname(path)}$`));
      expect(encrypted, path).toBeGreaterThan(-1);
      expect(folder, path).toBeGreaterThan(-1);
      expect(folder).toBeLessThan(encrypted);
      expect(page).toContain(`${name}: { credential: ${name} }`);
    }
    const encrypted = commands.findLastIndex((command) => command.startsWith('systemd-creds encrypt '));
    expect(place(/systemctl enable --now sallyport-agent$/)).toBeGreaterThan(encrypted);
  });

  test('keeps what the unit may write where the unit may write', () => {
    const [, log = ''] = /^\s+file: (\S+access\.log)/m.exec(read('docs/agent.md')) ?? [];
    expect(dirname(log)).toBe(`/var/log/${setting('LogsDirectory')}`);
    expect(setting('WorkingDirectory')).toBe(`/var/lib/${setting('StateDirectory')}`);
    expect(setting('ExecStart')).toContain(`--config ${setting('WorkingDirectory')}/agent.yaml`);
  });

  test('gives both listeners the ports that image, nginx and Prometheus know', () => {
    const made = commands.filter((command) => command.includes(' init '));
    expect(made).toHaveLength(2);
    for (const command of made)
      expect(command).toMatch(/ --dir \/var\/lib\/sallyport-agent --predict-port 8443 --admin-port 8444$/);
    expect(lines).toContain('EXPOSE 8443 8444');
    const ports = (path: string) =>
      [...read(path).matchAll(/agent-\d\.example:(\d+)/g)].map(([, port]) => port);
    expect(ports('resources/agent/nginx.conf')).toEqual(['8443', '8443']);
    expect(ports('resources/observability/prometheus.yaml')).toEqual(['8444', '8444']);
  });

  test('says no word and no flag that the program does not know', () => {
    const texts = ['docs/deployment.md', 'docs/agent.md', 'resources/observability/prometheus.yaml'].map(
      read,
    );
    const said = texts.flatMap(codeIn).flatMap((code) => {
      const [, words = '', rest = ''] =
        /.*(?:sallyport agent|serving\.js|sallyport-agent) (token [a-z]+|[a-z]+)(.*)/.exec(code) ?? [];
      return words === '' ? [] : [{ words, flags: rest.match(/--[a-z-]+/g) ?? [] }];
    });
    const words = said.map((each) => each.words);
    expect(words).toEqual(expect.arrayContaining(['init', 'health', 'drain', 'token create']));
    for (const { words, flags } of said) {
      const args = [join(program, 'serving.js'), ...words.split(' '), '--help'];
      const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect(status, words).toBe(0);
      for (const flag of flags) expect(stdout, `${words} ${flag}`).toMatch(new RegExp(`^ +${flag}\\b`, 'm'));
    }
  });
});

// Where Debian's nginx is not installed, there is nothing to put before the agents.
describe.skipIf(missing('nginx'))('two agents behind nginx, from the program alone', () => {
  const ca = certificate('agents');
  const server = certificate('agent', ca);
  const site = makeSite();
  const keys = Array.from({ length: 24 }, (_, caller) => `caller-${caller}`);
  let agents: readonly [TestAgent, TestAgent];
  let nginx: ChildProcess;
  let front: number;

  const ask = (url: string, agent: TestAgent, key: string): Promise<{ status: number; version?: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(
        `${url}/predict`,
        {
          method: 'POST',
          ca: ca.cert,
          agent: false,
          headers: {
            authorization: `Bearer ${agent.token}`,
            'content-type': 'application/json',
            'x-routing-key': key,
            'x-forwarded-for': '203.0.113.9',
          },
        },
        async (answer) => {
          let text = '';
          for await (const piece of answer) text += String(piece);
          const { model_version: version } = JSON.parse(text) as { model_version?: string };
          resolve({ status: answer.statusCode ?? 0, ...(version === undefined ? {} : { version }) });
        },
      );
      sent.on('error', reject).end(JSON.stringify({ model_name: 'phish', features: [1, 1, 1] }));
    });
  const versions = async (url: string, agent: TestAgent): Promise<(string | number)[]> =>
    (await Promise.all(keys.map((key) => ask(url, agent, key)))).map(
      ({ status, version }) => version ?? status,
    );

  beforeAll(async () => {
    for (const [name, text] of [
      ['agent.pem', server.cert],
      ['agent.key', server.key],
      ['ca.pem', ca.cert],
    ] as const)
      writeFileSync(join(base, name), text, { mode: 0o600 });
    const start = () =>
      startAgent({
        ...site,
        entry: join(program, 'serving.js'),
        config: {
          accessLog: { file: 'access.log' },
          predict: {
            tls: { cert: join(base, 'agent.pem'), key: join(base, 'agent.key') },
            trustedProxies: ['127.0.0.1'],
          },
        },
      });
    agents = await Promise.all([start(), start()]);
    const [first] = agents;
    // One token for both: their operators give them the same list.
    writeFileSync(
      join(agents[1].directory, 'tokens.json'),
      readFileSync(join(first.directory, 'tokens.json')),
    );
    const stable = makeRelease(site, { version: '1.0.0', serial: 1 });
    const canary = makeRelease(site, { version: '1.1.0', serial: 2, model: thresholdModel(5) });
    await Promise.all(
      agents.map(async (each) => {
        const on = await onAgent(site, { ...each, token: first.token });
        await on.serveCanary(stable, canary, { percent: 50, mirrorSample: 0 });
        await on.client.close();
      }),
    );
    front = await freePort();
    const example = read('resources/agent/nginx.conf')
      .replace('agent-1.example:8443', new URL(agents[0].predictUrl).host)
      .replace('agent-2.example:8443', new URL(agents[1].predictUrl).host)
      .replace('listen 443 ssl', `listen 127.0.0.1:${front} ssl`)
      .replace('/etc/nginx/tls/detect.pem', join(base, 'agent.pem'))
      .replace('/etc/nginx/tls/detect.key', join(base, 'agent.key'))
      .replace('/etc/nginx/tls/agents-ca.pem', join(base, 'ca.pem'))
      .replace('proxy_ssl_name agents.example', 'proxy_ssl_name localhost');
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(base, name)};`,
    );
    writeFileSync(
      join(base, 'nginx.conf'),
      `user ${userInfo().username}; daemon off; worker_processes 1; pid ${join(base, 'nginx.pid')};
       error_log ${join(base, 'nginx.log')} warn; events {}
       http { access_log off; ${folders.join(' ')} ${example} }`,
    );
    nginx = spawn('nginx', ['-p', base, '-c', join(base, 'nginx.conf'), '-e', join(base, 'nginx.log')], {
      stdio: 'ignore',
    });
    process.once('exit', () => nginx.kill());
    await vi.waitUntil(
      () => {
        if (nginx.exitCode !== null) throw new Error(readFileSync(join(base, 'nginx.log'), 'utf8'));
        return ask(`https://127.0.0.1:${front}`, first, 'x').then(
          ({ status }) => status === 200,
          () => false,
        );
      },
      { timeout: 20_000, interval: 50 },
    );
  });
  afterAll(async () => {
    if (nginx?.exitCode === null) {
      const ended = once(nginx, 'exit');
      nginx.kill('SIGTERM');
      await ended;
    }
    await Promise.all(agents.map((agent) => agent.remove()));
  });

  test('a caller meets the same version on either of them and through nginx, and both versions are met', async () => {
    const [one, two] = agents;
    const through = await versions(`https://127.0.0.1:${front}`, one);
    expect(new Set(through)).toEqual(new Set(['1.0.0', '1.1.0']));
    expect(await versions(one.predictUrl, one)).toEqual(through);
    expect(await versions(two.predictUrl, one)).toEqual(through);
    expect(await versions(`https://127.0.0.1:${front}`, one)).toEqual(through);
  });

  test('both are asked, the caller’s address is the one that nginx saw, and consoles do not come this way', async () => {
    for (const { directory } of agents) {
      const log = join(directory, 'access.log');
      await expect.poll(() => readFileSync(log, 'utf8')).toContain('"route":"/predict"');
      const addresses = [
        ...readFileSync(log, 'utf8').matchAll(/"address":"([^"]+)"[^\n]*"route":"\/predict"/g),
      ];
      // Asked directly, a test's own connection counts as the proxy, so that what it says of itself is believed.
      expect(new Set(addresses.map((match) => match[1]))).toEqual(new Set(['127.0.0.1', '203.0.113.9']));
    }
    const status = await new Promise((resolve, reject) => {
      request(`https://127.0.0.1:${front}/admin/v1/models`, { ca: ca.cert, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
  });

  test('the health command says who is ready, over TLS as well', async () => {
    const [one] = agents;
    await expect(one.command('health', '--config', one.configFile)).resolves.toBe('');
  });

  test('given one is killed, when callers go on, then each is answered by the other with the version he had', async () => {
    const [one, two] = agents;
    const before = await versions(two.predictUrl, one);
    await one.kill();
    expect(await versions(`https://127.0.0.1:${front}`, one)).toEqual(before);
    await expect(one.command('health', '--config', one.configFile)).rejects.toMatchObject({ code: 7 });
  });
});
