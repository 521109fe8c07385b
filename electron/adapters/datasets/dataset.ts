/** A dataset opened for reading: what every reader (CSV, JSON lines, Parquet, NPY) offers the evaluation. */
import type { DatasetInfo } from '../../../shared/domain/metrics/report.ts';

/** One column of the file as its reader sees it. */
export interface DatasetColumn {
  readonly name: string;
  readonly type: 'number' | 'integer' | 'boolean' | 'text' | 'time';
}

/** What a run wants of each row. Names are the file's. */
export interface Wanted {
  /** In the order of the models' features, each once; read as 32-bit floats. */
  readonly features: readonly string[];
  /** null where there is no truth. `regression` reads the truth as a number instead of a class. */
  readonly label: string | null;
  readonly labelKind: 'binary' | 'regression';
  /** Columns read as text for slices and for the rows a person looks at. */
  readonly texts: readonly string[];
  readonly time: string | null;
  /** ONNX element types of the models' inputs by feature, where they are not floating point: integers are checked for them. */
  readonly inputTypes?: readonly (string | undefined)[];
}

/** How rows are handed over. */
export interface BatchOptions {
  /** Rows of every batch but the last; 2,048 if absent. */
  readonly batchRows?: number;
  /** Batches made while the receiver works on one; 2 if absent. */
  readonly readAhead?: number;
}

/** Rows as they come: columns side by side, owned by the receiver until the next batch is asked for. */
export interface DatasetBatch {
  readonly rows: number;
  /** 1-based numbers of the rows in the file (header not counted), which a filter thins out. */
  readonly rowNumbers: Uint32Array;
  /** One array a feature, `rows` values each, all finite. */
  readonly features: readonly Float32Array[];
  /** 0 and 1, 1 = malicious; null without truth or for regression. */
  readonly labels: Uint8Array | null;
  /** Truth of a regression. */
  readonly targets: Float64Array | null;
  /** Text of column `index` of `texts` at `row`; empty text for a missing value. */
  text(index: number, row: number): string;
  /** Milliseconds since 1970 by row, NaN where missing; null without a time column. */
  readonly times: Float64Array | null;
}

/**
 * An open dataset. Errors name the row and the column: `dataset.invalid`, `dataset.columns`, `dataset.label-missing`,
 * `dataset.not-numeric`, `dataset.non-finite`; a filter that is no expression over the columns is `input.invalid`.
 */
export interface Dataset {
  /** SHA-256 of the file as it was opened. */
  readonly digest: string;
  readonly columns: readonly DatasetColumn[];
  /** False where the file has no names of its own: then columns go by position. */
  readonly named: boolean;
  /** Rows the filter lets through where that is known without reading all; else an estimate for progress. */
  readonly expectedRows: number;
  /** Reads from the start, once. At least one batch is read ahead while the receiver works. */
  batches(wanted: Wanted, options?: BatchOptions): AsyncIterable<DatasetBatch>;
  /** Facts after reading to the end; throws `dataset.invalid` where the file changed meanwhile. */
  info(wanted: Wanted): DatasetInfo;
  close(): Promise<void>;
}
