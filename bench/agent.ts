/**
 * `agent`: predictions of the built serving agent, with its token check, input check, routing, metrics, access log and
 * the model in a process of its own. Model: an isolation forest of 100 trees over 10 features. Load: Debian's `wrk`.
 *
 * Limits: `node:http` with the model in its own process and nothing around it (`bench/support/bare-server.ts`), and the
 * runtime alone over the same batches. Peer: whoever is named by `--peer URL[,URL]` (see `peerTarget`); beside it the agent
 * serves the peer's own model as `--peer-model FILE` has it, else the forest that is measured beside the limits. All is
 * measured in turn in one run, several times over, because a machine's speed changes from minute to minute; a round in
 * which it did not keep its pace (`support/metronome.ts`) is measured again.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { requestBody } from '../test/support/open-inference.ts';
import {
  agentTarget,
  ask,
  bareTarget,
  type Load,
  MODEL,
  peerModel,
  peerTarget,
  type Target,
} from './support/agent-target.ts';
import { FEATURES, isolationForest, trafficRows } from './support/isolation-forest.ts';
import { median } from './support/measure.ts';
import { startMetronome } from './support/metronome.ts';
import { rawRuns } from './support/raw-runs.ts';
import { type Bench, type BenchRow, row } from './support/row.ts';
import { requireWrk, type WrkReport } from './support/wrk.ts';

const RUNS = 7;
/** At half load, where a ratio of two percentiles varies more from round to round than a rate does. */
const CALM_RUNS = 19;
/** Most by which what is answered at full load before and after such a round may differ, as a ratio. */
const SAME_SPEED = 1.2;
/** Where the machine is restless, a figure of the slowest hundredth takes patience. */
const CALM_TRIES = 24;
/** Short, so that a round without a pause of the machine is soon found. */
const SECONDS = 1;
const ROWS_SECONDS = 2;
/** So many ask at once that batches form, as they do where many sensors ask. */
const CROWD = 64;
const FEW = 16;
const ROWS = 1024;
const BATCHES_AT_ONCE = 8;
const RAW_MS = 1000;
/** A slow server's figure needs longer than a fast one's: too long to wait for a steady round. */
const PEER_SECONDS = 5;
/** The machine's speed changes from minute to minute: many turns, so that each of those who take them meets all of it. */
const PEER_RUNS = 7;
/** Of what stands beside the peer. */
const PLAIN_SECONDS = 3;
/** They keep it busy. */
const PEER_CROWD = 8;

const json = (count: number): Load['body'] => {
  const features = trafficRows(99, count);
  return (named) => JSON.stringify({ ...named, features });
};

function binaryLoad(): Load {
  const values = trafficRows(99, ROWS).flat();
  const { body, headers } = requestBody({
    inputs: [{ name: 'features', datatype: 'FP32', shape: [ROWS, FEATURES], values }],
    parameters: { binary_data_output: true },
  });
  return {
    path: `/v2/models/${MODEL}/infer`,
    headers: { ...headers, 'content-type': 'application/octet-stream' },
    body: () => body,
    connections: BATCHES_AT_ONCE,
    seconds: ROWS_SECONDS,
  };
}

interface Peer {
  readonly servers: number;
  readonly requests: number[];
  readonly rows: number[];
  /** One round of each. */
  measure(): Promise<void>;
}

/** Null where none was named. */
async function namedPeer(
  directory: string,
  say: (text: string) => void,
  one: Load,
  many: Load,
): Promise<Peer | null> {
  const peer = peerTarget(process.env);
  if (!peer) {
    say('no peer was named: --peer URL[,URL] puts the agent beside one');
    return null;
  }
  say(`the peer at ${peer.urls.join(', ')}`);
  const path = new URL(peer.urls[0] ?? '').pathname;
  const perSecond = async (load: Load, seconds: number): Promise<number> =>
    (await ask(directory, peer, { ...load, path, connections: PEER_CROWD, seconds })).requestsPerSecond;
  await perSecond(one, 2);
  const requests: number[] = [];
  const rows: number[] = [];
  return {
    servers: peer.urls.length,
    requests,
    rows,
    async measure() {
      requests.push(await perSecond(one, PEER_SECONDS));
      rows.push((await perSecond(many, PEER_SECONDS)) * ROWS);
    },
  };
}

