import { closeSync, openSync, readSync } from 'node:fs';
import {
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBTableFunction,
  type DuckDBType,
  FLOAT,
  UINTEGER,
} from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { smallFloat } from '../../../shared/domain/onnx/small-floats.ts';
import type { DatasetColumn } from './dataset.ts';
import { type NpyColumn, type NpyHeader, readNpyHeader } from './npy-header.ts';
import type { ReadPlan, TableSource } from './source.ts';

/** Rows of one vector of DuckDB. */
const CHUNK_ROWS = 2048;
/** Bytes read at once from a column of a Fortran-ordered file, or from the rows of a C-ordered one. */
const MAX_BLOCK_BYTES = 4 * 2 ** 20;
/** The label column of a matrix without names, when it comes from the matrix itself. */
const LABEL = 'label';

export interface NpyFile {
  readonly path: string;
  readonly head: Uint8Array;
  readonly sizeBytes: number;
}

/**
 * An NPY file as a table: a function of the locked database hands it the rows, block by block. In a matrix without
 * names the labels are `labels`, a second file with one number a row; else the last column where the data is labelled.
 */
export async function npySource(
  file: NpyFile,
  labels: NpyFile | null,
  labelled: boolean,
  connection: DuckDBConnection,
): Promise<TableSource> {
  const header = headerOf(file);
  const last = header.columns.length - 1;
  const lastIsLabel = labels === null && labelled && !header.named && last > 0;
  const parts: Part[] = [
    {
      file,
      header,
      columns: header.columns.map((column, index) =>
        lastIsLabel && index === last ? { ...column, name: LABEL } : column,
      ),
    },
  ];
  if (labels !== null) parts.push(labelPart(labels, header.rows));
  const columns = parts.flatMap((part) => part.columns);
  const types = columns.map(({ kind }) => sqlTypeOf(kind));
  const names = columns.map((_, index) => `c${index}`);
  registerRows(connection, parts, types, header.rows);
  return {
    format: 'npy',
    columns: columns.map(({ name, kind }) => ({ name, type: typeOf(kind) })),
    named: header.named,
    exactRows: header.rows,
    estimatedRows: header.rows,
    table: (plan: ReadPlan) => `SELECT ${plan.numbered ? 'row, ' : ''}${names.join(', ')} FROM ${FUNCTION}()`,
    sqlType: (index) => String(types[index] ?? FLOAT),
    parseError: (cause) =>
      new SallyportError('dataset.invalid', 'The NPY file could not be read to its end.', {
        hint: 'No figure was computed from this file. Save it again with numpy.save.',
        cause,
      }),
  };
}

const FUNCTION = 'npy_rows';

interface Part {
  readonly file: NpyFile;
  readonly header: NpyHeader;
  readonly columns: readonly NpyColumn[];
}

function headerOf(file: NpyFile): NpyHeader {
  const header = readNpyHeader(file.head);
  const held = file.sizeBytes - header.dataStart;
  if (held !== header.dataBytes)
    throw new SallyportError(
      'dataset.invalid',
      `The NPY file holds ${held} bytes of values and its header says ${header.dataBytes}.`,
      { hint: 'It was cut off or changed. Save it again with numpy.save.' },
    );
  return header;
}

function labelPart(file: NpyFile, rows: number): Part {
  const header = headerOf(file);
  const [column, ...others] = header.columns;
  if (column === undefined || others.length > 0 || header.rows !== rows)
    throw new SallyportError(
      'dataset.columns',
      `The labels are ${header.rows} rows of ${header.columns.length} columns, and the data has ${rows} rows.`,
      { hint: 'Save one label a row, as a one-dimensional array.' },
    );
  return { file, header, columns: [{ ...column, name: LABEL }] };
}

/** One column as it is filled: where its values are and how they are read. */
interface Place {
  readonly part: number;
  readonly column: NpyColumn;
  readonly read: (view: DataView, at: number) => number;
}

/** Where a scan stands, and which columns it is asked for, by index; the one after the last is the row number. */
interface Scan {
  row: number;
  readonly wanted: readonly number[];
}

function registerRows(
  connection: DuckDBConnection,
  parts: readonly Part[],
  types: readonly DuckDBType[],
  rows: number,
): void {
  const places = parts.flatMap(({ columns }, part) =>
    columns.map((column): Place => ({ part, column, read: readerOf(column) })),
  );
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name: FUNCTION,
      supportsProjectionPushdown: true,
      bindFunction: (bind) => {
        for (const [index, type] of types.entries()) bind.addResultColumn(`c${index}`, type);
        bind.addResultColumn('row', UINTEGER);
        bind.setCardinality(rows, true);
      },
      initFunction: (init) => {
        // Rows come in file order only from one thread.
        init.setMaxThreads(1);
        const scan: Scan = { row: 0, wanted: init.getColumnIndexes() };
        init.setInitData(scan);
      },
      mainFunction: (info, chunk) => {
        try {
          const scan = info.getInitData() as Scan;
          const count = Math.min(blockRows(parts), rows - scan.row);
          chunk.rowCount = count;
          if (count > 0) fill(chunk, scan, count, parts, places);
          scan.row += count;
        } catch (cause) {
          info.setError(cause instanceof Error ? cause.message : String(cause));
        }
      },
    }),
  );
}

