/** What the agent's bench asks: the built agent with a signed release, the bare loop, and peers by their addresses. */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { servedAgent } from './served-agent.ts';
import { type WrkReport, wrk } from './wrk.ts';

export const MODEL = 'traffic';

/** A server, or several that share the load. */
export interface Target {
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** What a predict call names. */
  readonly named: { readonly model_name: string; readonly version?: string };
  stop(): Promise<void>;
}

export function bareTarget(modelFile: string): Promise<Target> {
  const child = fork(join(import.meta.dirname, 'bare-server.ts'), [modelFile], {
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The bare server ended with ${code}.`)));
    child.once('message', (message) =>
      resolve({
        urls: [(message as { url: string }).url],
        headers: {},
        named: { model_name: MODEL },
        stop: async () => child.disconnect(),
      }),
    );
  });
}

/** Of an isolation forest with the outputs `label` and `score`. */
const MAPPING: OutputMapping = {
  kind: 'anomaly',
  input: 'features',
  labelOutput: 'label',
  scoreOutput: 'score',
  scoreColumn: 0,
  positiveLabel: -1,
  threshold: 0,
  lowerIsPositive: true,
};

export async function agentTarget(model: Uint8Array): Promise<Target> {
  const agent = await servedAgent({ name: MODEL, model, mapping: MAPPING });
  return {
    urls: [agent.predictUrl],
    headers: { authorization: `Bearer ${agent.token}` },
    named: { model_name: MODEL },
    stop: () => agent.remove(),
  };
}

/**
 * Servers with the same API, started by somebody else: `SALLYPORT_BENCH_PEER` = their /predict addresses, by commas;
 * `SALLYPORT_BENCH_PEER_TOKEN`, `SALLYPORT_BENCH_PEER_MODEL` (`name@version`). Null where none is named.
 */
export function peerTarget(env: NodeJS.ProcessEnv): Target | null {
  const urls = (env.SALLYPORT_BENCH_PEER ?? '').split(',').filter((url) => url !== '');
  if (urls.length === 0) return null;
  const [model_name = MODEL, version] = (env.SALLYPORT_BENCH_PEER_MODEL ?? MODEL).split('@');
  const token = env.SALLYPORT_BENCH_PEER_TOKEN;
  return {
    urls,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    named: { model_name, ...(version === undefined ? {} : { version }) },
    stop: async () => {},
  };
}

/** The peer's own model, for the agent to serve beside it: `SALLYPORT_BENCH_PEER_ONNX` = its file. Null where none is named. */
export function peerModel(env: NodeJS.ProcessEnv): Uint8Array | null {
  const file = env.SALLYPORT_BENCH_PEER_ONNX;
  return file === undefined ? null : readFileSync(file);
}

export interface Load {
  /** Under the target's address. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: (named: Target['named']) => Uint8Array | string;
  readonly connections: number;
  readonly seconds: number;
  readonly pauseMs?: number;
}

/** All servers of a target at once, with the connections shared out; throws where one answered other than 2xx. */
export async function ask(directory: string, target: Target, load: Load): Promise<WrkReport> {
  const reports = await Promise.all(
    target.urls.map((url) =>
      wrk(directory, {
        url: new URL(load.path, url).href,
        headers: { 'content-type': 'application/json', ...target.headers, ...load.headers },
        body: load.body(target.named),
        connections: Math.ceil(load.connections / target.urls.length),
        seconds: load.seconds,
        ...(load.pauseMs === undefined ? {} : { pauseMs: load.pauseMs }),
      }),
    ),
  );
  const failed = reports.reduce((sum, report) => sum + report.failed, 0);
  if (failed > 0) throw new Error(`${target.urls.join()}: ${failed} calls were not answered with 2xx.`);
  return {
    requestsPerSecond: reports.reduce((sum, report) => sum + report.requestsPerSecond, 0),
    p50: Math.max(...reports.map(({ p50 }) => p50)),
    p99: Math.max(...reports.map(({ p99 }) => p99)),
    failed,
  };
}
