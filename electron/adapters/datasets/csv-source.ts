import type { DuckDBConnection } from '@duckdb/node-api';
import type { CsvHeader } from './csv-header.ts';
import { parseError } from './csv-parse-error.ts';
import type { DatasetColumn } from './dataset.ts';
import { literal } from './locked-database.ts';
import type { ReadPlan, TableSource } from './source.ts';

/** A cell never equals this, so an empty cell of a numeric column is an error and not a silent NULL. */
const NO_NULL_TEXT = '\u0001no null\u0001';

/** Longest accepted line, bytes. */
const MAX_LINE_BYTES = 2 ** 21;

/** Rows that a column's type is told from, fewer of very wide data; features are checked on every row whatever it says. */
const SAMPLE_ROWS = 2000;
const SAMPLE_CELLS = 1_000_000;
/** Columns asked for at once: the time that a query is planned in rises with the square of its columns. */
const COLUMNS_AT_ONCE = 100;

/** Types are given: sniffing costs more than reading. No text of the file gets into SQL but the path, as a literal. */
export async function csvSource(
  path: string,
  header: CsvHeader,
  lines: number,
  connection: DuckDBConnection,
): Promise<TableSource> {
  const sqlType = (index: number, plan: ReadPlan): string => (plan.numbers.has(index) ? 'FLOAT' : 'VARCHAR');
  const table = (plan: ReadPlan): string => {
    const columns = header.columns.map((_, index) => `c${index}: '${sqlType(index, plan)}'`).join(', ');
    return (
      `SELECT ${plan.numbered ? 'row_number() OVER () AS row, ' : ''}* FROM read_csv(${literal(path)}, auto_detect = false, header = true, ` +
      `delim = ${literal(header.delimiter)}, quote = '"', escape = '"', nullstr = ${literal(NO_NULL_TEXT)}, compression = 'none', ` +
      `strict_mode = true, max_line_size = ${MAX_LINE_BYTES}, columns = {${columns}})`
    );
  };
  const texts = table({ numbers: new Set(), numbered: false });
  return {
    format: 'csv',
    columns: await sampleTypes(connection, texts, header.columns),
    named: true,
    exactRows: null,
    // One line is the header; quoted line ends only make the estimate too high.
    estimatedRows: Math.max(1, lines - 1),
    table,
    sqlType,
    parseError,
  };
}

/** Tells the columns' types from the first rows of an all-text table. A file that does not parse has text columns. */
async function sampleTypes(
  connection: DuckDBConnection,
  texts: string,
  names: readonly string[],
): Promise<DatasetColumn[]> {
  const rows = Math.ceil(Math.min(SAMPLE_ROWS, SAMPLE_CELLS / names.length));
  try {
    await connection.run(`CREATE TEMP TABLE first_rows AS SELECT * FROM (${texts}) LIMIT ${rows}`);
    const types: DatasetColumn['type'][] = [];
    for (let from = 0; from < names.length; from += COLUMNS_AT_ONCE)
      types.push(...(await typesOf(connection, from, Math.min(names.length, from + COLUMNS_AT_ONCE))));
    await connection.run('DROP TABLE first_rows');
    return names.map((name, index) => ({ name, type: types[index] ?? 'text' }));
  } catch {
    // Said with its row and line when the rows are read.
    return names.map((name) => ({ name, type: 'text' }));
  }
}

/** The types of some columns of the first rows. */
async function typesOf(
  connection: DuckDBConnection,
  from: number,
  to: number,
): Promise<DatasetColumn['type'][]> {
  const columns = Array.from({ length: to - from }, (_, index) => `c${from + index}`);
  const every = (test: (cell: string) => string): string =>
    `[${columns.map((cell) => `coalesce(bool_and(CASE WHEN ${cell} IS NOT NULL THEN ${test(cell)} END), false)`).join(', ')}]`;
  const tests = [
    every((cell) => `TRY_CAST(${cell} AS DOUBLE) IS NOT NULL`),
    every((cell) => `regexp_full_match(trim(${cell}), '[+-]?[0-9]{1,15}')`),
    every((cell) => `lower(trim(${cell})) IN ('true', 'false')`),
    every(
      (cell) =>
        `regexp_matches(${cell}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') AND TRY_CAST(${cell} AS TIMESTAMPTZ) IS NOT NULL`,
    ),
  ];
  const filled = columns.map((cell) => `CASE WHEN trim(${cell}) <> '' THEN ${cell} END AS ${cell}`);
  const result = await connection.runAndReadAll(
    `SELECT ${tests.join(', ')} FROM (SELECT ${filled.join(', ')} FROM first_rows)`,
  );
  const [row] = result.getRowsJS() as [boolean[][]];
  const [number, integer, boolean, time] = row as [boolean[], boolean[], boolean[], boolean[]];
  return columns.map((_, index) =>
    integer[index]
      ? 'integer'
      : number[index]
        ? 'number'
        : boolean[index]
          ? 'boolean'
          : time[index]
            ? 'time'
            : 'text',
  );
}
