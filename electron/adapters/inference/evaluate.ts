import { SallyportError } from '../../../shared/domain/errors.ts';
import { compareMetrics, latencyOf, type RankComparer } from '../../../shared/domain/metrics/index.ts';
import type { RunInput } from '../../../shared/node/onnx/feed.ts';
import type { TaskContext } from '../../../shared/node/onnx/worker-server.ts';
import type { ComparisonEvidence, ModelEvidence } from '../../ports/engine.ts';
import type { Dataset, DatasetBatch, Wanted } from '../datasets/dataset.ts';
import { openDataset } from '../datasets/open-dataset.ts';
import { applyThreads, calibrate, PLAIN_TUNING } from './calibrate.ts';
import { chooseColumns, type RunColumns, wantedOf } from './columns.ts';
import { driftOf, profileOf } from './drift.ts';
import type { EvaluateResult, EvaluateTask, Note, RunState, Tuning } from './evaluate-task.ts';
import { answeredByAll, createFigures, isRegression, type PairFigures } from './figures.ts';
import { latencyHistogram, runSingleRows } from './latency.ts';
import type { ModelAnswers } from './model-answers.ts';
import { batchFinding, OutputChecks } from './output-checks.ts';
import { createPairRows } from './pair-rows.ts';
import { measureRobustness } from './robustness.ts';
import { createRowSample, type RowSample } from './row-sample.ts';
import { answeredBefore, createAnswerLog, resumedFrom } from './run-answers.ts';
import { answerRows, batchInput, type RawAnswers, type Runner } from './runner.ts';
import { createSlicing } from './slicing.ts';
import { createTurns } from './turns.ts';

/** Milliseconds between two progress notes. */
const NOTE_MS = 100;
/** Batches read ahead while the models run. */
const READ_AHEAD = 4;
/** Batches the models have been given: while one is counted, the next is being answered, and no model waits for either. */
const IN_FLIGHT = 2;

/** A batch and what the models say of it; not new where that was known from before an interruption. */
type Answered =
  | { readonly batch: DatasetBatch; readonly answers: Promise<readonly RawAnswers[]>; readonly isNew: true }
  | { readonly batch: DatasetBatch; readonly answers: readonly ModelAnswers[]; readonly isNew: false };

/**
 * Reads the data once and runs every model of the task over each batch. Runs in the worker process; `compare` has the
 * thread that ran the models, idle at the end.
 */
export async function evaluate(
  task: EvaluateTask,
  context: TaskContext,
  compare: RankComparer,
): Promise<EvaluateResult> {
  const note: Note = (value) => context.progress(value);
  const dataset = await openDataset(task.data, {
    progress: (done, total) => note({ kind: 'progress', phase: 'hashing', done, total }),
  });
  try {
    return await run(task, context, dataset, note, compare);
  } finally {
    await dataset.close();
  }
}

