/** One file as a table in SQL: what CSV, JSON lines, Parquet and NPY have in common, and how cells become values. */
import type { SallyportError } from '../../../shared/domain/errors.ts';
import type { DatasetFormat } from '../../../shared/domain/evidence/dataset.ts';
import type { DatasetColumn } from './dataset.ts';

/** How a query wants the columns, by index. */
export interface ReadPlan {
  /** Read as numbers by the parser itself, which is faster than a cast afterwards. */
  readonly numbers: ReadonlySet<number>;
  /** True: a column `row` with the number of each row, from 1. */
  readonly numbered: boolean;
}

export interface TableSource {
  readonly format: DatasetFormat;
  readonly columns: readonly DatasetColumn[];
  /** False where the file has no names of its own: then columns go by position. */
  readonly named: boolean;
  /** Rows of the file where it says so, else null. */
  readonly exactRows: number | null;
  readonly estimatedRows: number;
  /** A SELECT with the columns `c0`, `c1`, … in file order, in file order of the rows. */
  table(plan: ReadPlan): string;
  /** SQL type in which the column comes under the plan. */
  sqlType(index: number, plan: ReadPlan): string;
  /** A failure of the parser in our words. */
  parseError(cause: unknown): SallyportError;
}

const NUMERIC = /^(?:FLOAT|DOUBLE|DECIMAL\(.*\)|U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BOOLEAN)$/;

/** True for SQL types that become a number by a plain cast. */
export function isNumericType(sqlType: string): boolean {
  return NUMERIC.test(sqlType);
}

/** SQL: the cell as a 32-bit float; NULL where it is empty or no number. */
export function floatOf(source: TableSource, index: number, plan: ReadPlan, type = 'FLOAT'): string {
  const sqlType = source.sqlType(index, plan);
  if (sqlType === type) return `c${index}`;
  if (isNumericType(sqlType)) return `TRY_CAST(c${index} AS ${type})`;
  if (source.columns[index]?.type === 'boolean') return `CAST(TRY_CAST(c${index} AS BOOLEAN) AS ${type})`;
  return `TRY_CAST(${textOf(source, index, plan)} AS ${type})`;
}

/** SQL: the cell as text. */
export function textOf(source: TableSource, index: number, plan: ReadPlan): string {
  return source.sqlType(index, plan) === 'VARCHAR' ? `c${index}` : `CAST(c${index} AS VARCHAR)`;
}

/** SQL: the cell as an expression of the user sees it: numbers as numbers, times as times, the rest as text. */
export function typedOf(source: TableSource, index: number, plan: ReadPlan): string {
  if (source.sqlType(index, plan) !== 'VARCHAR') return `c${index}`;
  switch (source.columns[index]?.type) {
    case 'number':
    case 'integer':
      return `TRY_CAST(c${index} AS DOUBLE)`;
    case 'boolean':
      return `TRY_CAST(c${index} AS BOOLEAN)`;
    case 'time':
      return `CAST(TRY_CAST(c${index} AS TIMESTAMPTZ) AS TIMESTAMP)`;
    default:
      return `c${index}`;
  }
}

/** Beyond this a number of a time column is milliseconds since 1970, below it seconds (the year 5138). */
const MILLISECONDS_FROM = 1e11;

/** SQL: the cell as milliseconds since 1970, DOUBLE, NaN where it is no time. */
export function timeOf(source: TableSource, index: number, plan: ReadPlan): string {
  const sqlType = source.sqlType(index, plan);
  const type = source.columns[index]?.type;
  let value: string;
  if (/^(?:DATE|TIMESTAMP)/.test(sqlType)) value = `epoch_ms(CAST(c${index} AS TIMESTAMP))`;
  else if (type === 'number' || type === 'integer') {
    const number = floatOf(source, index, plan, 'DOUBLE');
    value = `CASE WHEN abs(${number}) < ${MILLISECONDS_FROM} THEN ${number} * 1000 ELSE ${number} END`;
  } else value = `epoch_ms(TRY_CAST(${textOf(source, index, plan)} AS TIMESTAMPTZ))`;
  return `coalesce(CAST(${value} AS DOUBLE), 'NaN'::DOUBLE)`;
}

/** How DuckDB's types look to a person. */
export function columnType(sqlType: string): DatasetColumn['type'] {
  if (sqlType === 'BOOLEAN') return 'boolean';
  if (/^U?(?:TINY|SMALL|BIG|HUGE)INT$|^U?INTEGER$/.test(sqlType)) return 'integer';
  if (isNumericType(sqlType)) return 'number';
  return /^(?:DATE|TIMESTAMP)/.test(sqlType) ? 'time' : 'text';
}
