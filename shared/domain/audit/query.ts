/**
 * The filter language of the audit log, one for window and command line.
 *
 *     query = { ["-"] term }                    all must hold; "-" turns one round
 *     term  = word | '"' words '"' | field ":" value
 *     field = actor | action | subject | after | before
 *
 * A word is looked for in everything an entry says; its last part may be a beginning, in quotes it is taken whole.
 * `actor` and `action` are exact, with `*` at their end beginnings. `after` and `before` take a year, month, day or
 * moment in UTC; `after` includes it, `before` does not.
 */
import { SallyportError } from '../errors.ts';
import { auditActionSchema } from './entry.ts';

export type AuditCondition =
  | {
      readonly kind: 'actor' | 'action';
      readonly text: string;
      /** `text` is the beginning of the name. */
      readonly begins: boolean;
    }
  | {
      readonly kind: 'words';
      /** Where they are looked for; null: anywhere. */
      readonly field: 'subject' | null;
      readonly text: string;
      /** The last word is whole, not a beginning. */
      readonly whole: boolean;
    };

export interface AuditQuery {
  readonly terms: readonly { readonly negated: boolean; readonly condition: AuditCondition }[];
  /** Beginning of an ISO 8601 moment in UTC: entries whose `at` is not less. */
  readonly after: string | null;
  /** Entries whose `at` is less. */
  readonly before: string | null;
}

/** Every field, for help and completion. */
export const AUDIT_FIELDS: readonly {
  readonly name: string;
  readonly example: string;
  readonly meaning: string;
}[] = [
  { name: 'actor', example: 'actor:ada', meaning: 'who acted; actor:a* for a beginning' },
  { name: 'action', example: 'action:model.*', meaning: 'what was done; * at the end for a whole area' },
  { name: 'subject', example: 'subject:phish-url@1.1.0', meaning: 'words of what it happened to' },
  { name: 'after', example: 'after:2026-01-01', meaning: 'from this year, month, day or moment on (UTC)' },
  { name: 'before', example: 'before:2026-02', meaning: 'before this year, month, day or moment (UTC)' },
];

const TERM = /(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/y;
const MOMENT = /^\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z?)?)?)?$/i;

/** Reads a query. Any text is either one, or an `input.invalid` that says what is wrong with which term. */
export function parseAuditQuery(text: string): AuditQuery {
  const terms: AuditQuery['terms'][number][] = [];
  let after = null as string | null;
  let before = null as string | null;
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, TERM.lastIndex)) {
    TERM.lastIndex = at;
    const match = TERM.exec(text);
    if (!match) throw refused(text.slice(at), 'it cannot be read');
    const [whole, sign, field, quoted, plain = ''] = match;
    const value = quoted ?? plain;
    const negated = sign === '-';
    if (field === 'after' || field === 'before') {
      if (negated)
        throw refused(whole, `write ${field === 'after' ? 'before' : 'after'}: instead of the minus`);
      if (!isMoment(value)) throw refused(whole, 'it is no year, month, day or moment, such as 2026-01-31');
      // Several bounds hold together: the narrowest is left.
      const moment = value.toUpperCase();
      if (field === 'after') after = after === null || moment > after ? moment : after;
      else before = before === null || moment < before ? moment : before;
    } else terms.push({ negated, condition: conditionOf(whole, field, value, quoted !== undefined) });
  }
  return { terms, after, before };
}

function conditionOf(
  term: string,
  field: string | undefined,
  value: string,
  quoted: boolean,
): AuditCondition {
  switch (field) {
    case 'actor':
    case 'action': {
      const begins = value.endsWith('*');
      const name = begins ? value.slice(0, -1) : value;
      if (name === '' && !begins) throw refused(term, `there is nothing after ${field}:`);
      if (
        field === 'action' &&
        !auditActionSchema.options.some((each) => (begins ? each.startsWith(name) : each === name))
      )
        throw refused(term, 'no action is called so; action:model.* is every action on models');
      return { kind: field, text: name, begins };
    }
    case 'subject':
      return words(term, 'subject', value, quoted);
    default:
      if (!quoted && AUDIT_FIELDS.some(({ name }) => value === `${name}:`))
        throw refused(term, `there is nothing after ${value}`);
      // Not a field of ours: a word with a colon in it, as addresses and digests have.
      return words(term, null, field === undefined ? value : `${field}:${value}`, quoted);
  }
}

function words(term: string, field: 'subject' | null, value: string, quoted: boolean): AuditCondition {
  const text = value.replace(/\*$/, '');
  if (!/[\p{L}\p{N}]/u.test(text)) throw refused(term, 'there is no letter or digit to look for');
  return { kind: 'words', field, text, whole: quoted };
}

function isMoment(value: string): boolean {
  if (!MOMENT.test(value)) return false;
  const [, month = 1, day = 1] = value.slice(0, 10).split('-').map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? '')) at++;
  return at;
}

function refused(term: string, why: string): SallyportError {
  return new SallyportError('input.invalid', `"${term.slice(0, 80)}" cannot be searched for: ${why}.`, {
    hint: 'For example: actor:ada action:model.* subject:phish after:2026-01-01 before:2026-02',
    facts: { term: term.slice(0, 80) },
  });
}
