import { availableParallelism } from 'node:os';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { joinAnswers, MAX_ANSWER_MODELS } from '../../../shared/domain/evidence/answers.ts';
import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import { steadyEnvironment } from '../../../shared/node/onnx/fork-process.ts';
import { createQuarantine, type Quarantine } from '../../../shared/node/onnx/quarantine.ts';
import {
  callWorker,
  openWorkerLink,
  transferModel,
  type WorkerLink,
} from '../../../shared/node/onnx/worker-link.ts';
import type {
  EngineModel,
  Evaluation,
  EvaluationOptions,
  InferenceEngine,
  RowsFile,
  RowsRequest,
} from '../../ports/engine.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import { PLAIN_TUNING } from './calibrate.ts';
import type { EvaluateNote, EvaluateResult, EvaluateTask, InferenceTask, Tuning } from './evaluate-task.ts';

export interface EngineOptions {
  readonly forkWorker: ForkWorker;
  /** The worker is ended when it says nothing for so long, milliseconds. */
  readonly stallMs?: number;
  /** The worker is ended above this resident memory. */
  readonly maxRssBytes?: number;
  /** Most threads a model may have; one core is left to reading, counting and the window if not given. */
  readonly maxThreads?: number;
  readonly quarantine?: Quarantine;
  /** Time between two checkpoints, milliseconds: what a stop costs at most. */
  readonly checkpointMs?: number;
}

const DEFAULT_CHECKPOINT_MS = 5000;
const DEFAULT_STALL_MS = 120_000;
const DEFAULT_MAX_RSS_BYTES = 4 * 2 ** 30;
/** Beyond this many threads the reader, not the model, is the slower one. */
const MOST_THREADS = 16;

/** What is told of a worker on its way. */
interface Listener {
  readonly note?: (note: EvaluateNote) => void;
}

/**
 * Runs each evaluation in a worker process of its own, which ends with it: what a model did to its process is gone
 * before the next one is loaded. Cancelling ends the process. A model whose process died twice is quarantined.
 */
