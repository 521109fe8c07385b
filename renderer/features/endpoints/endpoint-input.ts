/** A fingerprint as people paste it (grouped, colons, upper case) in its one form, or null when it is none. */
export function cleanFingerprint(text: string): string | null {
  const hex = text
    .replace(/^sha256:/i, '')
    .replace(/[\s:-]/g, '')
    .toLowerCase();
  return /^[0-9a-f]{64}$/.test(hex) ? hex : null;
}

/** Why an address cannot be an agent's; null when it can. Plain HTTP is for this machine only. */
export function urlProblem(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'An address such as https://host:8443.';
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'The address begins with https:// (or http:// on this machine).';
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !local) return 'Plain HTTP is allowed on this machine only: use https://.';
  return url.username === '' && url.password === ''
    ? null
    : 'No user name or password in the address: the token is given below.';
}
