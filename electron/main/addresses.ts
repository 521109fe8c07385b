export const APP_SCHEME = 'app';
export const APP_HOST = 'console';
export const APP_URL = `${APP_SCHEME}://${APP_HOST}/`;

/** True for an address of our own window; custom schemes have no comparable `origin` in WHATWG URLs. */
export function isAppUrl(url: string): boolean {
  try {
    const parsed = new URL(url);
    return parsed.protocol === `${APP_SCHEME}:` && parsed.host === APP_HOST;
  } catch {
    return false;
  }
}

/** Documentation and specifications a help link may open in the user's browser; nothing else leaves the program. */
const EXTERNAL_HOSTS: ReadonlySet<string> = new Set([
  'github.com',
  'www.w3.org',
  'onnx.ai',
  'c2sp.org',
  'age-encryption.org',
]);

/** True for an address that may be handed to the system's browser: HTTPS, a known host, no credentials. */
export function isExternalAllowed(url: string): boolean {
  try {
    const { protocol, hostname, username, password, port } = new URL(url);
    return (
      protocol === 'https:' &&
      EXTERNAL_HOSTS.has(hostname) &&
      username === '' &&
      password === '' &&
      port === ''
    );
  } catch {
    return false;
  }
}
