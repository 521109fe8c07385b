/** Whether a host name can only mean this machine. `localhost` counts: it is resolved by the system's own table. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** The parts of a URL that decide whether it may be spoken to; the platform's `URL` is one. */
export interface AddressParts {
  readonly protocol: string;
  readonly hostname: string;
  readonly username: string;
  readonly password: string;
  readonly search: string;
  readonly hash: string;
}

/** What is wrong with a base address, or null: https anywhere, plain http on loopback only, nothing secret in it. */
export function addressProblem(url: AddressParts): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is neither http nor https';
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'is plain http to another machine';
  if (url.username !== '' || url.password !== '') return 'has a user name or password in it';
  if (url.search !== '' || url.hash !== '') return 'has a query or fragment in it';
  return null;
}
