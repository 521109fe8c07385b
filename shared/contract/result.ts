import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, SallyportError } from '../domain/errors.ts';

export const wireErrorSchema = z.object({
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  hint: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type WireError = z.infer<typeof wireErrorSchema>;

/** What every call across the window's border answers. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

/** The one place where a thrown error becomes data. An unknown error keeps its text out of the wire. */
export function toWireError(error: unknown): WireError {
  if (error instanceof SallyportError) {
    return { code: error.code, message: error.message, hint: error.hint ?? '', facts: { ...error.facts } };
  }
  return {
    code: 'unexpected',
    message: 'Something unexpected went wrong.',
    hint: 'Nothing was changed by this call. The log in the data folder has the details.',
    facts: {},
  };
}

export function fromWireError(error: WireError): SallyportError {
  return new SallyportError(
    error.code,
    error.message,
    error.hint === '' ? { facts: error.facts } : { hint: error.hint, facts: error.facts },
  );
}
