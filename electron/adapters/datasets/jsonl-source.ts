import { closeSync, openSync, readSync } from 'node:fs';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { NOTHING_COMPUTED } from './bad-cells.ts';
import { shown } from './csv-header.ts';
import type { DatasetColumn } from './dataset.ts';
import { identifier, literal } from './locked-database.ts';
import type { ReadPlan, TableSource } from './source.ts';

/** Longest accepted line, bytes. */
const MAX_LINE_BYTES = 2 ** 21;
/** Rows that names and types are told from. A column that only comes later is not seen. */
const SAMPLE_ROWS = 2000;
const MAX_COLUMNS = 10_000;
const NEWLINE = 0x0a;

/** Names and types come from the first lines; the file's names get into SQL as quoted identifiers alone. */
export function jsonLinesSource(
  path: string,
  head: Uint8Array,
  complete: boolean,
  lines: number,
): TableSource {
  const columns = sampleColumns(head, complete);
  const sqlType = (index: number, plan: ReadPlan): string => (plan.numbers.has(index) ? 'DOUBLE' : 'VARCHAR');
  return {
    format: 'jsonl',
    columns,
    named: true,
    exactRows: null,
    estimatedRows: Math.max(1, lines),
    table: (plan) => {
      const typed = columns.map(({ name }, index) => `${identifier(name)}: '${sqlType(index, plan)}'`);
      const renamed = columns.map(({ name }, index) => `${identifier(name)} AS c${index}`);
      return (
        `SELECT ${plan.numbered ? 'row_number() OVER () AS row, ' : ''}${renamed.join(', ')} FROM read_json(${literal(path)}, ` +
        `format = 'newline_delimited', records = true, auto_detect = false, compression = 'uncompressed', ` +
        `maximum_object_size = ${MAX_LINE_BYTES}, columns = {${typed.join(', ')}})`
      );
    },
    sqlType,
    parseError: (cause) => lineError(path, cause),
  };
}

function sampleColumns(head: Uint8Array, complete: boolean): DatasetColumn[] {
  const seen = new Map<string, Set<DatasetColumn['type']>>();
  let rows = 0;
  for (let start = 0; start < head.length && rows < SAMPLE_ROWS; ) {
    const found = head.indexOf(NEWLINE, start);
    if (found < 0 && !complete) break;
    const end = found < 0 ? head.length : found;
    const record = parseLine(head.subarray(start, end));
    start = end + 1;
    if (record === undefined) continue;
    if (record === null) break;
    rows++;
    for (const [name, value] of Object.entries(record)) {
      const types = seen.get(name) ?? new Set();
      if (value !== null) types.add(typeOf(value));
      seen.set(name, types);
    }
  }
  if (rows === 0)
    throw new SallyportError('dataset.invalid', 'The first line is not a JSON object.', {
      hint: 'Give a file of JSON lines: one object with named values on every line, in UTF-8.',
    });
  if (seen.size > MAX_COLUMNS)
    throw new SallyportError(
      'dataset.invalid',
      `The lines name ${seen.size} columns; at most ${MAX_COLUMNS} are read.`,
    );
  const lower = new Map<string, string>();
  for (const name of seen.keys()) {
    const other = lower.get(name.toLowerCase());
    if (name === '' || other !== undefined)
      throw new SallyportError(
        'dataset.columns',
        name === ''
          ? 'A column has no name.'
          : `The columns "${shown(other ?? '')}" and "${shown(name)}" differ in nothing but case.`,
        { hint: 'Rename one of them.' },
      );
    lower.set(name.toLowerCase(), name);
  }
  return [...seen].map(([name, types]) => ({ name, type: common(types) }));
}

/** The object of a line, undefined for a blank one, null for anything else. */
function parseLine(bytes: Uint8Array): Record<string, unknown> | null | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
  } catch {
    return null;
  }
  if (text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    // NaN and Infinity are no JSON, and DuckDB reads them: the row's own check refuses them by name.
    return /\b(?:NaN|Infinity)\b/i.test(text) ? undefined : null;
  }
}

function typeOf(value: unknown): DatasetColumn['type'] {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}|$)/.test(value) ? 'time' : 'text';
}

function common(types: ReadonlySet<DatasetColumn['type']>): DatasetColumn['type'] {
  const [only, ...others] = types;
  if (only !== undefined && others.length === 0) return only;
  return types.size === 2 && types.has('integer') && types.has('number') ? 'number' : 'text';
}

/** The first line that is no JSON object, found by reading the lines again one by one. */
function lineError(path: string, cause: unknown): SallyportError {
  const line = firstBadLine(path);
  return new SallyportError(
    'dataset.invalid',
    line === null
      ? 'The file cannot be read as JSON lines: its lines do not follow one form.'
      : `Line ${line} is not one JSON object with each name once.`,
    {
      hint: `${NOTHING_COMPUTED} Every line needs one object in UTF-8, of at most ${MAX_LINE_BYTES} bytes.`,
      facts: line === null ? {} : { line },
      cause,
    },
  );
}

function firstBadLine(path: string): number | null {
  const file = openSync(path, 'r');
  try {
    const block = Buffer.allocUnsafe(2 ** 20);
    let rest = Buffer.alloc(0);
    let line = 1;
    for (;;) {
      const length = readSync(file, block);
      const bytes = Buffer.concat([rest, block.subarray(0, length)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        if (parseLine(bytes.subarray(start, end)) === null) return line;
        start = end + 1;
        line++;
      }
      rest = bytes.subarray(start);
      if (rest.length > MAX_LINE_BYTES) return line;
      if (length === 0) return parseLine(rest) === null ? line : null;
    }
  } finally {
    closeSync(file);
  }
}