async function run(
  task: EvaluateTask,
  context: TaskContext,
  dataset: Dataset,
  note: Note,
  compare: RankComparer,
): Promise<EvaluateResult> {
  const { seed } = task.options;
  const mappings = task.models.map(({ mapping }) => mapping);
  const numbers = mappings.filter(isRegression).length;
  if (numbers > 0 && numbers < mappings.length)
    throw new SallyportError(
      'input.invalid',
      'Models that answer a number and models that decide are not compared.',
      {
        hint: 'Nothing was stored. Choose models of one kind.',
      },
    );
  const loaded = task.models.map(({ key }) => context.model(key));
  const columns = chooseColumns(task.models, loaded, dataset, task.data);
  const wanted = wantedOf(columns, numbers > 0 ? 'regression' : 'binary');
  const runners = task.models.map(
    (model, index): Runner => ({
      model,
      loaded: context.model(model.key),
      places: columns.places[index] ?? [],
      names: columns.names[index] ?? [],
    }),
  );
  const resumed = resumedFrom(task, dataset.digest);
  const tuning = await tune(task, context, {
    runners,
    dataset,
    wanted,
    known: resumed?.state.tuning ?? null,
    note,
  });
  context.settle();

  const pass = createPass(task, columns, runners, resumed?.state.findings ?? [], compare);
  const state = (): RunState => ({
    version: 1,
    datasetDigest: dataset.digest,
    models: task.models.map(({ digest }) => digest),
    tuning,
    seed,
    findings: pass.checks.map((checks) => checks.state()),
  });
  const log = createAnswerLog(task, state, note);
  const hasScores = runners.map((runner) => runner.loaded.info.hasScores);
  const feed = createFeed(runners);
  const turns = createTurns(note);
  const running = runners.map(
    (runner, index): Runner => ({ ...runner, loaded: turns.follow(runner.loaded, index) }),
  );
  const started = performance.now();
  let notedAt = started;
  let read = 0;
  let rows = 0;
  const account = async (answered: Answered): Promise<void> => {
    const { batch } = answered;
    const expected = Math.max(dataset.expectedRows, rows + batch.rows);
    const answers = await answered.answers;
    if (answered.isNew)
      for (const [index, answer] of (await answered.answers).entries())
        pass.checks[index]?.add(answer, batch.rowNumbers);
    pass.add(batch, answers);
    rows += batch.rows;
    log.add(batch, answers, !answered.isNew, expected);
    const now = performance.now();
    if (now - notedAt < NOTE_MS) return;
    notedAt = now;
    note({ kind: 'progress', phase: 'evaluating', done: rows, total: expected });
  };
  // In the order of the rows. The arrays of the last batch asked for, and of the one before it, are there to be read.
  const inFlight: Answered[] = [];
  for await (const batch of dataset.batches(wanted, { batchRows: tuning.batchRows, readAhead: READ_AHEAD })) {
    const before = answeredBefore(resumed?.answers ?? null, batch, read, hasScores);
    inFlight.push(
      before === null
        ? { batch, answers: answerBatch(running, feed(batch)), isNew: true }
        : { batch, answers: before, isNew: false },
    );
    read += batch.rows;
    if (inFlight.length === IN_FLIGHT) await account(inFlight.shift() as Answered);
  }
  for (const answered of inFlight) await account(answered);
  log.finish();
  note({ kind: 'progress', phase: 'computing figures', done: 0, total: 0 });
  const figures = await pass.figures.finish();
  const seconds = (performance.now() - started) / 1000;

  const models: ModelEvidence[] = [];
  for (const [index, runner] of runners.entries()) {
    const own = figures.models[index];
    if (!own) throw new SallyportError('unexpected', 'A model has no figures.');
    note({ kind: 'progress', phase: 'measuring latency', done: index, total: runners.length });
    note({ kind: 'running', model: index });
    const single = await runSingleRows(runner, index, pass.sample);
    const robustness = task.options.robustness
      ? await measureRobustness(runner, index, pass.sample, seed, (done, total) =>
          note({ kind: 'progress', phase: 'damaging inputs', done, total }),
        )
      : [];
    note({ kind: 'running', model: null });
    models.push({
      ...own,
      digest: runner.model.digest,
      latency: latencyOf(single.samples),
      latencySamples: single.samples,
      slices: pass.slicing?.slices(index) ?? [],
      outputFindings: [
        ...(pass.checks[index]?.findings(pass.hasBothClasses()) ?? []),
        ...batchFinding(single.differing, single.samples.length),
      ],
      drift:
        index === 0 && task.options.reference !== null
          ? driftOf(runner, pass.sample, task.options.reference, seed)
          : null,
      robustness,
    });
  }
  const info = dataset.info(wanted);
  return {
    dataset: {
      ...info,
      featureColumns: columns.union.length + textFeatures(columns).length,
      ignoredColumns: info.ignoredColumns.filter((name) => !textFeatures(columns).includes(name)),
    },
    columns: dataset.columns.map(({ name, type }) => ({ name, type })),
    featureColumns: columns.mapping,
    models,
    pair: pairOf(models, figures.pairs[0] ?? null, pass),
    further: figures.pairs.slice(1).map((one, at) => ({
      ...one,
      sliceFlips: pass.slicing?.flips(at + 2) ?? [],
    })),
    profile: profileOf(runners[0] as Runner, pass.sample, figures.calibration),
    execution: { ...tuning, seed },
    rowsPerSecond: rows / Math.max(seconds, 1e-9),
  };
}

/** Texts that a model takes as features. */
function textFeatures({ places, texts }: RunColumns): string[] {
  const used = new Set(places.flatMap((own) => own.filter((place) => place < 0).map((place) => -1 - place)));
  return texts.filter((_, at) => used.has(at));
}

async function tune(
  task: EvaluateTask,
  context: TaskContext,
  parts: {
    readonly runners: readonly Runner[];
    readonly dataset: Dataset;
    readonly wanted: Wanted;
    readonly known: Tuning | null;
    readonly note: Note;
  },
): Promise<Tuning> {
  const { runners, dataset, wanted, note } = parts;
  const known = parts.known ?? task.tuning;
  if (known !== null) {
    await applyThreads(runners, context, known.threads, PLAIN_TUNING.threads, note);
    return known;
  }
  const found = await calibrate(runners, dataset, wanted, context, task.maxThreads, note);
  note({ kind: 'tuned', tuning: found.tuning });
  await applyThreads(runners, context, found.tuning.threads, found.loadedWith, note);
  return found.tuning;
}

