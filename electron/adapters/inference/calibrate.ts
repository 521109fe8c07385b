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
/** More threads, or larger batches, have to be faster by this much to be worth it. */
const WORTH = 0.97;

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
  const largest = BATCH_SIZES[BATCH_SIZES.length - 1] as number;
  let first: DatasetBatch | null = null;
  for await (const batch of dataset.batches(wanted, { batchRows: largest, readAhead: 1 })) {
    first = batch;
    break;
  }
  const batch = first;
  const plain = { tuning: PLAIN_TUNING, loadedWith: PLAIN_TUNING.threads };
  if (batch === null || batch.rows < TRIAL_ROWS) return plain;

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
  const sizes = BATCH_SIZES.filter((size) => size <= batch.rows);
  let loadedWith = PLAIN_TUNING.threads;
  let best = { tuning: PLAIN_TUNING, cost: Number.POSITIVE_INFINITY };
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
    for (const [batchRows, each] of cost)
      if (each < best.cost * WORTH) best = { tuning: { threads, batchRows }, cost: each };
  }
  return { tuning: best.tuning, loadedWith };
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
