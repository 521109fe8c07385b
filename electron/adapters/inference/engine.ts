import { availableParallelism } from 'node:os';
import { createProfileBuilder } from '../../../shared/domain/drift/index.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { AnswersWriter } from '../../../shared/domain/evidence/answers.ts';
import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import { compareMetrics } from '../../../shared/domain/metrics/compare.ts';
import { plainComparison, plainValidation } from '../../../shared/domain/metrics/report.ts';
import { createQuarantine, type Quarantine } from '../../../shared/node/onnx/quarantine.ts';
import {
  callWorker,
  openWorkerLink,
  transferModel,
  type WorkerLink,
} from '../../../shared/node/onnx/worker-link.ts';
import type { EngineModel, InferenceEngine } from '../../ports/engine.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { JobContext } from '../../ports/system.ts';
import type { EvaluateNote, EvaluateResult, EvaluateTask, TaskModel } from './evaluate-task.ts';

export interface EngineOptions {
  readonly forkWorker: ForkWorker;
  /** The worker is ended when it says nothing for so long, milliseconds. */
  readonly stallMs?: number;
  /** The worker is ended above this resident memory. */
  readonly maxRssBytes?: number;
  readonly intraOpThreads?: number;
  readonly quarantine?: Quarantine;
}

const DEFAULT_STALL_MS = 120_000;
const DEFAULT_MAX_RSS_BYTES = 4 * 2 ** 30;

/**
 * Runs each evaluation in a worker process of its own, which ends with it: what a model did to its process is gone
 * before the next one is loaded. Cancelling ends the process. A model whose process died twice is quarantined.
 */
export function createInferenceEngine(options: EngineOptions): InferenceEngine {
  const quarantine = options.quarantine ?? createQuarantine();
  const stallMs = options.stallMs ?? DEFAULT_STALL_MS;
  // Beyond a few threads the reader, not the model, is the slower one.
  const intraOpThreads = options.intraOpThreads ?? Math.min(4, availableParallelism());
  const open = new Set<WorkerLink>();
  let closed = false;

  const run = async (
    models: readonly EngineModel[],
    data: DataSelection,
    job: JobContext,
  ): Promise<EvaluateResult> => {
    if (closed || job.signal.aborted) throw cancelled();
    for (const model of models) quarantine.check(model.digest);
    const link = openWorkerLink(options.forkWorker('inference'), {
      maxRssBytes: options.maxRssBytes ?? DEFAULT_MAX_RSS_BYTES,
    });
    open.add(link);
    const abort = (): void => link.close(cancelled());
    job.signal.addEventListener('abort', abort);
    let running: EngineModel | null = null;
    try {
      const taskModels: TaskModel[] = [];
      for (const [index, model] of models.entries()) {
        job.progress('loading', index, models.length);
        running = model;
        const key = `model-${index}`;
        await transferModel(link, { key, ...model, intraOpThreads }, stallMs);
        running = null;
        taskModels.push({
          key,
          mapping: model.mapping,
          featureNames: model.featureNames,
          featureCount: model.featureCount,
        });
      }
      const task: EvaluateTask = {
        models: taskModels as unknown as EvaluateTask['models'],
        path: data.path,
        labelColumn: data.labelColumn,
      };
      return (await callWorker(link, { type: 'task', task }, stallMs, {
        progress: (value) => {
          const note = value as EvaluateNote;
          if (note.kind === 'running') running = note.model === null ? null : (models[note.model] ?? null);
          else job.progress(note.phase, note.done, note.total);
        },
      })) as EvaluateResult;
    } catch (error) {
      if (running && error instanceof SallyportError && error.code.startsWith('engine.'))
        quarantine.record(running.digest, error.code);
      throw error;
    } finally {
      job.signal.removeEventListener('abort', abort);
      open.delete(link);
      link.close(cancelled());
    }
  };

  return {
    async evaluate(models, data, options, job) {
      const { dataset, evaluations, disagreements, rowsPerSecond } = await run(models, data, job);
      const measured = evaluations.map((evaluation, index) => {
        const {
          regression,
          intervals,
          reliability,
          sweep,
          scoreQuantiles,
          slices,
          outputFindings,
          drift,
          robustness,
        } = plainValidation();
        return {
          ...evaluation,
          ...{
            regression,
            intervals,
            reliability,
            sweep,
            scoreQuantiles,
            slices,
            outputFindings,
            drift,
            robustness,
          },
          digest: models[index]?.digest ?? '',
          latencySamples: new Float64Array(0),
        };
      });
      const [first, second] = measured;
      const {
        significance,
        deltaIntervals,
        disagreementMatrix,
        sliceFlips,
        scoreShift,
        scatter,
        series,
        latencyHistogram,
      } = plainComparison();
      return {
        dataset,
        columns: [],
        featureColumns: {},
        models: measured,
        pair:
          first && second && disagreements
            ? {
                deltas: compareMetrics(first.metrics, second.metrics, {
                  champion: first.latency,
                  challenger: second.latency,
                }),
                disagreements: disagreements.count,
                challengerFixes: disagreements.fixes,
                challengerBreaks: disagreements.breaks,
                disagreementRows: [...disagreements.rows],
                ...{ significance, deltaIntervals, disagreementMatrix, sliceFlips },
                ...{ scoreShift, scatter, series, latencyHistogram },
              }
            : null,
        profile: createProfileBuilder({ features: [] }).profile(),
        answers: new AnswersWriter(models.length).file(),
        execution: { threads: intraOpThreads, batchRows: 2048, seed: options.seed },
        rowsPerSecond,
      };
    },
    rows: () => Promise.reject(new SallyportError('unexpected', 'Rows cannot be read yet.')),
    exportRows: () => Promise.reject(new SallyportError('unexpected', 'Rows cannot be read yet.')),
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
