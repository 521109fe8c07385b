/**
 * `soak`: memory of the agent's and of its inference processes' own (anonymous pages) under a steady load, 10 minutes
 * unless `--minutes` says otherwise; its metrics are scraped every second all the while. Before it, for half a minute, as
 * many requests as the agent takes, from more clients: so that what is compiled and reserved under load is there, in the
 * inference process as well that the steady load seldom needs. The first tenth of the steady load is not looked at.
 * Limit: the median of the first quarter of the rest, so that 1 means flat.
 */
import { readFileSync } from 'node:fs';
import { featureNames } from '../shared/domain/model/feature-columns.ts';
import { requireMapping } from '../shared/domain/model/guess-mapping.ts';
import { readOnnx } from '../shared/domain/onnx/reader.ts';
import { load } from './support/load.ts';
import { anonymousRss, median, percentile } from './support/measure.ts';
import { type Bench, type BenchRow, row } from './support/row.ts';
import { sampleModel, sampleRows } from './support/sample-rows.ts';
import { servedAgent } from './support/served-agent.ts';

const MODEL = 'phish';
const RATE = 300;
const WARM_MS = 30_000;
const WARM_CONNECTIONS = 64;
const CONNECTIONS = 8;
const SAMPLE_MS = 1000;
const MIB = 1024 * 1024;

interface Reading {
  /** Minutes since the load began. */
  readonly at: number;
  /** Bytes. */
  readonly agent: number;
  /** All of its inference processes together. */
  readonly inference: number;
  /** Of the agent's heap, without its young generation. */
  readonly heap: number;
  readonly files: number;
  readonly scrapeMs: number;
}

/** Least squares through the readings, per minute. */
function slopeOf(points: readonly (readonly [at: number, value: number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const atMean = mean(points.map(([at]) => at));
  const valueMean = mean(points.map(([, value]) => value));
  let across = 0;
  let along = 0;
  for (const [at, value] of points) {
    across += (at - atMean) * (value - valueMean);
    along += (at - atMean) ** 2;
  }
  return across / along;
}

function memoryRows(
  name: string,
  readings: readonly Reading[],
  of: (reading: Reading) => number,
): BenchRow[] {
  const quarter = Math.max(1, Math.floor(readings.length / 4));
  const first = median(readings.slice(0, quarter).map(of)) / MIB;
  const last = median(readings.slice(-quarter).map(of)) / MIB;
  const slope = slopeOf(readings.map((reading) => [reading.at, of(reading) / MIB] as const));
  return [
    row({
      name: `soak.${name}`,
      value: last,
      unit: 'MiB',
      limit: { what: 'first quarter', value: first },
      goal: { atMost: 1.05, of: 'limit' },
    }),
    row({ name: `soak.${name}-slope`, value: slope, unit: 'MiB/min' }),
  ];
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
}

/** Bytes in use. The young generation is left out: it goes from empty to full and back every few seconds. */
function oldHeapOf(metrics: string): number {
  const spaces = [...metrics.matchAll(/^nodejs_heap_space_size_used_bytes\{space="(?!new)\w+"\} (\S+)$/gm)];
  return spaces.length === 0 ? Number.NaN : spaces.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

export const soak: Bench = async ({ say, minutes }) => {
  const { bytes } = sampleModel('1.1.0');
  const { summary } = readOnnx({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
  const bodies = sampleRows(featureNames(summary) ?? [], 500).map((features) =>
    JSON.stringify({ model_name: MODEL, features }),
  );
  const agent = await servedAgent({ name: MODEL, model: bytes, mapping: requireMapping(summary) });
  try {
    const headers = { authorization: `Bearer ${agent.token}` };
    const bytesOf = (pid: number): number => anonymousRss(pid) ?? Number.NaN;
    const durationMs = minutes * 60_000;
    const steady = {
      url: `${agent.predictUrl}/predict`,
      headers,
      bodies,
      connections: CONNECTIONS,
      versionField: null,
    };
    say('as many requests as it takes');
    await load({ ...steady, connections: WARM_CONNECTIONS, ratePerSecond: 0, durationMs: WARM_MS }).report;
    // The second of them is started while the first answers already.
    const inference = childrenOf(agent.pid);
    if (inference.length === 0) throw new Error('The agent has no inference process.');
    const { report, started } = load({ ...steady, ratePerSecond: RATE, durationMs });
    await started;
    say(`${RATE} requests a second for ${minutes} minutes`);
    const begun = performance.now();
    const readings: Reading[] = [];
    const look = async (): Promise<void> => {
      const asked = performance.now();
      const text = await (await fetch(`${agent.predictUrl}/metrics`, { headers })).text();
      const value = (metric: string): number =>
        Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
      readings.push({
        at: (asked - begun) / 60_000,
        agent: bytesOf(agent.pid),
        inference: inference.reduce((sum, pid) => sum + bytesOf(pid), 0),
        heap: oldHeapOf(text),
        files: value('process_open_fds'),
        scrapeMs: performance.now() - asked,
      });
    };
    const timer = setInterval(() => void look().catch((error) => say(String(error))), SAMPLE_MS);
    const result = await report.finally(() => clearInterval(timer));
    // The same processes all the time: one that was started again would hide what it leaked.
    if (childrenOf(agent.pid).join() !== inference.join())
      throw new Error('The inference processes were others in the end.');
    const warm = readings.filter(({ at }) => at >= minutes / 10);
    const filesGrown = (warm.at(-1)?.files ?? Number.NaN) - (warm[0]?.files ?? Number.NaN);
    return [
      row({ name: 'soak.requests', value: result.sent, unit: 'requests' }),
      row({ name: 'soak.failed', value: result.failed, unit: 'requests', goal: { atMost: 0, of: 'value' } }),
      ...memoryRows('agent-memory', warm, (reading) => reading.agent),
      ...memoryRows('inference-memory', warm, (reading) => reading.inference),
      ...memoryRows('agent-old-heap', warm, (reading) => reading.heap),
      row({
        name: 'soak.open-files-grown',
        value: filesGrown,
        unit: 'files',
        goal: { atMost: 2, of: 'value' },
      }),
      row({ name: `soak.p99-at-${RATE}/s`, value: percentile(result.latencies, 99), unit: 'ms' }),
      row({
        name: 'soak.scrape-p99',
        value: percentile(
          warm.map(({ scrapeMs }) => scrapeMs),
          99,
        ),
        unit: 'ms',
      }),
    ];
  } finally {
    await agent.remove();
  }
};
