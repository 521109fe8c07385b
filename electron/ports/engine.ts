import type { ReferenceProfile } from '../../shared/domain/drift/index.ts';
import type { ErrorCode } from '../../shared/domain/errors.ts';
import type { DataSelection } from '../../shared/domain/evidence/dataset.ts';
import type { EvidenceRows, RowQuery } from '../../shared/domain/evidence/rows.ts';
import type { ComparisonReport, DatasetInfo, ValidationReport } from '../../shared/domain/metrics/report.ts';
import type { OutputMapping, VersionRef } from '../../shared/domain/model/version.ts';
import type { JobContext } from './system.ts';

/** A model's plaintext bytes, hashed and loaded from this one buffer. */
export interface EngineModel {
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly mapping: OutputMapping;
  /** Model metadata `features`, or null: then columns are taken by position. */
  readonly featureNames: readonly string[] | null;
  readonly featureCount: number | null;
}

/** What a run was done with; scores depend slightly on the number of threads. */
export type Execution = NonNullable<ValidationReport['execution']>;

/** Answers so far: what a run that ends here can go on from. Checkpoints of a run follow one another without gaps. */
export interface Checkpoint {
  /** Rows answered since the run began. */
  readonly rows: number;
  /** Rows there may be, an estimate. */
  readonly expectedRows: number;
  /** The answers since the checkpoint before, an answers file of its own (see `evidence/answers.ts`). */
  readonly answers: Uint8Array;
  /** Everything else the engine needs to go on; JSON, replaces that of the checkpoint before. */
  readonly state: string;
}

/** A run that was interrupted: the answers of its checkpoints in their order, and the last one's state. */
export interface ResumeFrom {
  readonly answers: readonly Uint8Array[];
  readonly state: string;
}

export interface EvaluationOptions {
  /** Of everything drawn at random: the same seed on the same data gives the same report. */
  readonly seed: number;
  /** What the first model's data and scores are held against for drift; null = drift is not measured. */
  readonly reference: {
    readonly profile: ReferenceProfile;
    readonly ref: VersionRef;
    readonly datasetDigest: string;
  } | null;
  readonly robustness: boolean;
  /** For the whole run, milliseconds; null = none beyond the watch for a worker that says nothing. */
  readonly deadlineMs: number | null;
  readonly resume: ResumeFrom | null;
  /** Told about every 5 s. The run does not wait for it, and fails when it rejects. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => Promise<void> | void;
}

/** What was measured of one model: the parts of a validation report of this name. */
export type ModelEvidence = Pick<
  ValidationReport,
  | 'metrics'
  | 'intervals'
  | 'latency'
  | 'roc'
  | 'precisionRecall'
  | 'scoreHistogram'
  | 'scoreQuantiles'
  | 'regression'
  | 'reliability'
  | 'sweep'
  | 'slices'
  | 'outputFindings'
  | 'drift'
  | 'robustness'
> & {
  readonly digest: string;
  /** Milliseconds of each single-row call. */
  readonly latencySamples: Float64Array;
};

/** What was measured of the second model against the first: the parts of a comparison report of this name. */
export type ComparisonEvidence = Pick<
  ComparisonReport,
  | 'deltas'
  | 'disagreements'
  | 'challengerFixes'
  | 'challengerBreaks'
  | 'disagreementRows'
  | 'significance'
  | 'deltaIntervals'
  | 'disagreementMatrix'
  | 'sliceFlips'
  | 'scoreShift'
  | 'scatter'
  | 'series'
  | 'latencyHistogram'
>;

/** What was measured of a third or later model against the first. */
export type FurtherEvidence = Pick<
  ComparisonEvidence,
  | 'disagreements'
  | 'challengerFixes'
  | 'challengerBreaks'
  | 'significance'
  | 'deltaIntervals'
  | 'disagreementMatrix'
  | 'sliceFlips'
  | 'scoreShift'
>;

export interface Evaluation {
  readonly dataset: DatasetInfo;
  /** The file's columns, for the register of datasets. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Feature → column as it was used, of all models together; what is remembered for the next run. */
  readonly featureColumns: Readonly<Record<string, string>>;
  /** One a model, in the order given. */
  readonly models: readonly ModelEvidence[];
  /** Of two models or more: the second against the first. */
  readonly pair: ComparisonEvidence | null;
  /** The third and every later one against the first. */
  readonly further: readonly FurtherEvidence[];
  /** Of the first model's features and scores, to be stored with its version; no rows are in it. */
  readonly profile: ReferenceProfile;
  /** All models' answers to every row (see `evidence/answers.ts`). */
  readonly answers: Uint8Array;
  readonly execution: Execution;
  /** Rows read, run through every model and counted, per second. */
  readonly rowsPerSecond: number;
}

/** Which rows of stored evidence to look at. */
export interface RowsRequest {
  /** The selection of the run; its `path` is where the file is now. */
  readonly data: DataSelection;
  /** Of the file when the evidence was made; another one is refused. */
  readonly datasetDigest: string;
  /** As the run kept them. */
  readonly answers: Uint8Array;
  /** True for a number-answering model: nothing is right or wrong then. */
  readonly regression: boolean;
  /** Rows named by the report's output findings, for that preset. */
  readonly findingRows: readonly number[];
  readonly query: Pick<RowQuery, 'preset' | 'slice' | 'filter' | 'order' | 'limit' | 'offset'>;
}

export interface RowsFile {
  /** Must not exist yet; removed again when the export fails. */
  readonly path: string;
  readonly format: 'csv' | 'jsonl';
  /** Verdicts of analysts by row, written beside the answers. */
  readonly verdicts: Readonly<Record<number, { readonly verdict: string; readonly note: string }>>;
}

/** A model digest that ended its worker, and how often; from two on it is not run. */
export interface QuarantineRecord {
  readonly digest: string;
  readonly reason: ErrorCode;
  readonly crashes: number;
}

/** Runs models over data in worker processes: deadline, memory watch and quarantine are the engine's. */
export interface InferenceEngine {
  /** One to eight models over the same rows, in one pass. */
  evaluate(
    models: readonly EngineModel[],
    data: DataSelection,
    options: EvaluationOptions,
    job: JobContext,
  ): Promise<Evaluation>;
  /** Rows behind evidence, in pages; verdicts are the caller's to add. Errors: `input.invalid` for a filter, `dataset.invalid` for another file. */
  rows(request: RowsRequest, job: JobContext): Promise<EvidenceRows>;
  /** The same rows, all of them, into a file. */
  exportRows(request: RowsRequest, file: RowsFile, job: JobContext): Promise<{ readonly rows: number }>;
  /** Digests that ended a worker, for keeping. */
  quarantined(): readonly QuarantineRecord[];
  /** Puts kept records back, at start. */
  restore(records: readonly QuarantineRecord[]): void;
  /** Gives a digest another chance. */
  forgive(digest: string): void;
  close(): Promise<void>;
}
