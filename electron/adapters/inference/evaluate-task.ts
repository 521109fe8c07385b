import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import type { OutputMapping } from '../../../shared/domain/model/version.ts';
import type { Evaluation, EvaluationOptions, RowsFile, RowsRequest } from '../../ports/engine.ts';

/** One model of a task; its bytes were loaded before under `key`. */
export interface TaskModel {
  readonly key: string;
  readonly digest: string;
  readonly mapping: OutputMapping;
  readonly featureNames: readonly string[] | null;
  readonly featureCount: number | null;
}

/** Threads and rows a batch that a calibration found best. */
export interface Tuning {
  readonly threads: number;
  readonly batchRows: number;
}

/** One to eight models over the same rows. */
export interface EvaluateTask {
  readonly kind: 'evaluate';
  readonly models: readonly TaskModel[];
  readonly data: DataSelection;
  readonly options: Pick<EvaluationOptions, 'seed' | 'reference' | 'robustness' | 'resume'>;
  /** Found before for these models on this machine; null = calibrate. */
  readonly tuning: Tuning | null;
  /** Most threads a model may have. */
  readonly maxThreads: number;
  /** Answers are handed on after so long, milliseconds. */
  readonly checkpointMs: number;
}

/** Looks at rows, or writes them into a file; needs no model. */
export interface RowsTask {
  readonly kind: 'rows';
  readonly request: RowsRequest;
  readonly file: RowsFile | null;
}

export type InferenceTask = EvaluateTask | RowsTask;

/** All of an evaluation but the answers, which came in notes. */
export type EvaluateResult = Omit<Evaluation, 'answers'>;

/** Where a run stands, beside the answers so far; JSON. */
export interface RunState {
  readonly version: 1;
  readonly datasetDigest: string;
  readonly models: readonly string[];
  readonly tuning: Tuning;
  readonly seed: number;
  /** What each model's answers showed so far. */
  readonly findings: readonly unknown[];
}

/**
 * Notes on the way. `running` = index of the model whose code runs next, null when it is back: whom a crash is laid to.
 * `answers` follow one another without gaps.
 */
export type EvaluateNote =
  | { readonly kind: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly kind: 'running'; readonly model: number | null }
  | { readonly kind: 'tuned'; readonly tuning: Tuning }
  | {
      readonly kind: 'answers';
      readonly rows: number;
      readonly expectedRows: number;
      readonly answers: Uint8Array;
      readonly state: string;
    };

export type Note = (note: EvaluateNote) => void;