export const agent: Bench = async ({ directory, say }) => {
  requireWrk();
  const model = isolationForest(42);
  const modelFile = join(directory, 'model.onnx');
  writeFileSync(modelFile, model);
  const targets: Target[] = [];
  const metronome = await startMetronome();
  try {
    const bare = await bareTarget(modelFile);
    targets.push(bare);
    const own = await agentTarget(model);
    targets.push(own);
    const run = (target: Target, load: Load): Promise<WrkReport> =>
      metronome.steady(() => ask(directory, target, load));
    const one = (connections: number, seconds = SECONDS): Load => ({
      path: '/predict',
      body: json(1),
      connections,
      seconds,
    });
    const many: Load = { ...one(BATCHES_AT_ONCE, ROWS_SECONDS), body: json(ROWS) };
    const binary = binaryLoad();
    const cores = availableParallelism();
    const batch = Float32Array.from(trafficRows(99, ROWS).flat());
    const alone = await Promise.all([1, cores].map((threads) => rawRuns(model, batch, ROWS, threads)));

    const peer = await namedPeer(directory, say, one(PEER_CROWD), many);
    const theirModel = peer ? peerModel(process.env) : null;
    if (peer && !theirModel)
      say('its model was not named: --peer-model FILE; ours is a forest of the same size');
    const besideThem = theirModel ? await agentTarget(theirModel) : own;
    if (theirModel) targets.push(besideThem);
    const aloneBesideThem = theirModel
      ? await Promise.all([1, cores].map((threads) => rawRuns(theirModel, batch, ROWS, threads)))
      : alone;
    say('warming up');
    for (const target of [bare, own]) await ask(directory, target, one(CROWD, 3));
    if (theirModel) await ask(directory, besideThem, one(CROWD, 3));
    for (const target of new Set([own, besideThem]))
      for (const load of [many, binary]) await ask(directory, target, load);

    const seen = {
      own: { crowd: [] as number[], few: [] as number[], json: [] as number[], binary: [] as number[] },
      bare: { crowd: [] as number[], few: [] as number[] },
      // The runtime alone on one thread, and on all cores.
      raw: [[], []] as [number[], number[]],
    };
    const plain = {
      one: [] as number[],
      binary: [] as number[],
      json: [] as number[],
      raw: [[], []] as [number[], number[]],
    };
    for (let turn = 0; turn < RUNS; turn++) {
      say(`in turn, ${turn + 1} of ${RUNS}`);
      for (const [target, into] of [
        [own, seen.own],
        [bare, seen.bare],
      ] as const) {
        into.crowd.push((await run(target, one(CROWD))).requestsPerSecond);
        into.few.push((await run(target, one(FEW))).requestsPerSecond);
      }
      for (const [place, runs] of alone.entries())
        seen.raw[place]?.push(await metronome.steady(() => runs.rowsPerSecond(RAW_MS)));
      seen.own.binary.push((await run(own, binary)).requestsPerSecond * ROWS);
      seen.own.json.push((await run(own, many)).requestsPerSecond * ROWS);
      if (peer && turn < PEER_RUNS) {
        // Steady or not, as the peer is measured.
        const plainly = (load: Load): Promise<WrkReport> =>
          ask(directory, besideThem, { ...load, seconds: PLAIN_SECONDS });
        plain.one.push((await plainly(one(CROWD))).requestsPerSecond);
        plain.binary.push((await plainly(binary)).requestsPerSecond * ROWS);
        plain.json.push((await plainly(many)).requestsPerSecond * ROWS);
        for (const [place, runs] of aloneBesideThem.entries())
          plain.raw[place]?.push(await runs.rowsPerSecond(PLAIN_SECONDS * 1000));
        await peer.measure();
      }
    }

    say('at half load');
    const calm: WrkReport[] = [];
    const calmBare: WrkReport[] = [];
    for (let turn = 0; turn < CALM_RUNS; turn++) {
      for (const [target, into] of [
        [own, calm],
        [bare, calmBare],
      ] as const) {
        // The machine's speed changes from second to second, and with it what half of the load is.
        const full = async (): Promise<number> =>
          (await ask(directory, target, one(CROWD))).requestsPerSecond;
        let rate = await full();
        // Each connection waits so long between two calls that all of them together ask half of it.
        const half = (): Promise<WrkReport> =>
          ask(directory, target, { ...one(CROWD), pauseMs: (CROWD / (rate / 2)) * 1000 });
        const change = async (): Promise<number> => {
          const before = rate;
          rate = await full();
          return Math.abs(Math.log(rate / before)) / Math.log(SAME_SPEED);
        };
        into.push(await metronome.steady(half, CALM_TRIES, change));
      }
    }
    const ratio = (reports: readonly WrkReport[]): number => median(reports.map(({ p50, p99 }) => p99 / p50));

    const bareName = 'node:http with the model inside';
    const best = Math.max(...seen.raw.map(median));
    const rawLimit = {
      what: 'the runtime alone, 1 thread or one per core, whichever is faster',
      value: best,
    };
    const rows: BenchRow[] = [
      row({
        name: `agent.requests (1 row, ${CROWD} at once)`,
        value: median(seen.own.crowd),
        unit: 'requests/s',
        limit: { what: bareName, value: median(seen.bare.crowd) },
        goal: { atLeast: 0.8, of: 'limit' },
      }),
      row({
        name: `agent.requests (1 row, ${FEW} at once)`,
        value: median(seen.own.few),
        unit: 'requests/s',
        limit: { what: bareName, value: median(seen.bare.few) },
      }),
      row({
        name: `agent.rows (${ROWS} a call, binary)`,
        value: median(seen.own.binary),
        unit: 'rows/s',
        limit: rawLimit,
        goal: { atLeast: 0.85, of: 'limit' },
      }),
      row({
        name: `agent.rows (${ROWS} a call, JSON)`,
        value: median(seen.own.json),
        unit: 'rows/s',
        limit: rawLimit,
        goal: { atLeast: 0.4, of: 'limit' },
      }),
      row({
        name: 'agent.p50-at-half-load',
        value: median(calm.map(({ p50 }) => p50)),
        unit: 'ms',
        limit: { what: bareName, value: median(calmBare.map(({ p50 }) => p50)) },
      }),
      row({
        name: 'agent.p99-by-p50-at-half-load',
        value: ratio(calm),
        unit: 'times',
        limit: { what: bareName, value: ratio(calmBare) },
        goal: { atMost: 3, of: 'value' },
      }),
    ];
    const { rounds, unsteady, kept } = metronome;
    say(`the machine did not keep its pace in ${unsteady} of ${rounds} rounds, of which ${kept} were kept`);
    if (!peer) return rows;
    const besidePeer = (
      name: string,
      value: number,
      unit: string,
      other: number,
      atLeast?: number,
    ): BenchRow =>
      row({
        name: `${name} beside the peer`,
        value,
        unit,
        peer: { what: `${peer.servers} servers named by --peer`, value: other },
        ...(atLeast === undefined ? {} : { goal: { atLeast, of: 'peer' } }),
      });
    const theirs = { requests: median(peer.requests), rows: median(peer.rows) };
    return [
      ...rows,
      besidePeer('agent.requests (1 row)', median(plain.one), 'requests/s', theirs.requests, 100),
      besidePeer(`agent.rows (${ROWS}, binary)`, median(plain.binary), 'rows/s', theirs.rows, 12),
      besidePeer(`agent.rows (${ROWS}, JSON)`, median(plain.json), 'rows/s', theirs.rows, 5),
      // What no server around this runtime can pass.
      besidePeer('agent.runtime-alone', Math.max(...plain.raw.map(median)), 'rows/s', theirs.rows),
    ];
  } finally {
    metronome.stop();
    await Promise.all(targets.map((target) => target.stop()));
  }
};
