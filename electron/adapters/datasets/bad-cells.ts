import type { DuckDBConnection } from '@duckdb/node-api';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { shown } from './csv-header.ts';
import { integerRange, outOfRange } from './input-kinds.ts';
import { LABEL_TEXTS_SHOWN } from './label-text.ts';
import { BAD_LABEL, labelCode } from './labels.ts';
import { floatOf, type ReadPlan, type TableSource, textOf } from './source.ts';

/** Columns whose cells must be usable, by index in the file. */
export interface CheckedColumns {
  readonly features: readonly number[];
  /** ONNX element types by feature; floating point where absent. */
  readonly inputTypes: readonly (string | undefined)[];
  readonly label: number | null;
  readonly labelKind: 'binary' | 'regression';
  readonly positiveValue: string | null;
  /** SQL over typed columns, or null. */
  readonly filter: ((plan: ReadPlan) => string) | null;
}

export const NOTHING_COMPUTED = 'No figure was computed from this file.';
const LISTED_ROWS = 10;
/** As text, numbered: a cell that does not parse must not end the search. */
const AS_TEXT: ReadPlan = { numbers: new Set(), numbered: true };

/**
 * The first row that cannot be used, and how many there are, by reading the file again as text: only ever on the way
 * to an error, so it may be slow. Null where every cell is fine. `connection` has one thread, so that the first bad row
 * is met before a later one that does not parse at all.
 */
export async function findBadCells(
  connection: DuckDBConnection,
  source: TableSource,
  checked: CheckedColumns,
): Promise<SallyportError | null> {
  const { features, inputTypes, label } = checked;
  const tests = features.map((column, at) => {
    const value = floatOf(source, column, AS_TEXT);
    const range = outOfRange(inputTypes[at], floatOf(source, column, AS_TEXT, 'DOUBLE'));
    return `coalesce(NOT isfinite(${value})${range === '' ? '' : ` OR ${range}`}, true)`;
  });
  if (label !== null)
    tests.push(
      checked.labelKind === 'binary'
        ? `${labelCode(source, label, AS_TEXT, checked.positiveValue)} = ${BAD_LABEL}`
        : `coalesce(NOT isfinite(${floatOf(source, label, AS_TEXT, 'DOUBLE')}), true)`,
    );
  if (tests.length === 0) return null;
  const columns = label === null ? features : [...features, label];
  const list = (cell: (column: number) => string): string => `[${columns.map(cell).join(', ')}]`;
  const rows = `(SELECT * FROM (${source.table(AS_TEXT)})${checked.filter === null ? '' : ` WHERE ${checked.filter(AS_TEXT)}`})`;
  const found = await connection.runAndReadAll(
    `SELECT row, ${list((column) => textOf(source, column, AS_TEXT))}, ${list((column) => floatOf(source, column, AS_TEXT, 'DOUBLE'))} ` +
      `FROM (SELECT * FROM ${rows} WHERE ${tests.join(' OR ')} LIMIT 1)`,
  );
  const [first] = found.getRowsJS();
  if (!first) return null;
  const others = await countRows(connection, `FROM ${rows} WHERE ${tests.join(' OR ')}`);
  return explain(
    source,
    checked,
    Number(first[0]),
    first[1] as (string | null)[],
    first[2] as (number | null)[],
    others,
  );
}

interface Others {
  readonly count: number;
  readonly rows: readonly number[];
}

/** How many rows are bad, and the first of them; null where the file does not parse to its end. */
async function countRows(connection: DuckDBConnection, from: string): Promise<Others | null> {
  try {
    const result = await connection.runAndReadAll(`SELECT count(*), min(row, ${LISTED_ROWS}) ${from}`);
    const [row] = result.getRowsJS();
    return { count: Number(row?.[0] ?? 0), rows: ((row?.[1] ?? []) as unknown[]).map(Number) };
  } catch {
    return null;
  }
}

