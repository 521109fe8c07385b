/**
 * `agent`: single-row predictions of the built serving agent, with its token check, input check, routing, metrics and
 * the model in a process of its own. Limit: a fastify server that parses the same body and answers at once. Peer: a
 * fastify server that runs the model in its own process and checks nothing. Rates are taken in a closed loop of 16
 * connections; latencies in an open loop at a fixed rate, counted from when each request was due.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { createAgentConnector } from '../electron/adapters/endpoints/agent/index.ts';
import { featureNames } from '../shared/domain/model/feature-columns.ts';
import { requireMapping } from '../shared/domain/model/guess-mapping.ts';
import { readOnnx } from '../shared/domain/onnx/reader.ts';
import { startAgent } from '../test/support/agent.ts';
import { makeRelease, makeSite } from '../test/support/release.ts';
import { type LoadReport, load } from './support/load.ts';
import { median, percentile } from './support/measure.ts';
import { built } from './support/program.ts';
import { type Bench, row } from './support/row.ts';
import { sampleModel, sampleRows } from './support/sample-rows.ts';

const RUNS = 3;
const CLOSED_MS = 4000;
const CONNECTIONS = 16;
const OPEN_RATE = 300;
const OPEN_MS = 4000;
const MODEL = 'phish';

/** A server that a bench may ask, until it is stopped. */
interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

function bareServer(mode: 'echo' | 'model', model: string): Promise<Target> {
  const child = fork(join(import.meta.dirname, 'support/bare-server.ts'), [mode, model], {
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The bare server ended with ${code}.`)));
    child.once('message', (message) =>
      resolve({
        url: (message as { url: string }).url,
        headers: {},
        stop: async () => child.disconnect(),
      }),
    );
  });
}

async function agentTarget(): Promise<Target> {
  const { bytes } = sampleModel('1.1.0');
  const { summary } = readOnnx({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
  const site = makeSite();
  const agent = await startAgent({
    trust: site.trust,
    environmentId: site.environmentId,
    entry: built('serving.js'),
  });
  const connector = createAgentConnector();
  const identity = await connector.probe(agent.adminUrl, agent.token);
  const client = connector.connect(
    {
      id: 'bench',
      name: 'bench',
      environmentId: site.environmentId,
      kind: 'agent',
      adminUrl: agent.adminUrl,
      predictUrl: agent.predictUrl,
      fingerprint: agent.fingerprint,
      signingKeyPem: identity.signingKeyPem,
      ageRecipient: identity.ageRecipient,
      addedAt: new Date().toISOString(),
    },
    async () => agent.token,
  );
  const release = makeRelease(site, { name: MODEL, model: bytes, mapping: requireMapping(summary) });
  await client.push(release, () => {});
  await client.route(MODEL, { key: 'bench', expectedGeneration: 0, stableRoot: release.root, canary: null });
  await client.close();
  return {
    url: `${agent.predictUrl}/predict`,
    headers: { authorization: `Bearer ${agent.token}` },
    stop: () => agent.remove(),
  };
}

/** Calls per second of the runtime alone, one row a call, in this process. */
async function modelAlone(path: string, rows: readonly number[][]): Promise<number> {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
  const name = session.inputNames[0] ?? '';
  const calls = 5000;
  let started = 0;
  for (let call = -200; call < calls; call++) {
    if (call === 0) started = performance.now();
    const values = rows[(call + 200) % rows.length] ?? [];
    await session.run({ [name]: new ort.Tensor('float32', Float32Array.from(values), [1, values.length]) });
  }
  return calls / ((performance.now() - started) / 1000);
}

export const agent: Bench = async ({ say }) => {
  const { path, bytes } = sampleModel('1.1.0');
  const { summary } = readOnnx({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
  const rows = sampleRows(featureNames(summary) ?? [], 500);
  const bodies = rows.map((features) => JSON.stringify({ model_name: MODEL, features }));

  const targets: Record<'echo' | 'bare' | 'agent', Target> = {
    echo: await bareServer('echo', path),
    bare: await bareServer('model', path),
    agent: await agentTarget(),
  };
  const names = ['echo', 'bare', 'agent'] as const;
  const ask = async (
    name: (typeof names)[number],
    ratePerSecond: number,
    durationMs: number,
  ): Promise<LoadReport> => {
    const { url, headers } = targets[name];
    const { report } = load({
      url,
      headers,
      bodies,
      ratePerSecond,
      durationMs,
      connections: CONNECTIONS,
      versionField: null,
    });
    const result = await report;
    if (result.failed > 0) throw new Error(`${name}: ${JSON.stringify(result.failures)}`);
    return result;
  };
  try {
    say('warming up');
    for (const name of names) await ask(name, 0, 1000);
    say(`closed loop of ${CONNECTIONS}, side by side`);
    const rates: Record<string, number[]> = { echo: [], bare: [], agent: [] };
    for (let run = 0; run < RUNS; run++) {
      for (const name of names) {
        const { sent, seconds } = await ask(name, 0, CLOSED_MS);
        rates[name]?.push(sent / seconds);
      }
    }
    say(`open loop at ${OPEN_RATE}/s, side by side`);
    const p50: Record<string, number[]> = { echo: [], bare: [], agent: [] };
    const p99: Record<string, number[]> = { echo: [], bare: [], agent: [] };
    for (let run = 0; run < RUNS; run++) {
      for (const name of names) {
        const { latencies } = await ask(name, OPEN_RATE, OPEN_MS);
        p50[name]?.push(percentile(latencies, 50));
        p99[name]?.push(percentile(latencies, 99));
      }
    }
    say('the runtime alone');
    const alone: number[] = [];
    for (let run = 0; run < RUNS; run++) alone.push(await modelAlone(path, rows));

    const of = (values: Record<string, number[]>, name: string): number => median(values[name] ?? []);
    const beside = (values: Record<string, number[]>) => ({
      limit: { what: 'fastify echo', value: of(values, 'echo') },
      peer: { what: 'fastify with the model inside', value: of(values, 'bare') },
    });
    return [
      row({
        name: 'agent.requests',
        value: of(rates, 'agent'),
        unit: 'requests/s',
        ...beside(rates),
        goal: { atLeast: 500, of: 'value' },
      }),
      row({ name: `agent.p50-at-${OPEN_RATE}/s`, value: of(p50, 'agent'), unit: 'ms', ...beside(p50) }),
      row({
        name: `agent.p99-at-${OPEN_RATE}/s`,
        value: of(p99, 'agent'),
        unit: 'ms',
        ...beside(p99),
        goal: { atMost: 50, of: 'value' },
      }),
      row({ name: 'agent.model-alone', value: median(alone), unit: 'calls/s' }),
    ];
  } finally {
    await Promise.all(names.map((name) => targets[name].stop()));
  }
};
