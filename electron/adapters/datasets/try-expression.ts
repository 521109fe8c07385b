import type { DuckDBConnection } from '@duckdb/node-api';
import { shown } from './csv-header.ts';
import { type CompiledExpression, refused } from './expression.ts';
import { type ReadPlan, type TableSource, typedOf } from './source.ts';

const PLAN: ReadPlan = { numbers: new Set(), numbered: false };
/** Rows an expression is tried on, step by step: one that is slow is found out on few. */
const STEPS = [1, 32, 1024] as const;
/** Most milliseconds that all steps together may take. */
const LIMIT_MS = 5000;

/** SQL of the expression over the table's columns as they come under a plan. */
export function expressionSql(expression: CompiledExpression, source: TableSource, plan: ReadPlan): string {
  const indices = new Map(source.columns.map(({ name }, index) => [name, index]));
  return expression.sql((name) => typedOf(source, indices.get(name) ?? 0, plan));
}

/**
 * Refuses an expression that is not true or false, does not fit the columns' types, fails on the first rows, or takes
 * too long on them. What is wrong with the file itself is left to the reading.
 */
export async function tryExpression(
  connection: DuckDBConnection,
  source: TableSource,
  expression: CompiledExpression,
): Promise<void> {
  const sql = expressionSql(expression, source, PLAN);
  const table = source.table(PLAN);
  let type: string;
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT ${sql} AS value FROM (${table})`);
    type = String(described.getRowsJS()[0]?.[1]);
  } catch (cause) {
    throw refused(wordsOf(cause, source));
  }
  if (type !== 'BOOLEAN') throw refused(`It gives ${shown(type)} and not true or false.`);
  const started = performance.now();
  for (const rows of STEPS) {
    const first = `(SELECT * FROM (${table}) LIMIT ${rows})`;
    try {
      await connection.run(`SELECT count(*) FROM ${first}`);
    } catch {
      return;
    }
    const timer = setTimeout(() => connection.interrupt(), LIMIT_MS);
    try {
      await connection.run(`SELECT count(*) FROM ${first} WHERE ${sql}`);
    } catch (cause) {
      throw refused(wordsOf(cause, source));
    } finally {
      clearTimeout(timer);
    }
    if (performance.now() - started > LIMIT_MS)
      throw refused(`It takes more than ${LIMIT_MS / 1000} seconds for ${rows} rows.`);
  }
}

/** DuckDB's message with the columns' own names, one line. */
export function wordsOf(cause: unknown, source: TableSource): string {
  const message = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
  const named = message.replaceAll(
    /\bc(\d+)\b/g,
    (text, index) => source.columns[Number(index)]?.name ?? text,
  );
  return `${named.slice(0, 300)}${/[.!?]$/.test(named) ? '' : '.'}`;
}
