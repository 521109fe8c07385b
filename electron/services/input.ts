import type { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';

/** Checks a service's input by its schema; what does not fit is `input.invalid`, named by its first field. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  throw new SallyportError(
    'input.invalid',
    issue ? `${field === '' ? '' : `${field}: `}${issue.message}` : 'The input is not valid.',
    {
      hint: 'Nothing was changed.',
      facts: { field },
    },
  );
}
