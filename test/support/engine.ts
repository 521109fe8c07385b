/** A real engine with real worker processes, and what its calls take. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createInferenceEngine, type EngineOptions } from '../../electron/adapters/inference/engine.ts';
import type { EngineModel, EvaluationOptions } from '../../electron/ports/engine.ts';
import type { WorkerHandle } from '../../electron/ports/processes.ts';
import type { JobContext } from '../../electron/ports/system.ts';
import type { DataSelection } from '../../shared/domain/evidence/dataset.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { CLASSIFIER, sha256 } from './engine-models.ts';
import { temporaryDirectory } from './temp.ts';
import { forkWorker } from './vault.ts';

export function engineModel(
  bytes: Uint8Array,
  mapping: OutputMapping = CLASSIFIER,
  featureNames: string[] | null = null,
): EngineModel {
  return { bytes, digest: sha256(bytes), mapping, featureNames, featureCount: 3 };
}

export function startEngine(options: Partial<EngineOptions> = {}) {
  const workers: WorkerHandle[] = [];
  const engine = createInferenceEngine({
    forkWorker: (entry, forkOptions) => {
      const worker = forkWorker(entry, forkOptions);
      workers.push(worker);
      return worker;
    },
    ...options,
  });
  onTestFinished(() => engine.close());
  return { engine, workers };
}

export function csv(lines: readonly string[]): string {
  const path = join(temporaryDirectory(), 'data.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

export interface Watched extends JobContext {
  readonly phases: string[];
  readonly cancel: () => void;
}
export function job(onProgress: (phase: string) => void = () => {}): Watched {
  const controller = new AbortController();
  const phases: string[] = [];
  return {
    signal: controller.signal,
    phases,
    cancel: () => controller.abort(),
    progress: (phase) => {
      if (phases.at(-1) !== phase) phases.push(phase);
      onProgress(phase);
    },
  };
}

/** All rows of the file, labels guessed. */
export function selection(path: string, changes: Partial<DataSelection> = {}): DataSelection {
  return {
    path,
    format: null,
    labelled: true,
    labelColumn: null,
    positiveValue: null,
    filter: null,
    columns: null,
    sliceColumns: null,
    timeColumn: null,
    ...changes,
  };
}

export function options(changes: Partial<EvaluationOptions> = {}): EvaluationOptions {
  return { seed: 1, reference: null, robustness: false, deadlineMs: null, resume: null, ...changes };
}
