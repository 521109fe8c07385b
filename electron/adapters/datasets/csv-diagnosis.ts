import { SallyportError } from '../../../shared/domain/errors.ts';
import { csvTable, openCsvDatabase } from './csv-database.ts';
import { type CsvHeader, shown } from './csv-header.ts';
import { LABEL_TEXTS, LABEL_TEXTS_SHOWN } from './label-text.ts';

export interface CsvSelection {
  /** Columns read as numbers, by index in the header. */
  readonly features: readonly number[];
  readonly label: number;
}

/** SQL: 0 or 1 for a label cell, -1 for anything else. */
export function labelExpression(column: number): string {
  const list = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(', ');
  return `CASE WHEN lower(trim(c${column})) IN (${list(LABEL_TEXTS[0])}) THEN 0 WHEN lower(trim(c${column})) IN (${list(LABEL_TEXTS[1])}) THEN 1 ELSE -1 END`;
}

/**
 * Finds the first row that cannot be used, by reading the file again as text: only ever on the way to an error, so it
 * may be slow. Answers null where every cell is fine.
 */
export async function findBadCell(
  path: string,
  header: CsvHeader,
  selection: CsvSelection,
): Promise<SallyportError | null> {
  const { features, label } = selection;
  // One thread reads in file order, so that the first bad row is met before a later one that does not parse at all.
  const database = await openCsvDatabase(path, 1);
  try {
    const bad = [
      ...features.map((column) => `coalesce(NOT isfinite(TRY_CAST(c${column} AS FLOAT)), true)`),
      `${labelExpression(label)} < 0`,
    ].join(' OR ');
    const cells = [...features, label].map((column) => `c${column}`).join(', ');
    const numbers = features.map((column) => `TRY_CAST(c${column} AS DOUBLE)`).join(', ');
    const result = await database.connection.run(
      `SELECT row, [${cells}] AS cells, [${numbers}] AS numbers FROM (` +
        `SELECT * FROM (SELECT row_number() OVER () AS row, * FROM ${csvTable(path, header, new Set())}) WHERE ${bad} LIMIT 1)`,
    );
    const [found] = await result.getRowsJS();
    if (!found) return null;
    const row = Number(found[0]);
    const texts = found[1] as (string | null)[];
    const values = found[2] as (number | null)[];
    for (const [index, column] of features.entries()) {
      const name = header.columns[column] ?? '';
      const text = texts[index] ?? '';
      const value = values[index] ?? null;
      if (value === null) return notNumeric(row, name, text);
      if (!Number.isFinite(Math.fround(value))) return nonFinite(row, name, text);
    }
    return badLabel(row, header.columns[label] ?? '', texts[features.length] ?? '');
  } finally {
    database.close();
  }
}

const KEPT = 'No figure was computed from this file.';

export function nonFinite(row: number, column: string, text: string): SallyportError {
  const finite = Number.isFinite(Number(text));
  return new SallyportError(
    'dataset.non-finite',
    finite
      ? `Row ${row}, column "${shown(column)}": "${shown(text)}" is beyond the range of 32-bit floating point.`
      : `Row ${row}, column "${shown(column)}" is "${shown(text)}", which is not a finite number.`,
    {
      hint: `${KEPT} Models answer such input with a plausible but meaningless label. Correct or remove the row.`,
      facts: { row, column: shown(column), value: shown(text) },
    },
  );
}

function notNumeric(row: number, column: string, text: string): SallyportError {
  const empty = text.trim() === '';
  return new SallyportError(
    'dataset.not-numeric',
    empty
      ? `Row ${row}, column "${shown(column)}" is empty.`
      : `Row ${row}, column "${shown(column)}" is "${shown(text)}", which is not a number.`,
    { hint: `${KEPT} Correct or remove the row.`, facts: { row, column: shown(column), value: shown(text) } },
  );
}

function badLabel(row: number, column: string, text: string): SallyportError {
  const empty = text.trim() === '';
  return new SallyportError(
    'dataset.invalid',
    empty
      ? `Row ${row} has no label in column "${shown(column)}".`
      : `Row ${row}, label column "${shown(column)}" is "${shown(text)}", which is not a label.`,
    {
      hint: `${KEPT} Labels are ${LABEL_TEXTS_SHOWN}.`,
      facts: { row, column: shown(column), value: shown(text) },
    },
  );
}

/** The parser's own refusal (ragged row, unterminated quote, line too long) in our words. */
export function parseError(cause: unknown): SallyportError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text);
  const at = line === undefined ? 'A line' : `Row ${Number(line) - 1} (line ${line})`;
  const facts = line === undefined ? {} : { row: Number(line) - 1, line: Number(line) };
  let message = 'The file cannot be read as CSV: its lines do not follow one form.';
  if (counts) message = `${at} has ${counts[2]} columns instead of ${counts[1]}.`;
  else if (/unterminated quote/i.test(text)) message = `${at} opens a quotation mark that is never closed.`;
  else if (/Maximum line size/i.test(text)) message = `${at} is longer than a line may be.`;
  else if (/unicode|utf-?8/i.test(text)) message = `${at} is not UTF-8 text.`;
  else if (line !== undefined) message = `${at} cannot be read as CSV.`;
  return new SallyportError('dataset.invalid', message, {
    hint: `${KEPT} Every line needs as many cells as the first one names.`,
    facts,
    cause,
  });
}
