/**
 * `validate`: rows per second of the validation engine, with its real worker process, on a large labelled CSV with the
 * sample's tree model. The limits, each alone and on one core as in the engine: DuckDB streaming the same columns of
 * the same file, and ONNX Runtime over the same rows in the same batches. The engine overlaps the two, so the slower
 * one is what it is held to.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { csvTable, openCsvDatabase } from '../electron/adapters/datasets/csv-database.ts';
import { readCsvHeader } from '../electron/adapters/datasets/csv-header.ts';
import { createInferenceEngine } from '../electron/adapters/inference/engine.ts';
import { writeLargeCsv } from '../resources/samples/generator/generate.ts';
import { featureNames, inputWidth } from '../shared/domain/model/feature-columns.ts';
import { requireMapping } from '../shared/domain/model/guess-mapping.ts';
import { readOnnx } from '../shared/domain/onnx/reader.ts';
import { eventLoopDelay, median, timed, watchPeakRss } from './support/measure.ts';
import { builtWorkers, ROOT } from './support/program.ts';
import { type Bench, row } from './support/row.ts';

const ROWS = 500_000;
const RUNS = 3;
/** DuckDB's chunk: the batch the engine runs the model with. */
const BATCH = 2048;
const MIB = 1024 * 1024;

/** Reads the feature columns to the end and touches every chunk, nothing else. */
async function scanOnly(path: string, features: number): Promise<void> {
  const head = readFileSync(path).subarray(0, 65_536);
  const header = readCsvHeader(head, false);
  const columns = Array.from({ length: features }, (_, index) => index);
  const database = await openCsvDatabase(path, 1);
  try {
    const names = [...columns.map((column) => `c${column}`), `c${header.columns.length - 1}`];
    const query = `SELECT ${names.join(', ')} FROM ${csvTable(path, header, new Set(columns))}`;
    const result = await database.connection.stream(query);
    let rows = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      for (const column of columns) chunk.getColumnVector(column);
      rows += chunk.rowCount;
    }
    if (rows !== ROWS) throw new Error(`DuckDB read ${rows} rows.`);
  } finally {
    database.close();
  }
}

/** Runs the model over as many rows as the file has, in the engine's batches, from memory. */
async function runOnly(session: ort.InferenceSession, features: number): Promise<void> {
  const name = session.inputNames[0] ?? '';
  const data = new Float32Array(BATCH * features);
  for (let index = 0; index < data.length; index++) data[index] = (index * 7919) % 97;
  for (let done = 0; done < ROWS; done += BATCH) {
    const count = Math.min(BATCH, ROWS - done);
    await session.run({
      [name]: new ort.Tensor('float32', data.subarray(0, count * features), [count, features]),
    });
  }
}

export const validate: Bench = async ({ directory, say }) => {
  say(`${ROWS.toLocaleString('en')} rows`);
  const path = writeLargeCsv(directory, ROWS);
  const bytes = readFileSync(join(ROOT, 'resources/samples/data/phish-url-1.1.0.onnx'));
  const { summary } = readOnnx({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
  const mapping = requireMapping(summary);
  const features = inputWidth(summary, mapping.input) ?? 0;
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: Math.min(4, availableParallelism()),
    interOpNumThreads: 1,
  });

  const worker = watchPeakRss();
  const engine = createInferenceEngine({ forkWorker: builtWorkers((pid) => worker.follow(pid)) });
  const model = {
    bytes,
    digest: createHash('sha256').update(bytes).digest('hex'),
    mapping,
    featureNames: featureNames(summary),
    featureCount: features,
  };
  const evaluate = () =>
    engine.evaluate(
      model,
      { path, labelColumn: null },
      { signal: new AbortController().signal, progress: () => {} },
    );

  say('scan, model and engine, side by side');
  const scan: number[] = [];
  const run: number[] = [];
  const whole: number[] = [];
  const inner: number[] = [];
  const delays: number[] = [];
  for (let time = 0; time < RUNS; time++) {
    scan.push((await timed(() => scanOnly(path, features))).ms);
    run.push((await timed(() => runOnly(session, features))).ms);
    const { ms, result } = await timed(() => eventLoopDelay(evaluate));
    whole.push(ms);
    inner.push(result.result.rowsPerSecond);
    delays.push(result.p99);
    if (result.result.dataset.rows !== ROWS) throw new Error('The engine did not read every row.');
  }
  await engine.close();
  const peak = worker.stop();
  const rate = (times: readonly number[]): number => ROWS / (median(times) / 1000);
  const [scanRate, runRate] = [rate(scan), rate(run)];
  const slower =
    scanRate < runRate
      ? { what: 'DuckDB scan alone', value: scanRate }
      : { what: 'ONNX Runtime alone', value: runRate };
  return [
    row({
      name: 'validate.rows',
      value: median(inner),
      unit: 'rows/s',
      limit: slower,
      goal: { atLeast: 0.5, of: 'limit' },
    }),
    row({ name: 'validate.scan-alone', value: scanRate, unit: 'rows/s' }),
    row({ name: 'validate.model-alone', value: runRate, unit: 'rows/s' }),
    row({
      name: 'validate.whole-run',
      value: median(whole) / 1000,
      unit: 's',
      limit: {
        what: `slower of the two alone, ${(statSync(path).size / MIB).toFixed(0)} MiB`,
        value: ROWS / slower.value,
      },
    }),
    row({
      name: 'validate.event-loop-p99',
      value: median(delays),
      unit: 'ms',
      goal: { atMost: 50, of: 'value' },
    }),
    ...(peak === null
      ? []
      : [
          row({
            name: 'validate.worker-memory',
            value: peak / MIB,
            unit: 'MiB',
            goal: { atMost: 1024, of: 'value' },
          }),
        ]),
  ];
};