/** Rows taken at once: a vector's worth, fewer where rows are very wide. */
function blockRows(parts: readonly Part[]): number {
  const stride = Math.max(1, ...parts.map(({ header }) => header.rowStride));
  return Math.max(1, Math.min(CHUNK_ROWS, Math.floor(MAX_BLOCK_BYTES / stride)));
}

function fill(
  chunk: DuckDBDataChunk,
  { row, wanted }: Scan,
  count: number,
  parts: readonly Part[],
  places: readonly Place[],
): void {
  const blocks = new Blocks(parts, row, count);
  try {
    for (const [at, index] of wanted.entries()) {
      const vector = chunk.getColumnVector(at);
      // The library has one typed array in each vector of numbers and offers to set its values one by one only.
      const { items } = vector as unknown as { readonly items: Float32Array | Float64Array | Uint32Array };
      const place = places[index];
      if (place === undefined) for (let at = 0; at < count; at++) items[at] = row + at + 1;
      else {
        const { view, first, stride } = blocks.of(place);
        for (let at = 0; at < count; at++) items[at] = place.read(view, first + at * stride);
      }
      vector.flush();
    }
  } finally {
    blocks.close();
  }
}

/** The bytes of some rows. Rows lie side by side in C order and are read once; a column by itself in Fortran order. */
class Blocks {
  readonly #parts: readonly Part[];
  readonly #row: number;
  readonly #count: number;
  readonly #files: (number | undefined)[] = [];
  readonly #rows: (DataView | undefined)[] = [];

  constructor(parts: readonly Part[], row: number, count: number) {
    this.#parts = parts;
    this.#row = row;
    this.#count = count;
  }

  /** Where the values of a column are: the first one at `first`, the next ones `stride` bytes on. */
  of({ part, column }: Place): { readonly view: DataView; readonly first: number; readonly stride: number } {
    const { header } = this.#parts[part] as Part;
    const { rowStride, dataStart } = header;
    const length = this.#count * rowStride;
    if (column.offset >= rowStride) {
      const view = this.#read(part, dataStart + column.offset + this.#row * rowStride, length);
      return { view, first: 0, stride: rowStride };
    }
    this.#rows[part] ??= this.#read(part, dataStart + this.#row * rowStride, length);
    return { view: this.#rows[part], first: column.offset, stride: rowStride };
  }

  close(): void {
    for (const file of this.#files) if (file !== undefined) closeSync(file);
  }

  #read(part: number, position: number, length: number): DataView {
    const { path } = (this.#parts[part] as Part).file;
    this.#files[part] ??= openSync(path, 'r');
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const read = readSync(this.#files[part], bytes, done, length - done, position + done);
      if (read === 0) throw new Error('the file ends early');
      done += read;
    }
    return new DataView(bytes.buffer);
  }
}

function readerOf({ kind, littleEndian }: NpyColumn): Place['read'] {
  switch (kind) {
    case 'f2':
      return (view, at) => smallFloat('float16', view.getUint16(at, littleEndian));
    case 'f4':
      return (view, at) => view.getFloat32(at, littleEndian);
    case 'f8':
      return (view, at) => view.getFloat64(at, littleEndian);
    case 'i1':
      return (view, at) => view.getInt8(at);
    case 'i2':
      return (view, at) => view.getInt16(at, littleEndian);
    case 'i4':
      return (view, at) => view.getInt32(at, littleEndian);
    case 'i8':
      return (view, at) => Number(view.getBigInt64(at, littleEndian));
    case 'u2':
      return (view, at) => view.getUint16(at, littleEndian);
    case 'u4':
      return (view, at) => view.getUint32(at, littleEndian);
    case 'u8':
      return (view, at) => Number(view.getBigUint64(at, littleEndian));
    default:
      return (view, at) => view.getUint8(at);
  }
}

/** Types of up to 24 significant bits are exact as FLOAT; 64-bit integers beyond 2^53 are rounded. */
function sqlTypeOf(kind: string): DuckDBType {
  return ['f2', 'f4', 'i1', 'i2', 'u1', 'u2', 'b1'].includes(kind) ? FLOAT : DOUBLE;
}

function typeOf(kind: string): DatasetColumn['type'] {
  return kind.startsWith('f') ? 'number' : 'integer';
}
