import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { csvTable, openCsvDatabase } from './csv-database.ts';
import { type CsvSelection, findBadCell, labelExpression, nonFinite, parseError } from './csv-diagnosis.ts';
import { type CsvHeader, shown } from './csv-header.ts';

/** Rows of a labelled file, in file order, every value finite and every label 0 or 1. */
export interface LabelledChunk {
  /** 1-based data row of the first row here. */
  readonly firstRow: number;
  readonly rows: number;
  /** One array per selected feature column, in the order of the selection; valid until the next chunk is taken. */
  readonly features: readonly Float32Array[];
  readonly labels: Uint8Array;
  /** The other columns of one row as text, at most 200 characters each. */
  context(row: number): Record<string, string>;
}

export interface CsvSource {
  readonly path: string;
  readonly header: CsvHeader;
  readonly selection: CsvSelection;
  /** Columns handed out as text, by index. */
  readonly context: readonly number[];
}

const MAX_CONTEXT_CHARACTERS = 200;

/** One thread parses ahead while the caller computes; more would take the cores from the model. */
const THREADS = 1;

/** Label code of the row after the last one. */
const END = 2;

/**
 * Streams the file in chunks of at most 2,048 rows; memory does not grow with the file. The next chunk is being read
 * while the caller works on one. Errors: `dataset.not-numeric`, `dataset.non-finite`, `dataset.invalid`, with the first
 * bad row and its column.
 *
 * A failure in the middle of a DuckDB stream looks like its end: no more chunks and no error. So the query appends one
 * row of its own, and a stream that ends without it was cut off.
 */
export async function* readLabelledCsv(source: CsvSource): AsyncGenerator<LabelledChunk> {
  const database = await openCsvDatabase(source.path, THREADS);
  let next: Promise<DuckDBDataChunk | null> = Promise.resolve(null);
  try {
    const result = await explaining(source, () => database.connection.stream(streamQuery(source)));
    let firstRow = 1;
    let ended = false;
    next = fetchChunk(source, result);
    for (let chunk = await next; chunk; chunk = await next) {
      next = fetchChunk(source, result);
      // Awaited only in the next round: without a handler, a failure meanwhile would count as unhandled.
      next.catch(() => {});
      if (ended) throw parseError(new Error('rows after the last one'));
      const codes = floatsOf(chunk, source.selection.features.length);
      ended = codes[chunk.rowCount - 1] === END;
      const rows = ended ? chunk.rowCount - 1 : chunk.rowCount;
      if (rows > 0) yield await toLabelled(source, chunk, codes, firstRow, rows);
      firstRow += rows;
    }
    if (!ended) throw await diagnose(source, new Error('the stream was cut off'));
  } finally {
    // The connection must not close under a fetch that is still running.
    await next.catch(() => null);
    database.close();
  }
}

function streamQuery({ path, header, selection, context }: CsvSource): string {
  const columns = [
    ...selection.features.map((column) => `c${column}`),
    `${labelExpression(selection.label)}::FLOAT`,
    ...context.map((column) => `c${column}`),
  ];
  const end = [...selection.features.map(() => '0::FLOAT'), `${END}::FLOAT`, ...context.map(() => "''")];
  return `SELECT ${columns.join(', ')} FROM ${csvTable(path, header, new Set(selection.features))} UNION ALL SELECT ${end.join(', ')}`;
}

async function fetchChunk(source: CsvSource, result: DuckDBResult): Promise<DuckDBDataChunk | null> {
  const chunk = await explaining(source, () => result.fetchChunk());
  return chunk && chunk.rowCount > 0 ? chunk : null;
}

/** Turns a failure of the typed fast path into the exact row and column. */
async function explaining<T>(source: CsvSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    throw await diagnose(source, cause);
  }
}

/** The first bad cell; else what is known already; else what the parser says of the file. */
async function diagnose(source: CsvSource, cause: unknown): Promise<SallyportError> {
  const known = cause instanceof SallyportError ? cause : null;
  try {
    return (await findBadCell(source.path, source.header, source.selection)) ?? known ?? parseError(cause);
  } catch (structural) {
    // The file does not even parse as text.
    return known ?? parseError(structural);
  }
}

async function toLabelled(
  source: CsvSource,
  chunk: DuckDBDataChunk,
  codes: Float32Array,
  firstRow: number,
  rows: number,
): Promise<LabelledChunk> {
  const { selection, header, context } = source;
  const width = selection.features.length;
  const features = selection.features.map((_, index) => floatsOf(chunk, index));
  for (const [index, values] of features.entries()) {
    for (let row = 0; row < rows; row++) {
      const value = values[row] as number;
      // NaN - NaN and Infinity - Infinity are NaN.
      if (value - value !== 0) {
        const name = header.columns[selection.features[index] ?? 0] ?? '';
        throw await diagnose(source, nonFinite(firstRow + row, name, String(value)));
      }
    }
  }
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const code = codes[row] as number;
    if (code < 0) throw await diagnose(source, new Error('label'));
    labels[row] = code;
  }
  return {
    firstRow,
    rows,
    features,
    labels,
    context: (row) =>
      Object.fromEntries(
        context.map((column, index) => {
          const text = chunk.getColumnVector(width + 1 + index).getItem(row);
          return [
            shown(header.columns[column] ?? ''),
            text === null ? '' : String(text).slice(0, MAX_CONTEXT_CHARACTERS),
          ];
        }),
      ),
  };
}

/**
 * The values of a FLOAT column. The library keeps them in one typed array but offers them one by one, 20 times slower,
 * so the array is taken where it is found.
 */
function floatsOf(chunk: DuckDBDataChunk, column: number): Float32Array {
  const vector = chunk.getColumnVector(column);
  const { items } = vector as unknown as { readonly items?: unknown };
  if (items instanceof Float32Array && items.length >= chunk.rowCount) return items;
  return Float32Array.from({ length: chunk.rowCount }, (_, row) => Number(vector.getItem(row)));
}
