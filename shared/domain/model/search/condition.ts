/** From a field, a comparison and a value to a condition, or to what is wrong with them. */
import { assertNever } from '../../errors.ts';
import {
  EXACT_FIELDS,
  type ExactField,
  FINDING_ORDER,
  SEARCH_FIELDS,
  type SearchCondition,
  type SearchField,
  TEXT_FIELDS,
  type TextField,
} from './grammar.ts';
import { parseBytes, parsePartialVersion, parsePeriod } from './periods.ts';
import { type RawTerm, searchProblem } from './term.ts';
import { wordsOf } from './words.ts';

const isText = (field: string): field is TextField => TEXT_FIELDS.some((name) => name === field);
const isExact = (field: string): field is ExactField => EXACT_FIELDS.some((name) => name === field);

/** Throws `input.invalid` with the position of what does not fit. */
export function parseCondition(raw: RawTerm): SearchCondition {
  const field = raw.field ?? '';
  const known = SEARCH_FIELDS.find(({ name }) => name === field || name === `${field}.`);
  if (raw.comparison !== null && raw.comparison !== '=' && known?.ordered !== true)
    throw bad(raw, `“${field}” has no order; write ${field}:value.`, known);
  if (isText(field)) return textCondition(raw, field, known);
  if (isExact(field)) return exactCondition(raw, field, known);
  const comparison = raw.comparison ?? '=';
  switch (field) {
    case 'digest': {
      const start = raw.value.toLowerCase().replace(/^sha256:/, '');
      if (!/^[0-9a-f]{1,64}$/.test(start)) throw bad(raw, 'a digest is hex digits.', known);
      return { kind: 'digest', start };
    }
    case 'version': {
      const version = parsePartialVersion(raw.value);
      if (version === null) throw bad(raw, `“${raw.value}” is no version.`, known);
      return { kind: 'version', comparison: raw.comparison ?? 'begins', version };
    }
    case 'finding': {
      const worst = FINDING_ORDER.find((severity) => severity === raw.value.toLowerCase());
      if (worst === undefined) throw bad(raw, `“${raw.value}” is no severity.`, known);
      return { kind: 'finding', comparison, worst };
    }
    case 'metric':
    case 'param':
      return figureCondition(raw, field, known);
    case 'size': {
      const bytes = parseBytes(raw.value);
      if (bytes === null) throw bad(raw, `“${raw.value}” is no size.`, known);
      return { kind: 'size', comparison, bytes };
    }
    case 'added':
      if (parsePeriod(raw.value) === null) throw bad(raw, `“${raw.value}” is no date.`, known);
      return { kind: 'added', comparison, period: raw.value };
    case 'deployed':
      if (raw.value.trim() === '') throw bad(raw, 'the text is empty.', known);
      return { kind: 'deployed', where: raw.value.toLowerCase() };
    default:
      // Names were checked when the term was read.
      return assertNever(field as never);
  }
}

function textCondition(raw: RawTerm, field: TextField, known: SearchField | undefined): SearchCondition {
  if (raw.comparison === '=') {
    if (raw.value.trim() === '') throw bad(raw, 'the text is empty.', known);
    return { kind: 'text', field, text: raw.value, match: 'equals' };
  }
  if (wordsOf(raw.value).length === 0) throw bad(raw, 'there is no letter or digit to look for.', known);
  return { kind: 'text', field, text: raw.value, match: raw.quoted ? 'words' : 'begins' };
}

function exactCondition(raw: RawTerm, field: ExactField, known: SearchField | undefined): SearchCondition {
  const text = raw.value.toLowerCase();
  if (text.trim() === '') throw bad(raw, 'the text is empty.', known);
  if (known?.values && !known.values.includes(text)) throw bad(raw, `“${raw.value}” is none of them.`, known);
  return { kind: 'exact', field, text };
}

function figureCondition(
  raw: RawTerm,
  of: 'metric' | 'param',
  known: SearchField | undefined,
): SearchCondition {
  const value = raw.value.trim() === '' || raw.quoted ? Number.NaN : Number(raw.value);
  const name = raw.key.toLowerCase();
  if (Number.isFinite(value)) return { kind: 'figure', of, name, comparison: raw.comparison ?? '=', value };
  if (of === 'param' && (raw.comparison === null || raw.comparison === '=') && raw.value.trim() !== '')
    return { kind: 'param-text', name, text: raw.value };
  throw bad(raw, `“${raw.value}” is no number.`, known);
}

function bad(raw: RawTerm, problem: string, field: SearchField | undefined): Error {
  const choice = field?.values ? ` It is one of ${field.values.join(', ')}.` : '';
  return searchProblem(
    { start: raw.valueStart, end: raw.end },
    problem,
    `For example ${field?.example ?? 'name:phish'}.${choice}`,
  );
}
