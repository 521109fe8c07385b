import type { DuckDBConnection, DuckDBDataChunk, DuckDBResult, DuckDBVector } from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { type CheckedColumns, findBadCells } from './bad-cells.ts';
import { refused } from './expression.ts';
import { firstOutOfRange, integerRange } from './input-kinds.ts';
import { BAD_LABEL, labelCode } from './labels.ts';
import { openLockedDatabase } from './locked-database.ts';
import { floatOf, type ReadPlan, type TableSource, textOf, timeOf } from './source.ts';
import { wordsOf } from './try-expression.ts';

/** What a query takes from each row. */
export interface ReadColumns extends CheckedColumns {
  readonly texts: readonly number[];
  readonly time: number | null;
  /** Columns the filter looks at. */
  readonly filterColumns: readonly number[];
}

/** Up to 2,048 rows as DuckDB hands them over; every feature finite, every label 0 or 1. */
export interface TableChunk {
  readonly rows: number;
  /** Null where rows come without a gap: then the reader counts. */
  readonly rowNumbers: Uint32Array | null;
  readonly features: readonly Float32Array[];
  readonly labels: Uint8Array | null;
  readonly targets: Float64Array | null;
  readonly times: Float64Array | null;
  text(index: number, row: number): string;
}

/** Opens a source of its own on a database with one thread, for a search in file order. */
export type OpenAgain = <T>(
  work: (source: TableSource, connection: DuckDBConnection) => Promise<T>,
) => Promise<T>;

/**
 * Streams the rows in file order; memory does not grow with the file. Errors name the first bad row and its column.
 *
 * A failure in the middle of a DuckDB stream looks like its end: no more chunks and no error. So the query appends one
 * row of its own, and a stream that ends without it was cut off.
 */
export async function* readTable(
  connection: DuckDBConnection,
  source: TableSource,
  read: ReadColumns,
  again: OpenAgain,
): AsyncGenerator<TableChunk> {
  const explaining = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw await diagnose(source, read, again, cause);
    }
  };
  const numbered = read.filter !== null;
  const result = await explaining(() => connection.stream(streamQuery(source, read)));
  let ended = false;
  for (;;) {
    const chunk = await explaining(() => fetchChunk(result));
    if (chunk === null) break;
    if (ended) throw source.parseError(new Error('rows after the last one'));
    const marks = numbered ? valuesOf(chunk, 0, Uint32Array) : valuesOf(chunk, 0, Uint8Array);
    ended = (marks[chunk.rowCount - 1] as number) === (numbered ? 0 : 1);
    const rows = ended ? chunk.rowCount - 1 : chunk.rowCount;
    if (rows === 0) continue;
    const out = toChunk(chunk, read, rows, numbered ? (marks as Uint32Array) : null);
    if (out === null) throw await diagnose(source, read, again, new Error('bad cell'));
    yield out;
  }
  if (!ended) throw await diagnose(source, read, again, new Error('the stream was cut off'));
}

/** How the columns must come so that everything wanted of them can be computed. */
export function planOf(read: ReadColumns, source: TableSource): ReadPlan {
  const kept = new Set([...read.texts, ...read.filterColumns]);
  if (read.time !== null) kept.add(read.time);
  if (read.label !== null) kept.add(read.label);
  // Under a filter the parser must not fail on a row that is left out: cells are cast after it.
  const numbers = read.filter === null ? read.features : [];
  return {
    numbers: new Set(
      numbers.filter((column) => !kept.has(column) && source.columns[column]?.type !== 'boolean'),
    ),
    numbered: read.filter !== null,
  };
}

function streamQuery(source: TableSource, read: ReadColumns): string {
  const plan = planOf(read, source);
  const fields: [value: string, end: string][] = [
    plan.numbered ? ['row::UINTEGER', '0::UINTEGER'] : ['0::UTINYINT', '1::UTINYINT'],
    ...read.features.map((column): [string, string] => [floatOf(source, column, plan), '0::FLOAT']),
  ];
  if (read.label !== null)
    fields.push(
      read.labelKind === 'binary'
        ? [`(${labelCode(source, read.label, plan, read.positiveValue)})::UTINYINT`, '0::UTINYINT']
        : [floatOf(source, read.label, plan, 'DOUBLE'), '0::DOUBLE'],
    );
  if (read.time !== null) fields.push([timeOf(source, read.time, plan), '0::DOUBLE']);
  for (const column of read.texts) fields.push([textOf(source, column, plan), "''"]);
  const where = read.filter === null ? '' : ` WHERE ${read.filter(plan)}`;
  return (
    `SELECT ${fields.map(([value]) => value).join(', ')} FROM (${source.table(plan)})${where} ` +
    `UNION ALL SELECT ${fields.map(([, end]) => end).join(', ')}`
  );
}

