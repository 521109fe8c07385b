/**
 * `validate`: rows per second of the validation engine, with its real worker process, beside ONNX Runtime alone: a
 * forest of 100 trees over 30 features, run at its best batch size with the threads the engine chose, on rows in memory,
 * in the same run, before and after each of the engine's: each round is held against the mean of the two beside it, so
 * that a machine that becomes slower or faster meanwhile does not count, and the round of the median ratio is told. The
 * engine reads the rows from a file, computes every figure of
 * a report, and is to be nearly as fast. `-whole` is from the call to the report: with the worker's start, loading,
 * calibration, single-row latencies and the profile, which take as long for few rows as for many.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import * as ort from 'onnxruntime-node';
import { createInferenceEngine } from '../electron/adapters/inference/engine.ts';
import type { EngineModel, Evaluation } from '../electron/ports/engine.ts';
import { requireMapping } from '../shared/domain/model/guess-mapping.ts';
import { readOnnx } from '../shared/domain/onnx/reader.ts';
import '../shared/node/onnx/no-telemetry.ts';
import { createRandom } from '../shared/domain/statistics/index.ts';
import { FOREST_FEATURES, forest, forestColumns } from './support/forest.ts';
import { eventLoopDelay, median, watchPeakRss } from './support/measure.ts';
import { builtWorkers } from './support/program.ts';
import { type Bench, row } from './support/row.ts';

const ROWS = 400_000;
const PAIR_ROWS = 1_000_000;
const SMALL_ROWS = 2000;
const ROUNDS = 3;
const PAIR_ROUNDS = 3;
const BATCHES = [512, 1024, 2048, 4096, 8192, 16_384] as const;
/** To find the best batch size, and to measure. */
const TRIAL_ROWS = 65_536;
const RAW_ROWS = 262_144;
const MIB = 1024 * 1024;
/** What a run may take beside the model, and a row of exact ranking metrics. */
const MEMORY_MIB = 128;
const ROW_BYTES = 16;

interface Files {
  readonly parquet: string;
  readonly csv: string;
  readonly pair: string;
  readonly small: string;
}

