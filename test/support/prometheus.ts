/** A real Prometheus on loopback, with its data in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../electron/sample/free-port.ts';

export interface PrometheusSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface TestPrometheus {
  /** Answers an instant query; throws what Prometheus says of one it does not understand. */
  query(expression: string): Promise<PrometheusSample[]>;
  /** What an endpoint of its API answers as `data`. */
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** Asks `target` (host:port) for its metrics four times a second, with this token; `directory` is the caller's to remove. */
export async function startPrometheus(options: {
  readonly directory: string;
  readonly target: string;
  readonly token: string;
  readonly rules: string;
}): Promise<TestPrometheus> {
  const { directory } = options;
  const config = join(directory, 'prometheus.yaml');
  const token = join(directory, 'token');
  writeFileSync(token, options.token, { mode: 0o600 });
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '250ms', scrape_timeout: '250ms', evaluation_interval: '1s' },
      rule_files: [options.rules],
      scrape_configs: [
        {
          job_name: 'sallyport',
          authorization: { credentials_file: token },
          static_configs: [{ targets: [options.target] }],
        },
      ],
    }),
  );
  const port = await freePort();
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let problems = '';
  child.stderr?.on('data', (data: Buffer) => {
    problems += data.toString();
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const base = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}: ${problems}`);
    if (
      await fetch(`${base}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(base + path);
    const body = (await answer.json()) as { status: string; error?: string; data?: unknown };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  };
  return {
    get,
    query: async (expression) =>
      ((await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as { result: PrometheusSample[] })
        .result,
    stop: async () => {
      process.removeListener('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
