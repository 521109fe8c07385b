/**
 * `validate`: rows per second of the validation engine, with its real worker process, beside ONNX Runtime alone: a
 * forest of 100 trees over 30 features, run at its best batch size with the threads the engine chose, on rows in memory,
 * in the same run, before and after each of the engine's. The engine reads the rows from a file, computes every figure of
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
  const rates = { parquet: [] as number[], csv: [] as number[], raw: [] as number[] };
  const [first] = await evaluate([model], files.parquet);
  const { threads } = first.execution;
  const raw = await rawRuntime(model, threads);
  const batch = await raw.bestBatch();
  for (let round = 0; round < ROUNDS; round++) {
    rates.raw.push(await raw.rate(batch));
    const [parquet, peak] = await evaluate([model], files.parquet);
    memory.large = Math.max(memory.large, peak);
    rates.raw.push(await raw.rate(batch));
    const [csv] = await evaluate([model], files.csv);
    if (parquet.dataset.rows !== ROWS || csv.dataset.rows !== ROWS) throw new Error('Rows are missing.');
    rates.parquet.push(parquet.rowsPerSecond);
    rates.csv.push(csv.rowsPerSecond);
    rates.raw.push(await raw.rate(batch));
  }
  say(`two models over ${PAIR_ROWS.toLocaleString('en')} rows`);
  const pairRaw = [await raw.rate(batch)];
  const pairSeconds: number[] = [];
  const wholeSeconds: number[] = [];
  for (let round = 0; round < PAIR_ROUNDS; round++) {
    const started = performance.now();
    const [pair] = await evaluate([model, other], files.pair);
    wholeSeconds.push((performance.now() - started) / 1000);
    pairSeconds.push(PAIR_ROWS / pair.rowsPerSecond);
    pairRaw.push(await raw.rate(batch));
  }
  await raw.release();
  const every = await rawRuntime(model, availableParallelism());
  const everyRate = await every.rate(await every.bestBatch());
  await every.release();

  const rawRate = median(rates.raw);
  const what = `ONNX Runtime alone, ${threads} thread${threads === 1 ? '' : 's'}, ${batch} rows a batch`;
  const limit = { what, value: rawRate };
  const pairLimit = { what: 'one model in ONNX Runtime alone', value: PAIR_ROWS / median(pairRaw) };
  return [
    row({
      name: 'validate.parquet',
      value: median(rates.parquet),
      unit: 'rows/s',
      limit,
      goal: { atLeast: 0.85, of: 'limit' },
    }),
    row({
      name: 'validate.csv',
      value: median(rates.csv),
      unit: 'rows/s',
      limit,
      goal: { atLeast: 0.5, of: 'limit' },
    }),
    row({
      name: 'validate.compare-million',
      value: median(pairSeconds),
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
