/** Completing and changing a query of one of the search languages, without knowing which. */
import { SallyportError } from '../../shared/domain/errors.ts';

/** A field of a search language, as its own grammar lists it. A name that ends in a dot is followed by another. */
export interface QueryField {
  readonly name: string;
  readonly example: string;
  readonly meaning: string;
  readonly values?: readonly string[];
}

/** Part of a query that cannot be read: characters from `start` up to `end`, and why. */
export interface QueryProblem {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string;
}

/** Why `parse` refuses the text, and where; null where it reads it. Its refusals say `start` and `end`, or `term`. */
export function problemOf(parse: (text: string) => unknown, text: string): QueryProblem | null {
  try {
    parse(text);
    return null;
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    const { start, end, term } = error.facts;
    // A grammar says where, or at least which term.
    const found = typeof term === 'string' ? Math.max(0, text.indexOf(term)) : 0;
    return {
      start: typeof start === 'number' ? start : found,
      end: typeof end === 'number' ? end : typeof term === 'string' ? found + term.length : text.length,
      message: error.message,
      hint: error.hint ?? '',
    };
  }
}

export interface Completion {
  /** What stands in place of the characters from `from` up to the caret. */
  readonly insert: string;
  readonly meaning: string;
}

export interface Completions {
  readonly from: number;
  readonly items: readonly Completion[];
}

const NONE: Completions = { from: 0, items: [] };
const MOST = 8;

/**
 * What may stand at the caret: names of fields while a term begins, values once its field has few of them. Names and
 * values are offered by their beginning; nothing is offered inside quotes or for an empty term.
 */
export function completionsAt(
  text: string,
  caret: number,
  fields: readonly QueryField[],
  values: Readonly<Record<string, readonly string[]>> = {},
): Completions {
  const before = text.slice(0, caret);
  // An odd number of quotes: inside a text.
  if ((before.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1) return NONE;
  const term = /(?:^|\s)-?([^\s]*)$/.exec(before)?.[1] ?? '';
  if (term === '') return NONE;
  const from = caret - term.length;
  const parts = /^([A-Za-z-]+(?:\.[^\s:<>=]*)?)(:?(?:>=|<=|>|<|=)?)(.*)$/.exec(term);
  const [, name = '', sign = '', value = ''] = parts ?? [];
  if (parts === null) return NONE;
  if (sign === '') {
    const items = fields
      .filter((field) => field.name.startsWith(name.toLowerCase()))
      .map((field) => ({
        insert: field.name.endsWith('.') ? field.name : `${field.name}:`,
        meaning: field.meaning,
      }));
    return { from, items: items.slice(0, MOST) };
  }
  const field = fields.find((candidate) => candidate.name === name.toLowerCase());
  const known = field?.values ?? values[name.toLowerCase()] ?? [];
  const items = known
    .filter((candidate) => candidate.startsWith(value.toLowerCase()) && candidate !== value)
    .map((candidate) => ({ insert: candidate, meaning: '' }));
  return { from: caret - value.length, items: items.slice(0, MOST) };
}

/** The text with the completion in place, and where the caret goes: behind a value comes a space. */
export function complete(
  text: string,
  caret: number,
  from: number,
  insert: string,
): { readonly text: string; readonly caret: number } {
  const space = /[:.]$/.test(insert) || text[caret] === ' ' ? '' : ' ';
  const head = `${text.slice(0, from)}${insert}${space}`;
  return { text: head + text.slice(caret), caret: head.length };
}

/** The terms of a query as they are written, split at spaces outside quotes. */
export function termsOf(text: string): string[] {
  return text.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/g) ?? [];
}

export function hasTerm(text: string, term: string): boolean {
  return termsOf(text).includes(term);
}

/** The query with `term` added, or without it where it has it; terms of the same field in `instead` make room. */
export function toggleTerm(text: string, term: string, instead: readonly string[] = []): string {
  const terms = termsOf(text);
  if (terms.includes(term)) return terms.filter((each) => each !== term).join(' ');
  return [...terms.filter((each) => !instead.includes(each)), term].join(' ');
}
