import type { TestSetReport, Tolerance } from '../../shared/domain/evidence/test-data.ts';
import type { JobContext } from './system.ts';

/** A model's plaintext bytes and their SHA-256. */
export interface TestedModel {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** Runs a model on folders of test data in a worker process: a crash, a hang and too much memory end only that. */
export interface TestDataRunner {
  /**
   * Every `test_data_set_*` of the folder, or the folder itself where it holds `input_*.pb` and `output_*.pb`. Throws
   * `not-found` and `dataset.invalid` for data that cannot be read; what the model does wrong is in its set's report.
   */
  run(
    model: TestedModel,
    folder: string,
    tolerance: Tolerance,
    job: JobContext,
  ): Promise<{ readonly dataDigest: string; readonly sets: readonly TestSetReport[] }>;
  /** Bytes of a model file that is not registered; throws `conflict` where they are not those of the digest. */
  readModel(path: string, digest: string): Promise<TestedModel>;
}