async function writeFiles(directory: string): Promise<Files> {
  const files = {
    parquet: join(directory, 'rows.parquet'),
    csv: join(directory, 'rows.csv'),
    pair: join(directory, 'pair.parquet'),
    small: join(directory, 'small.parquet'),
  };
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const values = forestColumns().map((name) => `random()::FLOAT AS ${name}`);
  const rows = (count: number): string =>
    `(SELECT *, (f0 + f1 > 1)::TINYINT AS label FROM (SELECT ${values.join(', ')} FROM range(${count})))`;
  await connection.run('SELECT setseed(0.5)');
  await connection.run(`COPY ${rows(ROWS)} TO '${files.parquet}' (FORMAT parquet)`);
  await connection.run(`COPY (FROM '${files.parquet}') TO '${files.csv}' (FORMAT csv, HEADER)`);
  await connection.run(`COPY ${rows(PAIR_ROWS)} TO '${files.pair}' (FORMAT parquet)`);
  await connection.run(`COPY ${rows(SMALL_ROWS)} TO '${files.small}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  return files;
}

function modelOf(seed: number): EngineModel {
  const bytes = forest(seed);
  const { summary } = readOnnx({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
  return {
    bytes,
    digest: createHash('sha256').update(bytes).digest('hex'),
    mapping: requireMapping(summary),
    featureNames: forestColumns(),
    featureCount: FOREST_FEATURES,
  };
}

/** ONNX Runtime alone, on rows in memory. */
async function rawRuntime({ bytes }: EngineModel, threads: number) {
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const random = createRandom(1);
  const most = BATCHES[BATCHES.length - 1] as number;
  const data = Float32Array.from({ length: most * FOREST_FEATURES }, () => random.uniform());
  /** Rows per second. */
  const rate = async (batch: number, rows = RAW_ROWS): Promise<number> => {
    const input = data.subarray(0, batch * FOREST_FEATURES);
    const started = performance.now();
    for (let done = 0; done < rows; done += batch)
      await session.run({ features: new ort.Tensor('float32', input, [batch, FOREST_FEATURES]) });
    return rows / ((performance.now() - started) / 1000);
  };
  return {
    rate,
    /** The batch size that was fastest, tried in turn twice. */
    async bestBatch(): Promise<number> {
      const rates = new Map<number, number>();
      for (let round = 0; round < 2; round++)
        for (const batch of BATCHES)
          rates.set(batch, Math.max(rates.get(batch) ?? 0, await rate(batch, TRIAL_ROWS)));
      return [...rates].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
    },
    release: () => session.release(),
  };
}

/** One measurement of the engine, and the runtime's beside it. */
interface Round {
  readonly value: number;
  readonly raw: number;
}

/** The round whose ratio to the runtime is the median one; there are three. */
function medianRound(rounds: readonly Round[]): Round {
  const rising = [...rounds].sort((a, b) => a.value / a.raw - b.value / b.raw);
  const middle = rising[rising.length >> 1];
  if (middle === undefined) throw new Error('Nothing was measured.');
  return middle;
}

export const validate: Bench = async ({ directory, say }) => {
  say(`${ROWS.toLocaleString('en')} rows of ${FOREST_FEATURES} features as Parquet and CSV`);
  const files = await writeFiles(directory);
  const [model, other] = [modelOf(1), modelOf(2)];
  const memory = { tiny: 0, large: 0 };
  const delays: number[] = [];
  const evaluate = async (models: readonly EngineModel[], path: string): Promise<[Evaluation, number]> => {
    const watch = watchPeakRss();
    const engine = createInferenceEngine({ forkWorker: builtWorkers((pid) => watch.follow(pid)) });
    const data = {
      ...{ path, format: null, labelled: true, labelColumn: 'label', positiveValue: null },
      ...{ filter: null, columns: null, sliceColumns: null, timeColumn: null },
    };
    const settings = { seed: 1, reference: null, robustness: false, deadlineMs: null, resume: null };
    const job = { signal: new AbortController().signal, progress: () => {} };
    const { p99, result } = await eventLoopDelay(() => engine.evaluate(models, data, settings, job));
    delays.push(p99);
    await engine.close();
    return [result, watch.stop() ?? 0];
  };

  const [, tinyPeak] = await evaluate([model], files.small);
  memory.tiny = tinyPeak;
  say('engine and runtime, side by side');
  const rounds = { parquet: [] as Round[], csv: [] as Round[], pair: [] as Round[] };
  const [first] = await evaluate([model], files.parquet);
  const { threads } = first.execution;
  const raw = await rawRuntime(model, threads);
  const batch = await raw.bestBatch();
  let before = await raw.rate(batch);
  /** What `work` answers, beside the runtime's rows per second before and after it. */
  const beside = async (work: () => Promise<number>): Promise<Round> => {
    const value = await work();
    const after = await raw.rate(batch);
    const round = { value, raw: (before + after) / 2 };
    before = after;
    return round;
  };
  const rowsPerSecond = (path: string) => async (): Promise<number> => {
    const [{ dataset, rowsPerSecond: rate }, peak] = await evaluate([model], path);
    if (dataset.rows !== ROWS) throw new Error('Rows are missing.');
    if (path === files.parquet) memory.large = Math.max(memory.large, peak);
    return rate;
  };
  for (let round = 0; round < ROUNDS; round++) {
    rounds.parquet.push(await beside(rowsPerSecond(files.parquet)));
    rounds.csv.push(await beside(rowsPerSecond(files.csv)));
  }
  say(`two models over ${PAIR_ROWS.toLocaleString('en')} rows`);
  const wholeSeconds: number[] = [];
  for (let round = 0; round < PAIR_ROUNDS; round++) {
    const { value, raw: rate } = await beside(async () => {
      const started = performance.now();
      const [pair] = await evaluate([model, other], files.pair);
      wholeSeconds.push((performance.now() - started) / 1000);
      return PAIR_ROWS / pair.rowsPerSecond;
    });
    rounds.pair.push({ value, raw: PAIR_ROWS / rate });
  }
  await raw.release();
  const every = await rawRuntime(model, availableParallelism());
  const everyRate = await every.rate(await every.bestBatch());
  await every.release();

  const parquet = medianRound(rounds.parquet);
  const csv = medianRound(rounds.csv);
  const pair = medianRound(rounds.pair);
  const told = (of: readonly Round[]): string =>
    of.map(({ value, raw: at }) => (value / at).toFixed(3)).join(' ');
  say(
    `of the runtime: Parquet ${told(rounds.parquet)}, CSV ${told(rounds.csv)}, two models ${told(rounds.pair)}`,
  );
  const what = `ONNX Runtime alone, ${threads} thread${threads === 1 ? '' : 's'}, ${batch} rows a batch`;
  const pairLimit = { what: 'one model in ONNX Runtime alone', value: pair.raw };
  return [
    row({
      name: 'validate.parquet',
      value: parquet.value,
      unit: 'rows/s',
      limit: { what, value: parquet.raw },
      goal: { atLeast: 0.85, of: 'limit' },
    }),
    row({
      name: 'validate.csv',
      value: csv.value,
      unit: 'rows/s',
      limit: { what, value: csv.raw },
      goal: { atLeast: 0.5, of: 'limit' },
    }),
    row({
      name: 'validate.compare-million',
      value: pair.value,
      unit: 's',
      limit: pairLimit,
      goal: { atMost: 2.2, of: 'limit' },
    }),
    row({
      name: 'validate.compare-million-whole',
      value: median(wholeSeconds),
      unit: 's',
      limit: pairLimit,
    }),
    row({ name: 'validate.runtime-all-cores', value: everyRate, unit: 'rows/s' }),
    row({
      name: 'validate.memory-above-model',
      value: (memory.large - memory.tiny) / MIB,
      unit: 'MiB',
      goal: { atMost: MEMORY_MIB + Math.round((ROWS * ROW_BYTES) / MIB), of: 'value' },
    }),
    row({
      name: 'validate.event-loop-p99',
      value: median(delays),
      unit: 'ms',
      goal: { atMost: 50, of: 'value' },
    }),
  ];
};
