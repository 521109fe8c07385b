/** Looking at data without running a model on it. */
import type { DatasetInspection } from '../../shared/domain/evidence/inspection.ts';
import type { JobContext } from './system.ts';

/** What a version wants of a file. */
export interface WantedFeatures {
  /** The model's metadata `features`; null: columns count by position. */
  readonly names: readonly string[] | null;
  readonly count: number | null;
  /** Feature → column as last used; taken where the file has all of these columns. */
  readonly remembered: Readonly<Record<string, string>> | null;
}

export interface InspectRequest {
  readonly path: string;
  /** One SQL expression over the columns; null = every row. */
  readonly filter: string | null;
  readonly features: WantedFeatures | null;
}

/** Reads files in a process of its own: the data is somebody else's. */
export interface DatasetInspector {
  /** Errors: `not-found`, `dataset.invalid`. A filter that is none is part of the answer. */
  inspect(request: InspectRequest, job: JobContext): Promise<DatasetInspection>;
  /** SHA-256 and size of the bytes a run on this file would be made on. */
  identify(path: string, job: JobContext): Promise<{ readonly digest: string; readonly sizeBytes: number }>;
}
