import { addressProblem } from '../../domain/endpoint/address.ts';
import { SallyportError } from '../../domain/errors.ts';

/** A base URL of a service we may talk to, without a trailing slash; `input.invalid` otherwise. */
export function checkBaseUrl(text: string): string {
  const problem = URL.canParse(text) ? addressProblem(new URL(text)) : 'is not an address';
  if (problem === null) return new URL(text).href.replace(/\/+$/, '');
  throw new SallyportError('input.invalid', `${JSON.stringify(text)} ${problem}.`, {
    hint: 'Give an address such as https://agent.example:8443, or http://127.0.0.1:8443 on this machine.',
  });
}