async function fetchChunk(result: DuckDBResult): Promise<DuckDBDataChunk | null> {
  const chunk = await result.fetchChunk();
  return chunk && chunk.rowCount > 0 ? chunk : null;
}

/** The first bad cell; else what the parser says of the file. */
async function diagnose(
  source: TableSource,
  read: ReadColumns,
  again: OpenAgain,
  cause: unknown,
): Promise<SallyportError> {
  if (cause instanceof SallyportError) return cause;
  try {
    return (
      (await again((other, connection) => findBadCells(connection, other, read))) ?? source.parseError(cause)
    );
  } catch (structural) {
    if (structural instanceof SallyportError) return structural;
    // Either the file does not even parse as text, or the filter fails on a row of it.
    if (read.filter !== null && (await again(parses)))
      return refused(`It fails on a row: ${wordsOf(structural, source)}`);
    return source.parseError(structural);
  }
}

async function parses(source: TableSource, connection: DuckDBConnection): Promise<boolean> {
  try {
    await connection.run(`SELECT count(*) FROM (${source.table({ numbers: new Set(), numbered: false })})`);
    return true;
  } catch {
    return false;
  }
}

/** Null where a cell is unusable. */
function toChunk(
  chunk: DuckDBDataChunk,
  read: ReadColumns,
  rows: number,
  rowNumbers: Uint32Array | null,
): TableChunk | null {
  const features: Float32Array[] = [];
  let column = 1;
  for (const at of read.features.keys()) {
    const values = valuesOf(chunk, column, Float32Array);
    if (hasNull(chunk, column, rows) || !allFinite(values, rows)) return null;
    const range = integerRange(read.inputTypes[at]);
    if (range !== null && firstOutOfRange(values, rows, range) >= 0) return null;
    features.push(values);
    column++;
  }
  let labels: Uint8Array | null = null;
  let targets: Float64Array | null = null;
  if (read.label !== null) {
    if (hasNull(chunk, column, rows)) return null;
    if (read.labelKind === 'binary') {
      labels = valuesOf(chunk, column, Uint8Array);
      for (let row = 0; row < rows; row++) if (labels[row] === BAD_LABEL) return null;
    } else {
      targets = valuesOf(chunk, column, Float64Array);
      if (!allFinite(targets, rows)) return null;
    }
    column++;
  }
  const times = read.time === null ? null : valuesOf(chunk, column++, Float64Array);
  const firstText = column;
  return {
    rows,
    rowNumbers,
    features,
    labels,
    targets,
    times,
    text: (index, row) => {
      const text = chunk.getColumnVector(firstText + index).getItem(row);
      return text === null ? '' : String(text);
    },
  };
}

type Numbers = Float32Array | Float64Array | Uint8Array | Uint32Array;

/**
 * The values of a column. The library keeps them in one typed array but offers them one by one, 20 times slower,
 * so the array is taken where it is found.
 */
function valuesOf<T extends Numbers>(
  chunk: DuckDBDataChunk,
  column: number,
  type: { new (length: number): T },
): T {
  const vector = chunk.getColumnVector(column);
  const { items } = vector as unknown as { readonly items?: unknown };
  if (items instanceof type && items.length >= chunk.rowCount) return items;
  const values = new type(chunk.rowCount);
  for (let row = 0; row < values.length; row++) values[row] = Number(vector.getItem(row));
  return values;
}

/**
 * NULL has no value of its own in a vector: whether there is one is told by the validity mask, one bit a row. It is read
 * 32 rows at once; the library's own answer for one row costs more than all else that is done with it.
 */
function hasNull(chunk: DuckDBDataChunk, column: number, rows: number): boolean {
  const vector: DuckDBVector = chunk.getColumnVector(column);
  const { data } = (vector as unknown as { readonly validity: { readonly data: BigUint64Array | null } })
    .validity;
  if (data === null) return false;
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  const whole = rows >>> 5;
  for (let word = 0; word < whole; word++) if (words[word] !== 0xffffffff) return true;
  // As 32 bits: with 31 rows left, 1 << 31 is negative and one less is no such number any more.
  const rest = ((1 << (rows & 31)) - 1) | 0;
  return ((words[whole] ?? 0) & rest) !== rest;
}

function allFinite(values: Float32Array | Float64Array, rows: number): boolean {
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number;
    // NaN - NaN and Infinity - Infinity are NaN.
    if (value - value !== 0) return false;
  }
  return true;
}

/** `OpenAgain` over a fresh database that reads the same files in one thread. */
export function openerOf(
  paths: readonly string[],
  open: (connection: DuckDBConnection) => Promise<TableSource>,
): OpenAgain {
  return async (work) => {
    const database = await openLockedDatabase(paths, 1);
    try {
      return await work(await open(database.connection), database.connection);
    } finally {
      database.close();
    }
  };
}