function explain(
  source: TableSource,
  checked: CheckedColumns,
  row: number,
  texts: readonly (string | null)[],
  values: readonly (number | null)[],
  others: Others | null,
): SallyportError {
  const { features, inputTypes, label } = checked;
  for (const [at, column] of features.entries()) {
    const cell = { row, column: source.columns[column]?.name ?? '', text: texts[at] ?? '', others };
    const value = values[at] ?? null;
    if (value === null) return notNumeric(cell);
    if (!Number.isFinite(Math.fround(value))) return nonFinite(cell);
    const range = integerRange(inputTypes[at]);
    if (range !== null && (value < range.low || value > range.high || !Number.isInteger(value)))
      return notInteger(cell, inputTypes[at] as string, range);
  }
  const cell = {
    row,
    column: source.columns[label ?? 0]?.name ?? '',
    text: texts[features.length] ?? '',
    others,
  };
  if (checked.labelKind === 'binary') return badLabel(cell, checked.positiveValue);
  return (values[features.length] ?? null) === null ? notNumeric(cell) : nonFinite(cell);
}

interface Cell {
  readonly row: number;
  readonly column: string;
  readonly text: string;
  readonly others: Others | null;
}

/** One bad cell, and in a second sentence what else is like it. */
function cellError(
  code: 'dataset.invalid' | 'dataset.not-numeric' | 'dataset.non-finite',
  { row, column, text, others }: Cell,
  what: string,
  hint: string,
): SallyportError {
  const more = (others?.count ?? 1) - 1;
  const rows = others?.rows.filter((other) => other !== row) ?? [];
  const rest =
    more === 0
      ? ''
      : ` ${more} more ${more === 1 ? 'row' : 'rows'} cannot be used: ${rows.join(', ')}${more > rows.length ? ', …' : ''}.`;
  return new SallyportError(code, `${what}${rest}`, {
    hint: `${NOTHING_COMPUTED} ${hint}`,
    facts: {
      row,
      column: shown(column),
      value: shown(text),
      ...(others === null ? {} : { badRows: others.count, firstBadRows: others.rows.join(', ') }),
    },
  });
}

const at = ({ row, column }: Cell): string => `Row ${row}, column "${shown(column)}"`;

function nonFinite(cell: Cell): SallyportError {
  return cellError(
    'dataset.non-finite',
    cell,
    Number.isFinite(Number(cell.text))
      ? `${at(cell)}: "${shown(cell.text)}" is beyond the range of 32-bit floating point.`
      : `${at(cell)} is "${shown(cell.text)}", which is not a finite number.`,
    'Models answer such input with a plausible but meaningless label. Correct or remove the row.',
  );
}

function notNumeric(cell: Cell): SallyportError {
  return cellError(
    'dataset.not-numeric',
    cell,
    cell.text.trim() === ''
      ? `${at(cell)} is empty.`
      : `${at(cell)} is "${shown(cell.text)}", which is not a number.`,
    'Correct or remove the row.',
  );
}

function notInteger(
  cell: Cell,
  elementType: string,
  { low, high }: { readonly low: number; readonly high: number },
): SallyportError {
  return cellError(
    'dataset.invalid',
    cell,
    `${at(cell)}: "${shown(cell.text)}" does not fit the model's ${elementType} input, which is fed whole numbers from ${low} to ${high}.`,
    'Correct or remove the row.',
  );
}

function badLabel(cell: Cell, positiveValue: string | null): SallyportError {
  return cellError(
    'dataset.invalid',
    cell,
    cell.text.trim() === ''
      ? `Row ${cell.row} has no label in column "${shown(cell.column)}".`
      : `Row ${cell.row}, label column "${shown(cell.column)}" is "${shown(cell.text)}", which is not a label.`,
    positiveValue === null
      ? `Labels are ${LABEL_TEXTS_SHOWN}; or name the value that means malicious.`
      : 'Every row needs a label.',
  );
}
