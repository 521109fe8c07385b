import { SallyportError } from '../../../shared/domain/errors.ts';
import { NOTHING_COMPUTED } from './bad-cells.ts';

/** The CSV parser's own refusal (ragged row, unterminated quote, line too long) in our words. */
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
    hint: `${NOTHING_COMPUTED} Every line needs as many cells as the first one names.`,
    facts,
    cause,
  });
}
