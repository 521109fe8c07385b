import type { TaskContext } from '../../../shared/node/onnx/worker-server.ts';
import type { Dataset, DatasetBatch, Wanted } from '../datasets/dataset.ts';
import type { Note, Tuning } from './evaluate-task.ts';
import { answerRows, batchInput, type Runner } from './runner.ts';

/**
 * What every run uses that is over before a calibration would pay. The same on every machine, so that figures are the
 * same to the last digit: a sum over trees is made in another order with another number of threads.
 */
export const PLAIN_TUNING: Tuning = { threads: 2, batchRows: 2048 };

const BATCH_SIZES = [512, 1024, 2048, 4096, 8192, 16_384] as const;
/** All of it takes about this long, milliseconds, plus loading the models once a number of threads. */
const BUDGET_MS = 1000;
/** Runs expected to be over by then need no tuning. */
const SHORT_RUN_MS = 2000;
const TRIAL_ROWS = 256;
/** More threads have to be faster by this much to be worth it, and so do smaller batches: each is a hand-off more. */
const WORTH = 0.97;
/** Values of a batch at most, so that batches read ahead of very wide data stay small: 1 MiB. */
const BATCH_VALUES = 2 ** 18;

/**
 * Finds rows a batch and threads a model by running the models on the first rows of the data. One core is left to those
 * who read, count and draw.
 */
export async function calibrate(
  runners: readonly Runner[],
  dataset: Dataset,
  wanted: Wanted,
  context: TaskContext,
  maxThreads: number,
  note: Note,
): Promise<{ readonly tuning: Tuning; readonly loadedWith: number }> {
  const allowed = BATCH_SIZES.filter((size) => size <= mostRows(wanted.features.length));
  const largest = allowed.at(-1) ?? plainTuning(wanted.features.length).batchRows;
  let first: DatasetBatch | null = null;
  for await (const batch of dataset.batches(wanted, { batchRows: largest, readAhead: 1 })) {
    first = batch;
    break;
  }
  const batch = first;
  const plain = { tuning: plainTuning(wanted.features.length), loadedWith: PLAIN_TUNING.threads };
  if (batch === null || allowed.length === 0 || batch.rows < TRIAL_ROWS) return plain;

  const timed = async (rows: number): Promise<number> => {
    let took = 0;
    for (const [index, runner] of runners.entries()) {
      const input = batchInput(runner, batch, rows);
      note({ kind: 'running', model: index });
      const started = performance.now();
      await answerRows(runner, input);
      took += performance.now() - started;
    }
    note({ kind: 'running', model: null });
    return took;
  };
  await timed(TRIAL_ROWS);
  const trial = (await timed(TRIAL_ROWS)) / TRIAL_ROWS;
  if (trial * Math.max(dataset.expectedRows, batch.rows) < SHORT_RUN_MS) return plain;

  const candidates = threadCounts(maxThreads);
  const sizes = allowed.filter((size) => size <= batch.rows);
  let loadedWith = PLAIN_TUNING.threads;
  let best = { tuning: plain.tuning, cost: Number.POSITIVE_INFINITY };
  for (const [index, threads] of candidates.entries()) {
    await applyThreads(runners, context, threads, loadedWith, note);
    loadedWith = threads;
    note({ kind: 'progress', phase: 'calibrating', done: index, total: candidates.length });
    const cost = new Map<number, number>();
    const ends = performance.now() + BUDGET_MS / candidates.length;
    // Round after round, so that a moment's load on the machine does not fall on one size alone.
    for (let round = 0; round === 0 || performance.now() < ends; round++) {
      for (const size of sizes) {
        const expected = (cost.get(size) ?? trial) * size;
        if (cost.size > 0 && performance.now() + expected > ends) continue;
        cost.set(size, Math.min(cost.get(size) ?? Number.POSITIVE_INFINITY, (await timed(size)) / size));
      }
      if (round > 50) break;
    }
    let of: { readonly batchRows: number; readonly cost: number } | null = null;
    for (const [batchRows, each] of [...cost].sort(([a], [b]) => b - a))
      if (of === null || each < of.cost * WORTH) of = { batchRows, cost: each };
    if (of !== null && of.cost < best.cost * WORTH)
      best = { tuning: { threads, batchRows: of.batchRows }, cost: of.cost };
  }
  return { tuning: best.tuning, loadedWith };
}

/** Rows of so many numbers that a batch may have. */
const mostRows = (width: number): number => Math.floor(BATCH_VALUES / Math.max(1, width));

function plainTuning(width: number): Tuning {
  return { ...PLAIN_TUNING, batchRows: Math.max(1, Math.min(PLAIN_TUNING.batchRows, mostRows(width))) };
}

/** 1, 2, 4, … and the most. */
function threadCounts(most: number): number[] {
  const counts: number[] = [];
  for (let threads = 1; threads < most; threads *= 2) counts.push(threads);
  return [...counts, Math.max(1, most)];
}

/** Loads the models again where they have another number of threads. */
export async function applyThreads(
  runners: readonly Runner[],
  context: TaskContext,
  threads: number,
  loadedWith: number,
  note: Note,
): Promise<void> {
  if (threads === loadedWith) return;
  for (const [index, runner] of runners.entries()) {
    note({ kind: 'running', model: index });
    runner.loaded = await context.reload(runner.model.key, threads);
  }
  note({ kind: 'running', model: null });
}
