import { extname } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DataSelection, DatasetFormat } from '../../../shared/domain/evidence/dataset.ts';
import { readCsvHeader } from './csv-header.ts';
import { csvSource } from './csv-source.ts';
import type { Dataset } from './dataset.ts';
import { compileExpression } from './expression.ts';
import { type Fingerprint, fileSet, fingerprintFile } from './fingerprint.ts';
import { jsonLinesSource } from './jsonl-source.ts';
import { type LockedDatabase, openLockedDatabase } from './locked-database.ts';
import { npySource } from './npy-source.ts';
import { parquetSource } from './parquet-source.ts';
import type { TableSource } from './source.ts';
import { TableDataset } from './table-dataset.ts';
import { openerOf } from './table-reader.ts';
import { tryExpression } from './try-expression.ts';

/** The caller's own and one that reads ahead. */
const DEFAULT_THREADS = 2;

export interface OpenOptions {
  /** Bytes hashed so far, of all. */
  readonly progress?: (done: number, total: number) => void;
  /** Threads that DuckDB may take; from 2, the default, it reads ahead by itself. */
  readonly threads?: number;
  /** Refuses a file with another digest: rows behind a report are rows of that very file. */
  readonly digest?: string;
}

/** An opened file as a table in a locked database: for queries beyond reading it once. */
export interface OpenTable {
  /** The file with the rows. */
  readonly file: Fingerprint;
  /** It, and that of the labels where they are apart. */
  readonly files: readonly Fingerprint[];
  /** SHA-256 of the file; of two, as `FileSet` says. */
  readonly digest: string;
  readonly source: TableSource;
  readonly database: LockedDatabase;
  /** Opens the same source on another database. */
  readonly open: (connection: LockedDatabase['connection']) => Promise<TableSource>;
}

/**
 * Hashes a dataset and opens it for reading. Errors: `not-found`, `dataset.invalid`, `dataset.columns`; a filter that
 * is no expression over the columns is `input.invalid`.
 */
export async function openDataset(selection: DataSelection, options: OpenOptions = {}): Promise<Dataset> {
  const table = await openTable(selection, options);
  const { source, database } = table;
  try {
    const names = source.columns.map(({ name }) => name);
    const filter =
      selection.filter === null || selection.filter.trim() === ''
        ? null
        : await compileExpression(database.connection, selection.filter, names);
    if (filter !== null) await tryExpression(database.connection, source, filter);
    return new TableDataset({
      files: table.files,
      digest: table.digest,
      source,
      database,
      selection,
      filter,
      again: openerOf(pathsOf(table.files), table.open),
    });
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The file behind a selection as a table, nothing read yet. The caller closes the database. */
export async function openTable(
  selection: Pick<DataSelection, 'path' | 'format'> & Partial<Pick<DataSelection, 'labelled' | 'labelsPath'>>,
  options: OpenOptions = {},
): Promise<OpenTable> {
  const file = fingerprintFile(selection.path, options.progress ?? (() => {}));
  const format = selection.format ?? formatOf(file);
  const labels = labelsOf(selection, format);
  const files = labels === null ? [file] : [file, labels];
  const digest =
    labels === null
      ? file.digest
      : fileSet(
          files,
          files.map(({ fileName }) => fileName),
        ).digest;
  if (options.digest !== undefined && digest !== options.digest)
    throw new SallyportError('dataset.invalid', `The file ${file.fileName} is not the one it was before.`, {
      hint: 'Its digest differs from the one that is asked for. Give the original file.',
      facts: { digest, expected: options.digest },
    });
  const open = opener(format, file, labels, selection.labelled ?? true);
  // Several threads hand out the rows of large text files in another order than the file's (DuckDB 1.5.5); a row's
  // number is its place in the file.
  const inOrder = format === 'parquet' || format === 'npy';
  const threads = inOrder ? (options.threads ?? DEFAULT_THREADS) : 1;
  const database = await openLockedDatabase(pathsOf(files), threads);
  try {
    return { file, files, digest, database, open, source: await open(database.connection) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The second file of a selection, which only NPY has: every other format has names for its columns. */
function labelsOf(
  { labelsPath }: Partial<Pick<DataSelection, 'labelsPath'>>,
  format: DatasetFormat,
): Fingerprint | null {
  if (labelsPath === undefined || labelsPath === null) return null;
  if (format !== 'npy')
    throw new SallyportError('input.invalid', 'Labels come from a file of their own only for NPY data.', {
      hint: 'Name the label column instead.',
    });
  return fingerprintFile(labelsPath, () => {});
}

function opener(
  format: DatasetFormat,
  file: Fingerprint,
  labels: Fingerprint | null,
  labelled: boolean,
): OpenTable['open'] {
  const complete = file.head.length === file.sizeBytes;
  switch (format) {
    case 'csv': {
      const header = readCsvHeader(file.head, complete);
      return (connection) => csvSource(file.path, header, file.lines, connection);
    }
    case 'jsonl':
      return async () => jsonLinesSource(file.path, file.head, complete, file.lines);
    case 'parquet':
      return (connection) => parquetSource(file.path, connection);
    case 'npy':
      return (connection) => npySource(file, labels, labelled, connection);
    default:
      throw new SallyportError('dataset.invalid', `Rows cannot be read from the format ${format}.`, {
        hint: 'Give CSV, JSON lines, Parquet or NPY.',
      });
  }
}

const pathsOf = (files: readonly Fingerprint[]): string[] => files.map(({ path }) => path);

const EXTENSIONS: Readonly<Record<string, DatasetFormat>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.parquet': 'parquet',
  '.npy': 'npy',
};

/** The format by the file's first bytes, else by its name; text that is neither is CSV. */
export function formatOf({ head, fileName }: Pick<Fingerprint, 'head' | 'fileName'>): DatasetFormat {
  const starts = (...bytes: readonly number[]): boolean => bytes.every((byte, at) => head[at] === byte);
  if (starts(0x50, 0x41, 0x52, 0x31)) return 'parquet';
  if (starts(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return 'npy';
  const first = head.find((byte) => byte > 0x20);
  const known = EXTENSIONS[extname(fileName).toLowerCase()];
  if (known === 'csv' || known === 'jsonl') return known;
  return first === 0x7b ? 'jsonl' : 'csv';
}
