import { SallyportError } from '../../../shared/domain/errors.ts';

/** One column of an NPY file: a field of a structured type, or one place of a plain matrix. */
export interface NpyColumn {
  readonly name: string;
  /** f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 */
  readonly kind: string;
  readonly littleEndian: boolean;
  /** Bytes from the start of a row (C order), or of the element within its column (Fortran order). */
  readonly offset: number;
}

export interface NpyHeader {
  readonly columns: readonly NpyColumn[];
  /** False for a plain matrix, whose columns have no names. */
  readonly named: boolean;
  readonly rows: number;
  /** Bytes from one row to the next, within a column. */
  readonly rowStride: number;
  /** Bytes before the first value. */
  readonly dataStart: number;
  /** Bytes of all values: what the file must have after its header. */
  readonly dataBytes: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy itself refuses longer headers unless told to trust the file. */
const MAX_HEADER_BYTES = 64 * 1024;
const MAX_COLUMNS = 10_000;
const MAX_ROWS = 2 ** 32 - 2;
const SIZES: Readonly<Record<string, number>> = {
  f2: 2,
  f4: 4,
  f8: 8,
  i1: 1,
  i2: 2,
  i4: 4,
  i8: 8,
  u1: 1,
  u2: 2,
  u4: 4,
  u8: 8,
  b1: 1,
};

/**
 * Reads the header of an NPY file (NumPy format 1.0 to 3.0) from its first bytes. The Python literal in it is read by a
 * parser of the few forms that NumPy writes; nothing is ever evaluated. Throws `dataset.invalid`.
 */
export function readNpyHeader(head: Uint8Array): NpyHeader {
  if (MAGIC.some((byte, at) => head[at] !== byte)) throw invalid('it does not start like one');
  const major = head[6] ?? 0;
  if (major < 1 || major > 3) throw invalid(`its format version is ${major}`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const start = major === 1 ? 10 : 12;
  if (head.length < start) throw invalid('its header is cut off');
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) throw invalid(`its header has ${length} bytes`);
  if (head.length < start + length) throw invalid('its header is cut off');
  const text = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(head.subarray(start, start + length));
  const fields = new Literal(text).dictionary();
  const shape = fields.get('shape');
  const fortran = fields.get('fortran_order');
  const type = fields.get('descr');
  if (fields.size !== 3 || typeof fortran !== 'boolean' || !isShape(shape) || type === undefined)
    throw invalid('its header does not name type, order and shape');
  return layout(type, fortran, shape, start + length);
}

function layout(type: Value, fortran: boolean, shape: readonly number[], dataStart: number): NpyHeader {
  const [rows = 0, width = 1] = shape;
  if (shape.length < 1 || shape.length > 2) throw invalid(`it has ${shape.length} dimensions instead of 2`);
  if (rows > MAX_ROWS) throw invalid(`it has ${rows} rows`);
  if (Array.isArray(type)) {
    if (shape.length !== 1) throw invalid('a structured type goes with one dimension');
    let offset = 0;
    const columns = type.map((field): NpyColumn => {
      const [name, kind] = Array.isArray(field) ? field : [];
      if (typeof name !== 'string' || typeof kind !== 'string' || (field as readonly Value[]).length !== 2)
        throw invalid('a field of its type is neither a name nor a number');
      const column = { name, ...element(kind), offset };
      offset += SIZES[column.kind] ?? 0;
      return column;
    });
    const names = new Set(columns.map(({ name }) => name));
    if (columns.length === 0 || names.size !== columns.length || names.has(''))
      throw invalid('its fields do not have a name each');
    return checked({ columns, named: true, rows, rowStride: offset, dataStart, dataBytes: rows * offset });
  }
  if (typeof type !== 'string') throw invalid('its type is unknown');
  const { kind, littleEndian } = element(type);
  const size = SIZES[kind] ?? 0;
  if (width < 1 || width > MAX_COLUMNS) throw invalid(`it has ${width} columns`);
  const columns = Array.from({ length: width }, (_, index) => ({
    name: `column_${index + 1}`,
    kind,
    littleEndian,
    offset: fortran ? index * rows * size : index * size,
  }));
  const rowStride = fortran ? size : width * size;
  return checked({ columns, named: false, rows, rowStride, dataStart, dataBytes: rows * width * size });
}

function checked(header: NpyHeader): NpyHeader {
  if (header.columns.length > MAX_COLUMNS) throw invalid(`it has ${header.columns.length} columns`);
  if (!Number.isSafeInteger(header.dataBytes)) throw invalid('its shape is beyond all files');
  return header;
}

/** `<f4`, `|u1`, `>i8`, `?`: byte order and kind of an element. */
function element(type: string): { readonly kind: string; readonly littleEndian: boolean } {
  const match = /^([<>|=])?([fiub])([1248])$/.exec(type === '?' || type === '|?' ? '|b1' : type);
  const kind = `${match?.[2]}${match?.[3]}`;
  if (match === null || SIZES[kind] === undefined)
    throw invalid(`its type "${type.slice(0, 20)}" is none of bool, integer and float (f2, f4, f8)`);
  return { kind, littleEndian: match[1] !== '>' };
}

type Value = string | number | boolean | readonly Value[];

function isShape(value: Value | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => typeof size === 'number');
}

/** Parser of the Python literals that NumPy writes: strings, whole numbers, booleans, tuples, lists, one dictionary. */
class Literal {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dictionary(): ReadonlyMap<string, Value> {
    const entries = new Map<string, Value>();
    this.#expect('{');
    while (!this.#take('}')) {
      const key = this.#value(0);
      if (typeof key !== 'string' || entries.has(key)) throw invalid('its header repeats a name');
      this.#expect(':');
      entries.set(key, this.#value(0));
      if (!this.#take(',')) {
        this.#expect('}');
        break;
      }
    }
    if (this.#text.slice(this.#at).trim() !== '') throw invalid('its header goes on after its end');
    return entries;
  }

  #value(depth: number): Value {
    if (depth > 4) throw invalid('its header nests too deep');
    if (this.#take('(')) return this.#items(')', depth);
    if (this.#take('[')) return this.#items(']', depth);
    const rest = this.#text.slice(this.#at, this.#at + 1000);
    const match = /^(?:'([^'\\\n]*)'|"([^"\\\n]*)"|(\d{1,16})L?(?![\w.])|(True|False)(?!\w))/.exec(rest);
    if (match === null) throw invalid('its header is no plain description');
    this.#at += match[0].length;
    const [, single, double, digits, word] = match;
    if (digits !== undefined) return Number(digits);
    return word === undefined ? (single ?? double ?? '') : word === 'True';
  }

  #items(close: string, depth: number): readonly Value[] {
    const items: Value[] = [];
    while (!this.#take(close)) {
      items.push(this.#value(depth + 1));
      if (items.length > MAX_COLUMNS) throw invalid('its header lists too much');
      if (!this.#take(',')) {
        this.#expect(close);
        break;
      }
    }
    return items;
  }

  /** Takes a mark after blanks; where a value is to follow, the blanks before it too. */
  #take(mark: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    this.#skip();
    return true;
  }

  #skip(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #expect(mark: string): void {
    if (!this.#take(mark)) throw invalid('its header is no plain description');
  }
}

function invalid(why: string): SallyportError {
  return new SallyportError('dataset.invalid', `The file cannot be read as NPY: ${why}.`, {
    hint: 'Save a two-dimensional array of numbers, or a structured one, with numpy.save.',
  });
}
