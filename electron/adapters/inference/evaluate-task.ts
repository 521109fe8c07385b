import type { BinaryEvaluation } from '../../../shared/domain/metrics/evaluation.ts';
import type { DatasetInfo, DisagreementRow } from '../../../shared/domain/metrics/report.ts';
import type { OutputMapping } from '../../../shared/domain/model/version.ts';

/** One model of a task; its bytes were loaded before under `key`. */
export interface TaskModel {
  readonly key: string;
  readonly mapping: OutputMapping;
  readonly featureNames: readonly string[] | null;
  readonly featureCount: number | null;
}

/** What the desktop's inference worker is asked: one model over labelled data, or champion and challenger over the same rows. */
export interface EvaluateTask {
  readonly models: readonly [TaskModel] | readonly [TaskModel, TaskModel];
  readonly path: string;
  readonly labelColumn: string | null;
}

export interface Disagreements {
  readonly count: number;
  readonly fixes: number;
  readonly breaks: number;
  readonly rows: readonly DisagreementRow[];
}

export interface EvaluateResult {
  readonly dataset: DatasetInfo;
  readonly evaluations: readonly BinaryEvaluation[];
  /** Rows read, run through every model of the task and counted, per second. */
  readonly rowsPerSecond: number;
  /** Only with two models. */
  readonly disagreements: Disagreements | null;
}

/** Notes on the way. `running` = index of the model whose code runs next, null when it is back: whom a crash is laid to. */
export type EvaluateNote =
  | { readonly kind: 'progress'; readonly phase: string; readonly done: number; readonly total: number }
  | { readonly kind: 'running'; readonly model: number | null };
