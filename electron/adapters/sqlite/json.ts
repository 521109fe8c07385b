import type { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';

/** Parses a row's columns by their schema. What does not fit was not written by this program: `integrity.vault`. */
export function fromRow<Schema extends z.ZodType>(
  schema: Schema,
  row: unknown,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(row);
  if (result.success) return result.data;
  throw unreadable(what, result.error);
}

/** The same for a column of JSON. */
export function fromJson<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  what: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(what, error);
  }
  return fromRow(schema, value, what);
}

function unreadable(what: string, cause: unknown): SallyportError {
  return new SallyportError('integrity.vault', `A stored ${what} cannot be read.`, {
    hint: 'The record was left as it is. Run `sallyport audit verify`, and restore the vault from a backup if it was edited.',
    facts: { record: what },
    cause,
  });
}

export function toJson(value: unknown): string {
  return JSON.stringify(value);
}
