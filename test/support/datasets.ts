import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { BatchOptions, Wanted } from '../../electron/adapters/datasets/dataset.ts';
import { type OpenOptions, openDataset } from '../../electron/adapters/datasets/open-dataset.ts';
import type { DataSelection } from '../../shared/domain/evidence/dataset.ts';
import type { DatasetInfo } from '../../shared/domain/metrics/report.ts';
import { temporaryDirectory } from './temp.ts';

export function selectionOf(path: string, changes: Partial<DataSelection> = {}): DataSelection {
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

export interface ReadRows {
  readonly rowNumbers: number[];
  readonly rows: number[][];
  readonly labels: number[];
  readonly targets: number[];
  readonly times: number[];
  readonly texts: string[][];
  readonly batches: number[];
  readonly info: DatasetInfo;
}

/** Opens a dataset and copies everything that is wanted of it. */
export async function readRows(
  selection: DataSelection,
  wanted: Wanted,
  options: BatchOptions & OpenOptions = {},
): Promise<ReadRows> {
  const dataset = await openDataset(selection, options);
  try {
    const all: Omit<ReadRows, 'info'> = {
      rowNumbers: [],
      rows: [],
      labels: [],
      targets: [],
      times: [],
      texts: [],
      batches: [],
    };
    for await (const batch of dataset.batches(wanted, options)) {
      all.batches.push(batch.rows);
      for (const column of batch.features)
        if (column.length !== batch.rows) throw new Error('a column is not as long as its batch');
      for (let row = 0; row < batch.rows; row++) {
        all.rowNumbers.push(batch.rowNumbers[row] as number);
        all.rows.push(batch.features.map((column) => column[row] as number));
        if (batch.labels) all.labels.push(batch.labels[row] as number);
        if (batch.targets) all.targets.push(batch.targets[row] as number);
        if (batch.times) all.times.push(batch.times[row] as number);
        all.texts.push(wanted.texts.map((_, index) => batch.text(index, row)));
      }
    }
    return { ...all, info: dataset.info(wanted) };
  } finally {
    await dataset.close();
  }
}

export function wantedOf(features: readonly string[], changes: Partial<Wanted> = {}): Wanted {
  return { features, label: 'label', labelKind: 'binary', texts: [], time: null, ...changes };
}

/** Writes content under a name in a directory of its own. */
export function dataFile(name: string, content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

/** Writes the result of a query as a Parquet file. */
export async function parquetFile(select: string): Promise<string> {
  const path = join(temporaryDirectory(), 'data.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return path;
}

/** An NPY file of version 1.0 with any header, as hostile ones have. */
export function npyFile(header: string, data: Uint8Array, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header.padEnd(117, ' ').concat('\n'));
  const prefix = version === 1 ? 10 : 12;
  const file = new Uint8Array(prefix + text.length + data.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(file.buffer);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  file.set(text, prefix);
  file.set(data, prefix + text.length);
  return file;
}
