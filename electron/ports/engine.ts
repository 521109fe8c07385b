import type { BinaryEvaluation } from '../../shared/domain/metrics/evaluation.ts';
import type { DatasetInfo, DisagreementRow } from '../../shared/domain/metrics/report.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
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

/** Labelled data on disk. */
export interface LabelledDataset {
  readonly path: string;
  /** null = guess by name. */
  readonly labelColumn: string | null;
}

/** Runs models over data in worker processes: deadline, memory watch and quarantine are the engine's. */
export interface InferenceEngine {
  evaluate(
    model: EngineModel,
    data: LabelledDataset,
    job: JobContext,
  ): Promise<{ dataset: DatasetInfo; evaluation: BinaryEvaluation; rowsPerSecond: number }>;
  compare(
    champion: EngineModel,
    challenger: EngineModel,
    data: LabelledDataset,
    job: JobContext,
  ): Promise<{
    dataset: DatasetInfo;
    champion: BinaryEvaluation;
    challenger: BinaryEvaluation;
    disagreements: number;
    challengerFixes: number;
    challengerBreaks: number;
    /** The first 1,000 disagreeing rows. */
    rows: readonly DisagreementRow[];
  }>;
  close(): Promise<void>;
}
