import { SallyportError } from '../../../shared/domain/errors.ts';
import type { Answers } from '../../../shared/domain/evidence/answers.ts';
import { createAnswersTable } from '../datasets/answers-table.ts';
import { shown } from '../datasets/csv-header.ts';
import { compileExpression, refused } from '../datasets/expression.ts';
import { literal } from '../datasets/locked-database.ts';
import type { OpenTable } from '../datasets/open-dataset.ts';
import { type ReadPlan, type TableSource, textOf, typedOf } from '../datasets/source.ts';
import { wordsOf } from '../datasets/try-expression.ts';
import type { RowsTask } from './evaluate-task.ts';

/** Every row has its number; no column is forced to be numbers. */
export const ROWS_PLAN: ReadPlan = { numbers: new Set(), numbered: true };

type Query = RowsTask['request']['query'];

/** A search takes no longer, milliseconds. */
const LIMIT_MS = 60_000;
const LETTERS = 'abcdefgh';

/** Those of the chosen rows that lie in the slice and for which the expression is true; places in the answers. */
export async function matchingRows(
  table: OpenTable,
  answers: Answers,
  chosen: Uint32Array,
  query: Pick<Query, 'slice' | 'filter'>,
): Promise<Uint32Array> {
  const { source, database } = table;
  const { connection } = database;
  const conditions: string[] = [];
  if (query.slice !== null) conditions.push(sliceCondition(source, query.slice));
  let joins = false;
  if (query.filter !== null && query.filter.trim() !== '') {
    const own = answerColumns(answers);
    const names = source.columns.map(({ name }) => name);
    const compiled = await compileExpression(connection, query.filter, [
      ...names,
      // A column of the file hides an answer of the same name.
      ...[...own.keys()].filter((name) => !names.includes(name)),
    ]);
    joins = compiled.columns.some((name) => name !== 'row' && !names.includes(name));
    const indices = new Map(names.map((name, index) => [name, index]));
    conditions.push(
      compiled.sql((name) => {
        const index = indices.get(name);
        return index === undefined ? (own.get(name) ?? 'NULL') : typedOf(source, index, ROWS_PLAN);
      }),
    );
  }
  if (conditions.length === 0) return chosen;
  if (joins) await createAnswersTable(connection, answers, chosen);
  const from = `(${source.table(ROWS_PLAN)}) data${joins ? ' JOIN answers ON answers.answer_row = data.row' : ''}`;
  const where = conditions.map((condition) => `(${condition})`).join(' AND ');
  const timer = setTimeout(() => connection.interrupt(), LIMIT_MS);
  try {
    await mustBeBoolean(table, conditions.at(-1) as string, from);
    const placeOf = new Map<number, number>();
    for (const at of chosen) placeOf.set(answers.rowNumbers[at] as number, at);
    const found: number[] = [];
    const result = await connection.stream(`SELECT data.row::UINTEGER FROM ${from} WHERE ${where}`);
    for (
      let chunk = await result.fetchChunk();
      chunk && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      const rows = chunk.getColumnVector(0);
      for (let row = 0; row < chunk.rowCount; row++) {
        const at = placeOf.get(Number(rows.getItem(row)));
        if (at !== undefined) found.push(at);
      }
    }
    return Uint32Array.from(found).sort();
  } catch (cause) {
    throw cause instanceof SallyportError ? cause : refused(wordsOf(cause, source));
  } finally {
    clearTimeout(timer);
  }
}

async function mustBeBoolean(
  { database, source }: OpenTable,
  condition: string,
  from: string,
): Promise<void> {
  const described = await database.connection.runAndReadAll(
    `DESCRIBE SELECT ${condition} AS value FROM ${from}`,
  );
  const type = String(described.getRowsJS()[0]?.[1]);
  if (type !== 'BOOLEAN') throw refused(`It gives ${shown(type)} and not true or false (${source.format}).`);
}

/** What an expression may name beside the file's columns, and where it is. */
function answerColumns(answers: Answers): Map<string, string> {
  const names = new Map([
    ['row', 'data.row'],
    ['label', 'answers.answer_label'],
  ]);
  for (const model of answers.models.keys()) {
    const suffix = answers.models.length === 1 ? '' : `_${LETTERS[model]}`;
    names.set(`score${suffix}`, `answers.score_${model}`);
    names.set(`predicted${suffix}`, `answers.predicted_${model}`);
  }
  return names;
}

const NUMBER = '-?[0-9.]+(?:e[+-]?[0-9]+)?';
const RANGE = new RegExp(`^\\[(${NUMBER}), (${NUMBER})\\)$`);
const BELOW = new RegExp(`^< (${NUMBER})$`);
const FROM = new RegExp(`^≥ (${NUMBER})$`);

/** SQL for a slice as reports name it: a value, a range of numbers, or `(missing)`. */
function sliceCondition(source: TableSource, slice: NonNullable<Query['slice']>): string {
  const index = source.columns.findIndex(({ name }) => name === slice.column);
  if (index < 0)
    throw new SallyportError('input.invalid', `The data has no column "${shown(slice.column)}".`, {
      hint: 'Nothing was changed.',
    });
  if (slice.value === '(other)')
    throw new SallyportError('input.invalid', '"(other)" stands for all rarer values together.', {
      hint: `Choose the rows by an expression, such as ${shown(slice.column)} NOT IN (…).`,
    });
  const text = textOf(source, index, ROWS_PLAN);
  if (slice.value === '(missing)') return `coalesce(${text}, '') = ''`;
  const isNumber = ['number', 'integer', 'boolean'].includes(source.columns[index]?.type ?? 'text');
  const same = `${text} = ${literal(slice.value)}`;
  if (!isNumber) return same;
  // Features are read in single precision, and so are the bounds they were compared with.
  const value = `CAST(TRY_CAST(${typedOf(source, index, ROWS_PLAN)} AS FLOAT) AS DOUBLE)`;
  const number = (digits: string | undefined): string => `${Number(digits)}::DOUBLE`;
  const range = RANGE.exec(slice.value);
  if (range) return `(${value} >= ${number(range[1])} AND ${value} < ${number(range[2])})`;
  const below = BELOW.exec(slice.value);
  if (below) return `${value} < ${number(below[1])}`;
  const from = FROM.exec(slice.value);
  if (from) return `${value} >= ${number(from[1])}`;
  const single = Number(slice.value);
  return Number.isFinite(single) && slice.value.trim() !== ''
    ? `(${same} OR ${value} = CAST(${single}::FLOAT AS DOUBLE))`
    : same;
}
