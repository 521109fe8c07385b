import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type BinaryAccumulator,
  createBinaryAccumulator,
} from '../../../shared/domain/metrics/classification.ts';
import type { BinaryEvaluation } from '../../../shared/domain/metrics/evaluation.ts';
import { latencyOf } from '../../../shared/domain/metrics/latency.ts';
import { type DisagreementRow, PLAIN_DATASET } from '../../../shared/domain/metrics/report.ts';
import { featureColumns } from '../../../shared/domain/model/feature-columns.ts';
import type { LoadedModel } from '../../../shared/node/onnx/session.ts';
import type { TaskContext } from '../../../shared/node/onnx/worker-server.ts';
import { readCsvHeader } from '../datasets/csv-header.ts';
import { type LabelledChunk, readLabelledCsv } from '../datasets/csv-reader.ts';
import { assertUnchanged, fingerprintFile } from '../datasets/fingerprint.ts';
import type { EvaluateNote, EvaluateResult, EvaluateTask, TaskModel } from './evaluate-task.ts';

/** Rows whose single-row latency is measured. */
const LATENCY_ROWS = 1000;
/** Calls before the first measured one: the runtime's first calls allocate. */
const WARM_UP_CALLS = 20;
/** Disagreeing rows kept with their values; all are counted. */
const KEPT_DISAGREEMENTS = 1000;
/** Milliseconds between two progress notes. */
const NOTE_MS = 100;

/** A model on its way through the data. */
interface Runner {
  readonly model: TaskModel;
  readonly loaded: LoadedModel;
  /** For each feature of the model, its place in the chunk's features. */
  readonly places: readonly number[];
  readonly accumulator: BinaryAccumulator;
  /** The first rows, kept for the latency measurement. */
  readonly sample: Float32Array;
  sampled: number;
}

/** Reads the data once and runs every model of the task over each chunk. Runs in the worker process. */
export async function evaluate(task: EvaluateTask, context: TaskContext): Promise<EvaluateResult> {
  const note = (value: EvaluateNote): void => context.progress(value);
  const file = fingerprintFile(task.path, (done, total) =>
    note({ kind: 'progress', phase: 'hashing', done, total }),
  );
  const header = readCsvHeader(file.head, file.head.length === file.sizeBytes);
  const chosen = task.models.map((model) =>
    chooseColumns(model, context.model(model.key), header.columns, task.labelColumn),
  );
  const labelColumn = chosen[0]?.labelColumn ?? '';
  const union = [...new Set(chosen.flatMap(({ columns }) => columns))];
  const ignored = header.columns.filter((column) => column !== labelColumn && !union.includes(column));
  const indexOf = new Map(header.columns.map((column, index) => [column, index]));
  const indices = (names: readonly string[]): number[] => names.map((name) => indexOf.get(name) ?? 0);

  const runners = task.models.map((model, index): Runner => {
    const columns = chosen[index]?.columns ?? [];
    return {
      model,
      loaded: context.model(model.key),
      places: columns.map((column) => union.indexOf(column)),
      accumulator: createBinaryAccumulator({ lowerIsPositive: model.mapping.lowerIsPositive }),
      sample: new Float32Array(LATENCY_ROWS * columns.length),
      sampled: 0,
    };
  });
  const [first, second] = runners;
  const disagreements = second ? createDisagreements() : null;

  // One line is the header; quoted line ends only make the estimate too high.
  const expectedRows = Math.max(1, file.lines - 1);
  const started = performance.now();
  let notedAt = started;
  let rows = 0;
  const source = {
    path: file.path,
    header,
    selection: { features: indices(union), label: indexOf.get(labelColumn) ?? 0 },
    context: second ? indices(ignored) : [],
  };
  for await (const chunk of readLabelledCsv(source)) {
    const answers: Answer[] = [];
    for (const [index, runner] of runners.entries()) {
      note({ kind: 'running', model: index });
      answers.push(await runChunk(runner, chunk));
    }
    note({ kind: 'running', model: null });
    disagreements?.add(chunk, answers);
    rows += chunk.rows;
    const now = performance.now();
    if (now - notedAt >= NOTE_MS) {
      notedAt = now;
      note({ kind: 'progress', phase: 'evaluating', done: rows, total: Math.max(expectedRows, rows) });
    }
  }
  const seconds = (performance.now() - started) / 1000;
  assertUnchanged(file);
  if (rows === 0 || !first)
    throw new SallyportError('dataset.invalid', 'The file has column names and no data rows.');

  const evaluations: BinaryEvaluation[] = [];
  for (const [index, runner] of runners.entries()) {
    note({ kind: 'progress', phase: 'measuring latency', done: index, total: runners.length });
    note({ kind: 'running', model: index });
    const latency = latencyOf(await measureLatency(runner));
    note({ kind: 'running', model: null });
    const { metrics, roc, precisionRecall, histogram } = runner.accumulator.finish();
    evaluations.push({ metrics, latency, roc, precisionRecall, scoreHistogram: histogram });
  }
  return {
    dataset: {
      fileName: file.fileName,
      digest: file.digest,
      sizeBytes: file.sizeBytes,
      rows,
      labelColumn,
      featureColumns: union.length,
      ignoredColumns: ignored,
      ...PLAIN_DATASET,
    },
    evaluations,
    rowsPerSecond: rows / Math.max(seconds, 1e-9),
    disagreements: disagreements?.finish() ?? null,
  };
}

