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

/** Rows that a column's type is told from; features are checked on every row whatever it says. */
const SAMPLE_ROWS = 2000;

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
  const every = (test: (cell: string) => string): string =>
    `[${names.map((_, index) => `coalesce(bool_and(CASE WHEN c${index} IS NOT NULL THEN ${test(`c${index}`)} END), false)`).join(', ')}]`;
  const tests = [
    every((cell) => `TRY_CAST(${cell} AS DOUBLE) IS NOT NULL`),
    every((cell) => `regexp_full_match(trim(${cell}), '[+-]?[0-9]{1,15}')`),
    every((cell) => `lower(trim(${cell})) IN ('true', 'false')`),
    every(
      (cell) =>
        `regexp_matches(${cell}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') AND TRY_CAST(${cell} AS TIMESTAMPTZ) IS NOT NULL`,
    ),
  ];
  const filled = names.map((_, index) => `CASE WHEN trim(c${index}) <> '' THEN c${index} END AS c${index}`);
  try {
    const result = await connection.runAndReadAll(
      `SELECT ${tests.join(', ')} FROM (SELECT ${filled.join(', ')} FROM (${texts}) LIMIT ${SAMPLE_ROWS})`,
    );
    const [row] = result.getRowsJS() as [boolean[][]];
    const [number, integer, boolean, time] = row as [boolean[], boolean[], boolean[], boolean[]];
    return names.map((name, index) => ({
      name,
      type: integer[index]
        ? 'integer'
        : number[index]
          ? 'number'
          : boolean[index]
            ? 'boolean'
            : time[index]
              ? 'time'
              : 'text',
    }));
  } catch {
    // Said with its row and line when the rows are read.
    return names.map((name) => ({ name, type: 'text' }));
  }
}
