import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import type { DatasetInfo } from '../../../shared/domain/metrics/report.ts';
import { inBatches } from './batches.ts';
import { shown } from './csv-header.ts';
import type { BatchOptions, Dataset, DatasetBatch, DatasetColumn, Wanted } from './dataset.ts';
import type { CompiledExpression } from './expression.ts';
import { assertUnchanged, type Fingerprint } from './fingerprint.ts';
import type { LockedDatabase } from './locked-database.ts';
import type { TableSource } from './source.ts';
import { type OpenAgain, type ReadColumns, readTable } from './table-reader.ts';
import { expressionSql } from './try-expression.ts';

export interface TableDatasetParts {
  /** The rows' file first. */
  readonly files: readonly Fingerprint[];
  readonly digest: string;
  readonly source: TableSource;
  readonly database: LockedDatabase;
  readonly selection: DataSelection;
  readonly filter: CompiledExpression | null;
  readonly again: OpenAgain;
}

/** A dataset that is a table in DuckDB. */
export class TableDataset implements Dataset {
  readonly digest: string;
  readonly columns: readonly DatasetColumn[];
  readonly named: boolean;
  readonly expectedRows: number;
  readonly #parts: TableDatasetParts;
  #rows: number | null = null;
  #rowsInFile: number | null = null;

  constructor(parts: TableDatasetParts) {
    this.#parts = parts;
    this.digest = parts.digest;
    this.columns = parts.source.columns;
    this.named = parts.source.named;
    this.expectedRows = parts.source.exactRows ?? parts.source.estimatedRows;
  }

  async *batches(wanted: Wanted, options: BatchOptions = {}): AsyncGenerator<DatasetBatch> {
    const { source, database, again } = this.#parts;
    const read = this.#columnsOf(wanted);
    let rows = 0;
    for await (const batch of inBatches(readTable(database.connection, source, read, again), options)) {
      rows += batch.rows;
      yield batch;
    }
    if (rows === 0)
      throw new SallyportError(
        'dataset.invalid',
        this.#parts.filter === null
          ? 'The file has no data rows.'
          : 'The filter lets no row of the file through.',
        { hint: 'No figure was computed.' },
      );
    this.#rowsInFile = source.exactRows ?? (this.#parts.filter === null ? rows : await this.#countRows());
    this.#rows = rows;
  }

  info(wanted: Wanted): DatasetInfo {
    const { files, digest, selection, source } = this.#parts;
    for (const file of files) assertUnchanged(file);
    if (this.#rows === null)
      throw new SallyportError(
        'unexpected',
        'The facts of a dataset are known after it was read to its end.',
      );
    const used = new Set([wanted.label, ...wanted.features]);
    return {
      fileName: files[0]?.fileName ?? '',
      digest,
      sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
      rows: this.#rows,
      labelColumn: wanted.label ?? '',
      featureColumns: wanted.features.length,
      ignoredColumns: this.columns.map(({ name }) => name).filter((name) => !used.has(name)),
      format: source.format,
      labelled: wanted.label !== null,
      filter: this.#parts.filter === null ? null : selection.filter,
      rowsInFile: this.#rowsInFile,
    };
  }

  async close(): Promise<void> {
    this.#parts.database.close();
  }

  async #countRows(): Promise<number> {
    const { source, database } = this.#parts;
    const table = source.table({ numbers: new Set(), numbered: false });
    const result = await database.connection.runAndReadAll(`SELECT count(*) FROM (${table})`);
    return Number(result.getRowsJS()[0]?.[0] ?? 0);
  }

  #columnsOf(wanted: Wanted): ReadColumns {
    const { filter, source, selection } = this.#parts;
    const indices = new Map(this.columns.map(({ name }, index) => [name, index]));
    const at = (name: string): number => {
      const index = indices.get(name);
      if (index !== undefined) return index;
      throw new SallyportError('dataset.columns', `The data has no column "${shown(name)}".`, {
        hint: 'Nothing was stored. Name a column that the data has.',
      });
    };
    return {
      features: wanted.features.map(at),
      inputTypes: wanted.inputTypes ?? [],
      label: wanted.label === null ? null : at(wanted.label),
      labelKind: wanted.labelKind,
      positiveValue: selection.positiveValue,
      texts: wanted.texts.map(at),
      time: wanted.time === null ? null : at(wanted.time),
      filter: filter === null ? null : (plan) => expressionSql(filter, source, plan),
      filterColumns: filter?.columns.map(at) ?? [],
    };
  }
}
