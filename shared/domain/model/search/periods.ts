/** Quantities of the search language that are written in several ways. */

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** `1.5MB` in bytes, or null. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() ?? '?'];
  const bytes = match && unit !== undefined ? Math.round(Number(match[1]) * unit) : Number.NaN;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Milliseconds since 1970 from the first of a year, month, day or moment (UTC) up to, not including, `to`; or null. */
export function parsePeriod(text: string): { readonly from: number; readonly to: number } | null {
  const date = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text);
  if (date) {
    const [year, month, day] = [Number(date[1]), Number(date[2] ?? 1), Number(date[3] ?? 1)];
    const from = Date.UTC(year, month - 1, day);
    const found = new Date(from);
    // Date.UTC rolls over what no calendar has; years below 100 it takes for 19xx.
    if (found.getUTCFullYear() !== year || found.getUTCMonth() !== month - 1 || found.getUTCDate() !== day)
      return null;
    const to = date[3]
      ? Date.UTC(year, month - 1, day + 1)
      : date[2]
        ? Date.UTC(year, month, 1)
        : Date.UTC(year + 1, 0, 1);
    return { from, to };
  }
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z$/.test(text)) return null;
  const from = Date.parse(text);
  return Number.isNaN(from) ? null : { from, to: from + 1 };
}

/** `1`, `1.2` or a semantic version; a trailing dot or star is forgiven. Null where it is none. */
export function parsePartialVersion(text: string): string | null {
  const trimmed = text.replace(/^v(?=\d)/, '').replace(/\.\*?$/, '');
  return /^\d{1,15}(?:\.\d{1,15}){0,1}$/.test(trimmed) ||
    /^\d{1,15}\.\d{1,15}\.\d{1,15}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.test(trimmed)
    ? trimmed
    : null;
}