export function createInferenceEngine(options: EngineOptions): InferenceEngine {
  const quarantine = options.quarantine ?? createQuarantine();
  const stallMs = options.stallMs ?? DEFAULT_STALL_MS;
  const maxThreads = options.maxThreads ?? Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1));
  const open = new Set<WorkerLink>();
  /** What calibrations found, by the models' digests. */
  const tunings = new Map<string, Tuning>();
  let closed = false;

  /** One task in a process of its own. */
  const run = async (
    models: readonly EngineModel[],
    makeTask: (keys: readonly string[]) => InferenceTask,
    deadlineMs: number | null,
    job: JobContext,
    listener: Listener = {},
  ): Promise<unknown> => {
    if (closed || job.signal.aborted) throw cancelled();
    for (const model of models) quarantine.check(model.digest);
    const link = openWorkerLink(options.forkWorker('inference', { env: steadyEnvironment() }), {
      maxRssBytes: options.maxRssBytes ?? DEFAULT_MAX_RSS_BYTES,
    });
    open.add(link);
    const abort = (): void => link.close(cancelled());
    job.signal.addEventListener('abort', abort);
    const timer = deadlineMs === null ? null : setTimeout(() => link.close(tooLate(deadlineMs)), deadlineMs);
    let running: EngineModel | null = null;
    try {
      const keys: string[] = [];
      for (const [index, model] of models.entries()) {
        job.progress('loading', index, models.length);
        running = model;
        const key = `model-${index}`;
        const { bytes, digest, mapping } = model;
        const intraOpThreads = PLAIN_TUNING.threads;
        const use = { kind: 'rows', mapping } as const;
        await transferModel(link, { key, bytes, digest, use, intraOpThreads }, stallMs);
        running = null;
        keys.push(key);
      }
      return await callWorker(link, { type: 'task', task: makeTask(keys) }, stallMs, {
        progress: (value) => {
          const note = value as EvaluateNote;
          if (note.kind === 'running') running = note.model === null ? null : (models[note.model] ?? null);
          else if (note.kind === 'progress') job.progress(note.phase, note.done, note.total);
          else listener.note?.(note);
        },
      });
    } catch (error) {
      const died = error instanceof SallyportError && error.code.startsWith('engine.');
      // A deadline for the whole run is nobody's fault.
      if (running && died && error.facts.deadline !== true) quarantine.record(running.digest, error.code);
      throw error;
    } finally {
      if (timer) clearTimeout(timer);
      job.signal.removeEventListener('abort', abort);
      open.delete(link);
      link.close(cancelled());
    }
  };

  const evaluate = async (
    models: readonly EngineModel[],
    data: DataSelection,
    settings: EvaluationOptions,
    job: JobContext,
  ): Promise<Evaluation> => {
    if (models.length < 1 || models.length > MAX_ANSWER_MODELS)
      throw new SallyportError('usage', `From 1 to ${MAX_ANSWER_MODELS} models run over the same rows.`);
    const name = models.map(({ digest }) => digest).join();
    const answers: Uint8Array[] = [...(settings.resume?.answers ?? [])];
    const { seed, reference, robustness, resume } = settings;
    // A checkpoint that cannot be kept ends the run: it would be lost in silence otherwise.
    const failed = new AbortController();
    let failure: unknown = null;
    const checkpoint = async (note: Extract<EvaluateNote, { kind: 'answers' }>): Promise<void> => {
      const { rows, expectedRows, answers: bytes, state } = note;
      try {
        await settings.onCheckpoint?.({ rows, expectedRows, answers: bytes, state });
      } catch (error) {
        failure ??= error;
        failed.abort();
      }
    };
    const kept: Promise<void>[] = [];
    const result = await run(
      models,
      (keys): EvaluateTask => ({
        kind: 'evaluate',
        models: models.map(({ digest, mapping, featureNames, featureCount }, index) => ({
          key: keys[index] ?? '',
          digest,
          mapping,
          featureNames,
          featureCount,
        })),
        data,
        options: { seed, reference, robustness, resume },
        tuning: tunings.get(name) ?? null,
        maxThreads,
        checkpointMs: options.checkpointMs ?? DEFAULT_CHECKPOINT_MS,
      }),
      settings.deadlineMs,
      { signal: AbortSignal.any([job.signal, failed.signal]), progress: job.progress },
      {
        note: (note) => {
          if (note.kind === 'tuned') tunings.set(name, note.tuning);
          else if (note.kind === 'answers') {
            answers.push(note.answers);
            kept.push(checkpoint(note));
          }
        },
      },
    ).catch((error: unknown) => {
      throw failure ?? error;
    });
    await Promise.all(kept);
    if (failure !== null) throw failure;
    return { ...(result as EvaluateResult), answers: joinAnswers(models.length, answers) };
  };

  const rows = (request: RowsRequest, file: RowsFile | null, job: JobContext): Promise<unknown> =>
    run([], () => ({ kind: 'rows', request, file }), null, job);

  return {
    evaluate,
    rows: async (request, job) =>
      (await rows(request, null, job)) as Awaited<ReturnType<InferenceEngine['rows']>>,
    exportRows: async (request, file, job) => (await rows(request, file, job)) as { readonly rows: number },
    quarantined: () => quarantine.list(),
    restore: (records) => quarantine.restore(records),
    forgive: (digest) => quarantine.forgive(digest),
    async close() {
      closed = true;
      for (const link of open) link.close(cancelled());
      open.clear();
    },
  };
}

function cancelled(): SallyportError {
  return new SallyportError('cancelled', 'The run was cancelled.', {
    hint: 'Nothing was stored or changed.',
  });
}

function tooLate(deadlineMs: number): SallyportError {
  return new SallyportError(
    'engine.timeout',
    `The run was not over within ${Math.round(deadlineMs / 1000)} s and was ended.`,
    {
      hint: 'No report was stored. Choose fewer rows by a filter, or allow more time.',
      facts: { deadlineMs, deadline: true },
    },
  );
}
