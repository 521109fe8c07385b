import { SallyportError } from '../../../shared/domain/errors.ts';

export interface CsvHeader {
  readonly delimiter: ',' | ';' | '\t' | '|';
  /** Column names in file order, trimmed; a byte-order mark and quotes are not part of them. */
  readonly columns: readonly string[];
}

const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Most columns a table may have; a "header" with more is not one. */
const MAX_COLUMNS = 10_000;

/**
 * Reads the first line of a CSV file from its first bytes. `complete`: the bytes are the whole file.
 * Errors: `dataset.invalid` (empty, binary, not UTF-8, header too long), `dataset.columns` (empty or repeated name).
 */
export function readCsvHeader(head: Uint8Array, complete: boolean): CsvHeader {
  if (head.length === 0) throw invalid('The file is empty.');
  const line = firstLine(head, complete);
  const delimiter = DELIMITERS.reduce((best, candidate) =>
    splitRecord(line, candidate).length > splitRecord(line, best).length ? candidate : best,
  );
  const columns = splitRecord(line, delimiter).map((name) => name.trim());
  if (columns.length < 2)
    throw invalid('The first line holds a single column: this is not a table of features and labels.');
  if (columns.length > MAX_COLUMNS)
    throw invalid(`The first line holds ${columns.length} columns; at most ${MAX_COLUMNS} are read.`);
  const seen = new Set<string>();
  for (const [index, name] of columns.entries()) {
    if (name === '') throw badColumns(`Column ${index + 1} has no name.`, index + 1, '');
    if (seen.has(name)) throw badColumns(`The column "${shown(name)}" appears twice.`, index + 1, name);
    seen.add(name);
  }
  return { delimiter, columns };
}

function firstLine(head: Uint8Array, complete: boolean): string {
  if (head.includes(0))
    throw invalid('The file is not text (it holds zero bytes): it is not a CSV file in UTF-8.');
  let end = 0;
  let quoted = false;
  for (; end < head.length; end++) {
    const byte = head[end];
    if (byte === 0x22) quoted = !quoted;
    else if (!quoted && (byte === 0x0a || byte === 0x0d)) break;
  }
  if (end === head.length && !complete)
    throw invalid(
      `The first line is longer than ${head.length} bytes: this is not a CSV file with a header.`,
    );
  let text: string;
  try {
    // Strips a byte-order mark.
    text = new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, end));
  } catch {
    throw invalid('The first line is not UTF-8 text.');
  }
  if (text.trim() === '') throw invalid('The first line is empty; it must hold the column names.');
  return text;
}

/** Splits one CSV record (RFC 4180 quoting). */
function splitRecord(line: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index] as string;
    if (quoted && character === '"' && line[index + 1] === '"') {
      field += '"';
      index++;
    } else if (character === '"') {
      quoted = !quoted;
    } else if (character === delimiter && !quoted) {
      fields.push(field);
      field = '';
    } else {
      field += character;
    }
  }
  fields.push(field);
  return fields;
}

/** A name or cell as a message shows it: one line, at most 60 characters. */
export function shown(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ');
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}

function invalid(message: string): SallyportError {
  return new SallyportError('dataset.invalid', message, {
    hint: 'Give a CSV file in UTF-8 whose first line names the columns.',
  });
}

function badColumns(message: string, column: number, name: string): SallyportError {
  return new SallyportError('dataset.columns', message, {
    hint: 'Every column needs a name of its own in the first line.',
    facts: { column, name: shown(name) },
  });
}
