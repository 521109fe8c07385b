import type { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';

/** Parses a JSON column by its schema. What does not fit was not written by this program: `integrity.vault`. */
export function fromJson<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  what: string,
): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new SallyportError('integrity.vault', `A stored ${what} cannot be read.`, {
      hint: 'The record was left as it is. Run `sallyport audit verify`, and restore the vault from a backup if it was edited.',
      facts: { record: what },
      cause: error,
    });
  }
}

export function toJson(value: unknown): string {
  return JSON.stringify(value);
}