/** What one pass over the rows collects. */
function createPass(
  task: EvaluateTask,
  columns: RunColumns,
  runners: readonly Runner[],
  findings: readonly unknown[],
  compare: RankComparer,
) {
  const { seed } = task.options;
  const mappings = task.models.map(({ mapping }) => mapping);
  const labelled = columns.label !== null;
  const decides = !mappings.some(isRegression);
  const figures = createFigures(mappings, labelled, seed, compare);
  const checks = mappings.map((mapping, index) => new OutputChecks(mapping, findings[index] ?? null));
  const textPlaces = textFeatures(columns).map((name) => columns.texts.indexOf(name));
  const sample = createRowSample(columns.union.length, textPlaces, runners.length, seed);
  const slicing =
    labelled && decides ? createSlicing(columns, task.data.sliceColumns, runners.length, sample) : null;
  const pairs = runners.length > 1 && decides ? createPairRows(columns.texts, seed) : null;
  const seen = [false, false];
  return {
    figures,
    checks,
    slicing,
    sample: sample as RowSample,
    pairs,
    add(batch: DatasetBatch, answers: readonly ModelAnswers[]): void {
      const { labels } = batch;
      const keep = decides ? answeredByAll(answers, batch.rows) : finiteOnly(answers, batch.rows);
      figures.add(batch, answers, keep);
      if (labels !== null) {
        slicing?.add(batch, labels, answers, keep);
        seen[0] ||= labels.includes(0);
        seen[1] ||= labels.includes(1);
      }
      pairs?.add(batch, answers, keep);
      sample.add(batch, answers);
    },
    /** Without truth nobody knows that they are not both there. */
    hasBothClasses: () => !labelled || (seen[0] === true && seen[1] === true),
  };
}

/** Rows with a number of every model, null where that is all of them. */
function finiteOnly(answers: readonly ModelAnswers[], rows: number): Uint32Array | null {
  const answered = (row: number): boolean =>
    answers.every(({ scores }) => scores === null || Number.isFinite(scores[row]));
  const keep: number[] = [];
  for (let row = 0; row < rows; row++) if (answered(row)) keep.push(row);
  return keep.length === rows ? null : Uint32Array.from(keep);
}

/**
 * Rows laid out for the models: once for those that take the same columns, in memory that is used again when those in
 * flight have been answered.
 */
function createFeed(runners: readonly Runner[]) {
  const keys = runners.map(({ places }) => places.join());
  const memory = Array.from({ length: IN_FLIGHT }, () => new Map<string, Float32Array>());
  let turn = 0;
  return (batch: DatasetBatch): readonly RunInput[] => {
    const reused = memory[turn++ % IN_FLIGHT] as Map<string, Float32Array>;
    const laid = new Map<string, RunInput>();
    return runners.map((runner, index) => {
      const key = keys[index] as string;
      const input = laid.get(key) ?? batchInput(runner, batch, batch.rows, reused.get(key) ?? null);
      laid.set(key, input);
      reused.set(key, input.rows);
      return input;
    });
  };
}

/** Runs every model over the batch: all are asked at once, and the one thread that runs them takes one after the other. */
function answerBatch(runners: readonly Runner[], inputs: readonly RunInput[]): Promise<RawAnswers[]> {
  const answering = Promise.all(
    runners.map((runner, index) => answerRows(runner, inputs[index] as RunInput)),
  );
  // Awaited when its turn comes: what goes wrong meanwhile must not count as unhandled.
  answering.catch(() => {});
  return answering;
}

function pairOf(
  models: readonly ModelEvidence[],
  figures: PairFigures | null,
  { pairs, slicing }: ReturnType<typeof createPass>,
): ComparisonEvidence | null {
  const [first, second] = models;
  if (!first || !second || figures === null) return null;
  return {
    ...figures,
    deltas: compareMetrics(first.metrics, second.metrics, {
      champion: first.latency,
      challenger: second.latency,
    }),
    ...(pairs?.finish() ?? { disagreementRows: [], scatter: [], series: [] }),
    sliceFlips: slicing?.flips(1) ?? [],
    latencyHistogram: latencyHistogram(first.latencySamples, second.latencySamples),
  };
}
