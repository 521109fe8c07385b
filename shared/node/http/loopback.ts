import { SallyportError } from '../../domain/errors.ts';

/** Whether a host name can only mean this machine. `localhost` counts: it is resolved by the system's own table. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/**
 * A base URL of a service we may talk to: https anywhere, plain http on loopback only; no credentials, query or
 * fragment in it. Answers it without a trailing slash; `input.invalid` otherwise.
 */
export function checkBaseUrl(text: string): string {
  const refuse = (problem: string): SallyportError =>
    new SallyportError('input.invalid', `${JSON.stringify(text)} ${problem}.`, {
      hint: 'Give an address such as https://agent.example:8443, or http://127.0.0.1:8443 on this machine.',
    });
  if (!URL.canParse(text)) throw refuse('is not an address');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('is neither http nor https');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) throw refuse('is plain http to another machine');
  if (url.username !== '' || url.password !== '') throw refuse('has a user name or password in it');
  if (url.search !== '' || url.hash !== '') throw refuse('has a query or fragment in it');
  return url.href.replace(/\/+$/, '');
}
