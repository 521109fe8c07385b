import type { SallyportError } from '../../errors.ts';
import { parseCondition } from './condition.ts';
import { COMPARISONS, type SearchQuery, type SearchSpan, type SearchTerm } from './grammar.ts';
import { closestField, FIELD_NAMES } from './suggest.ts';
import { type RawTerm, searchProblem } from './term.ts';
import { wordsOf } from './words.ts';

/**
 * Reads a query of the search language (see `grammar.ts`). Any text is either a query or an `input.invalid` that says
 * at which character (1-based in the message, `start` and `end` 0-based in the facts) and what there is instead.
 */
export function parseSearch(text: string): SearchQuery {
  const terms: SearchTerm[] = [];
  const spans: SearchSpan[] = [];
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    if (at >= text.length) return { terms, spans };
    const raw = readTerm(text, at);
    terms.push({ negated: raw.negated, condition: raw.field === null ? words(raw) : parseCondition(raw) });
    spans.push({ start: raw.start, end: raw.end });
    at = raw.end;
  }
}

function words(raw: RawTerm): SearchTerm['condition'] {
  if (wordsOf(raw.value).length === 0)
    throw searchProblem(
      raw,
      'there is no letter or digit to look for.',
      'Search for words, or for a field such as name:phish.',
    );
  return { kind: 'words', text: raw.value, whole: raw.quoted };
}

function readTerm(text: string, start: number): RawTerm {
  const negated = text[start] === '-' && start + 1 < text.length && !isSpace(text, start + 1);
  const from = negated ? start + 1 : start;
  const head = headOf(text, from);
  if (!head) {
    const value = readValue(text, from);
    return { negated, field: null, key: '', comparison: null, ...value, valueStart: from, start };
  }
  const field = (head[1] ?? '').toLowerCase();
  const known = `${field}${head[2] ?? ''}`;
  if (!FIELD_NAMES.includes(known)) throw noField(head[0], { start: from, end: from + head[0].length });
  let valueStart = from + head[0].length;
  if (text[valueStart] === ':') valueStart++;
  const comparison = COMPARISONS.find((sign) => text.startsWith(sign, valueStart)) ?? null;
  valueStart += comparison?.length ?? 0;
  if (valueStart >= text.length || isSpace(text, valueStart))
    throw valueMissing(text, { start: from, end: valueStart });
  const spelled = head[3] ?? '';
  const key = spelled.startsWith('"') ? unescaped(spelled.slice(1, -1)) : spelled;
  if (known.endsWith('.') && key === '')
    throw searchProblem(
      { start: from, end: valueStart },
      `“${known}” is followed by no name.`,
      `Write ${field}.NAME.`,
    );
  return {
    negated,
    field,
    key,
    comparison,
    ...readValue(text, valueStart),
    valueStart,
    start,
  };
}

/**
 * The field, the dot and the name behind it, of a term that has a sign after them; null of words. Only a field with names
 * of its own (`param."learning rate"=…`) has quoted ones: in another word a quotation mark is a character like others, so
 * that what a term is does not depend on what is written after it.
 */
function headOf(text: string, from: number): RegExpExecArray | null {
  const rest = text.slice(from);
  const [named = ''] = /^[A-Za-z][A-Za-z-]*\.(?=")/.exec(rest) ?? [];
  const field = named.toLowerCase();
  if (FIELD_NAMES.includes(field)) {
    const { end } = readValue(text, from + named.length);
    const head = /^([A-Za-z][A-Za-z-]*)(\.)("(?:[^"\\]|\\.)*")(?=[:<>=])/su.exec(rest);
    if (!head) throw valueMissing(text, { start: from, end });
    return head;
  }
  if (named !== '' && closestField(field) !== null)
    throw noField(named, { start: from, end: from + named.length });
  return /^([A-Za-z][A-Za-z-]*)(?:(\.)([^\s:<>="]*))?(?=[:<>=])/.exec(rest);
}

function noField(spelled: string, span: SearchSpan): SallyportError {
  const close = closestField(/^[^.]*\.?/.exec(spelled)?.[0].toLowerCase() ?? '');
  return searchProblem(
    span,
    `there is no field “${spelled}”.${close === null ? '' : ` Did you mean “${close}”?`}`,
    `Fields: ${FIELD_NAMES.map((name) => (name.endsWith('.') ? `${name}NAME` : name)).join(', ')}. In quotes it is looked for as a word.`,
  );
}

function valueMissing(text: string, span: SearchSpan): SallyportError {
  return searchProblem(
    span,
    `“${text.slice(span.start, span.end)}” is followed by no value.`,
    'Write the value right behind it, in quotes where it has spaces; behind a name in quotes a sign first: param."a b"=1.',
  );
}

function readValue(text: string, start: number): { value: string; quoted: boolean; end: number } {
  if (text[start] !== '"') {
    let end = start;
    while (end < text.length && !isSpace(text, end)) end++;
    return { value: text.slice(start, end), quoted: false, end };
  }
  const quoted = /^"((?:[^"\\]|\\.)*)"/su.exec(text.slice(start));
  if (!quoted)
    throw searchProblem(
      { start, end: text.length },
      'a quotation mark is not closed.',
      'Close it, or leave it out.',
    );
  return { value: unescaped(quoted[1] ?? ''), quoted: true, end: start + quoted[0].length };
}

const unescaped = (text: string): string => text.replace(/\\(.)/gsu, '$1');
const isSpace = (text: string, at: number): boolean => /\s/.test(text[at] ?? '');

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text, at)) at++;
  return at;
}