function chooseColumns(
  model: TaskModel,
  loaded: LoadedModel,
  header: readonly string[],
  labelColumn: string | null,
): { columns: readonly string[]; labelColumn: string } {
  const width = loaded.info.featureCount ?? model.featureCount;
  const shape = {
    name: model.mapping.input,
    kind: 'tensor' as const,
    elementType: 'float',
    shape: [null, width],
  };
  const metadata: Record<string, string> =
    model.featureNames === null ? {} : { features: JSON.stringify(model.featureNames) };
  return featureColumns({ inputs: [shape], metadata }, header, labelColumn, model.mapping.input);
}

interface Answer {
  readonly predicted: Uint8Array;
  readonly scores: Float32Array | null;
}

/** Lays the columns side by side into rows, runs the model, and counts. */
async function runChunk(runner: Runner, chunk: LabelledChunk): Promise<Answer> {
  const { places, loaded, model, sample } = runner;
  const width = places.length;
  const rows = new Float32Array(chunk.rows * width);
  for (let place = 0; place < width; place++) {
    const column = chunk.features[places[place] as number] as Float32Array;
    for (let row = 0, at = place; row < chunk.rows; row++, at += width) rows[at] = column[row] as number;
  }
  if (runner.sampled < LATENCY_ROWS) {
    const take = Math.min(LATENCY_ROWS - runner.sampled, chunk.rows);
    sample.set(rows.subarray(0, take * width), runner.sampled * width);
    runner.sampled += take;
  }
  const { labels, scores } = await loaded.run(rows, chunk.rows);
  const predicted = new Uint8Array(chunk.rows);
  for (let row = 0; row < chunk.rows; row++)
    predicted[row] = labels[row] === model.mapping.positiveLabel ? 1 : 0;
  runner.accumulator.add(chunk.labels, predicted, scores);
  return { predicted, scores };
}

/** Milliseconds of each single-row call, one after the other, as a client with one event at a time would see it. */
async function measureLatency({ loaded, sample, sampled, places }: Runner): Promise<Float64Array> {
  const width = places.length;
  const row = (index: number): Float32Array => sample.slice(index * width, (index + 1) * width);
  for (let call = 0; call < WARM_UP_CALLS; call++) await loaded.run(row(call % sampled), 1);
  const samples = new Float64Array(sampled);
  for (let index = 0; index < sampled; index++) {
    const input = row(index);
    const before = performance.now();
    await loaded.run(input, 1);
    samples[index] = performance.now() - before;
  }
  return samples;
}

function createDisagreements() {
  let count = 0;
  let fixes = 0;
  const rows: DisagreementRow[] = [];
  return {
    add(chunk: LabelledChunk, answers: readonly Answer[]): void {
      const [champion, challenger] = answers;
      if (!champion || !challenger) return;
      for (let row = 0; row < chunk.rows; row++) {
        const before = champion.predicted[row] as number;
        const after = challenger.predicted[row] as number;
        if (before === after) continue;
        const label = chunk.labels[row] as number;
        count++;
        if (after === label) fixes++;
        if (rows.length >= KEPT_DISAGREEMENTS) continue;
        rows.push({
          row: chunk.firstRow + row,
          label,
          championLabel: before,
          challengerLabel: after,
          championScore: champion.scores?.[row] ?? null,
          challengerScore: challenger.scores?.[row] ?? null,
          context: chunk.context(row),
        });
      }
    },
    // Two classes: where the models differ, exactly one of them is right.
    finish: () => ({ count, fixes, breaks: count - fixes, rows }),
  };
}
