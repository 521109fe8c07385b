import { SallyportError } from '../errors.ts';

/** Bytes that do not say what they claim to: answered 400. */
export function malformed(message: string): SallyportError {
  return new SallyportError('usage', message);
}

/** A request that can be read and asks for what cannot be: answered 422. */
export function unfit(message: string): SallyportError {
  return new SallyportError('input.invalid', message);
}
