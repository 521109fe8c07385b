/** What validation and comparison share: models out of the store, one pass of the engine, answers kept. */
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { ArtifactStore, StoredArtifact } from '../../ports/artifacts.ts';
import type { DatasetInspector } from '../../ports/datasets.ts';
import type { EngineModel, Evaluation, EvaluationOptions, InferenceEngine } from '../../ports/engine.ts';
import type { StoredRun } from '../../ports/evidence-store.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { JobContext, System } from '../../ports/system.ts';
import type { Ledger } from '../ledger.ts';
import { engineModel, type MeasurableVersion } from '../validation-model.ts';
import { seedOf } from './measured-data.ts';
import { keepCrashes, knowCrashes } from './quarantine.ts';
import type { RunHandle, Runs } from './runs.ts';

export interface MeasureDeps {
  readonly ledger: Ledger;
  readonly artifacts: ArtifactStore;
  readonly engine: InferenceEngine;
  readonly inspector: DatasetInspector;
  readonly system: System;
  readonly runs: Runs;
}

/** A job nobody watches or cancels. */
export const UNWATCHED: JobContext = { signal: new AbortController().signal, progress: () => {} };

export interface MeasureRequest {
  readonly actor: Actor;
  readonly kind: StoredRun['kind'];
  readonly title: string;
  /** What the service needs to go on after an interruption, the selection resolved. */
  readonly input: unknown;
  readonly versions: readonly MeasurableVersion[];
  readonly data: DataSelection;
  readonly options: Pick<EvaluationOptions, 'reference' | 'robustness'>;
  /** The interrupted run this goes on with. */
  readonly continued: StoredRun | null;
  readonly job: JobContext;
}

export interface Measurement {
  readonly evaluation: Evaluation;
  /** Every row's answers, stored; a row must name them, or they are removed. */
  readonly answers: StoredArtifact;
  readonly run: RunHandle;
}

/** Measures, and lets `settle` store the report in one commit. Whatever fails leaves nothing behind. */
export async function measure<Report>(
  deps: MeasureDeps,
  request: MeasureRequest,
  settle: (measurement: Measurement) => Promise<Report>,
): Promise<Report> {
  const { artifacts, engine, runs, system, ledger } = deps;
  const { actor, versions, continued, job } = request;
  const digests = versions.map(({ digest }) => digest);
  if (continued !== null && digests.some((digest, at) => digest !== continued.digests[at]))
    throw new SallyportError('conflict', `${continued.title} was begun with other model files.`, {
      hint: 'Give the unfinished run up, and run it anew.',
    });
  const start = continued ?? { kind: request.kind, title: request.title, input: request.input, digests };
  return runs.work(start, actor, job, async (run) => {
    job.progress('decrypting', 0, 0);
    const models: EngineModel[] = [];
    for (const version of versions) models.push(await engineModel(artifacts, version));
    knowCrashes(ledger.read, engine);
    const evaluation = await engine
      .evaluate(
        models,
        request.data,
        {
          seed: seedOf(digests[0] ?? ''),
          ...request.options,
          deadlineMs: null,
          resume: run.resume,
          onCheckpoint: run.onCheckpoint,
        },
        job,
      )
      .catch(async (error: unknown) => {
        await keepCrashes(ledger, engine, versions);
        throw error;
      });
    const answers = await artifacts.putBytes(evaluation.answers);
    system.reached('run.measured');
    try {
      return await settle({ evaluation, answers, run });
    } catch (error) {
      await artifacts.discard(answers.artifactId);
      throw error;
    }
  });
}

/** Measured while others worked: a verdict holds only for the versions as they were read. */
export function requireUnchanged(read: StoreReader, version: MeasurableVersion): void {
  const current = read.version(version);
  if (current && JSON.stringify(current.mapping) === JSON.stringify(version.mapping)) return;
  throw new SallyportError('conflict', `${formatRef(version)} was mapped anew while it was measured.`, {
    hint: 'No report was kept. Run it again.',
  });
}
