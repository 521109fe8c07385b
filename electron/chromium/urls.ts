/**
 * Chromium knows no custom scheme without a flag in its own source, so `app://console/x` is shown to it as
 * `https://console.app.invalid/x`: a secure context with storage of its own, under a top-level domain that
 * never resolves (RFC 2606). Requests for it are answered before any name is looked up.
 */
const SUFFIX = '.invalid';

/** The address Chromium sees for a custom-scheme URL; other URLs are unchanged. */
export function toBrowserUrl(url: string, schemes: ReadonlySet<string>): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([\s\S]*)$/i.exec(url);
  const scheme = match?.[1]?.toLowerCase();
  if (match === null || scheme === undefined || !schemes.has(scheme)) return url;
  return `https://${match[2]}.${scheme}${SUFFIX}${match[3] === '' ? '/' : match[3]}`;
}

/** The custom-scheme URL behind an address of Chromium's; other URLs are unchanged. */
export function toAppUrl(url: string, schemes: ReadonlySet<string>): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return url;
  }
  if (parsed.protocol !== 'https:' || parsed.port !== '' || !parsed.hostname.endsWith(SUFFIX)) return url;
  const labels = parsed.hostname.slice(0, -SUFFIX.length).split('.');
  const scheme = labels.pop();
  if (scheme === undefined || !schemes.has(scheme) || labels.length === 0) return url;
  return `${scheme}://${labels.join('.')}${parsed.pathname}${parsed.search}${parsed.hash}`;
}
