import type { AuditEntry } from '../../../shared/domain/audit/entry.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** RFC 8785: members sorted by UTF-16 code units, numbers and strings as ECMAScript writes them, no spaces. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value as Record<string, Json>).sort(([a], [b]) =>
      a < b ? -1 : a > b ? 1 : 0,
    );
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The text an entry's hash was made from: the entry without `hash`. */
export function canonicalText(entry: AuditEntry): string {
  const { hash: _, ...rest } = entry;
  return canonical(rest as Json);
}
