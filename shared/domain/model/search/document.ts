/** What of a version is searched: words and values as tokens of one full-text document, ordered fields as numbers. */

import type { Finding } from '../../scan/finding.ts';
import { formatRef, type ModelVersion } from '../version.ts';
import { FINDING_ORDER, type TextField, type WorstFinding } from './grammar.ts';
import { versionKey } from './version-range.ts';
import { fold, wordsOf } from './words.ts';

/** Measured figures of a validation, by the names gates use. Undefined ones are left out. */
export type MeasuredFigures = Readonly<Record<string, number>>;

/** The figures of a validation that are numbers. */
export function measuredFigures(metrics: Readonly<Record<string, unknown>>): MeasuredFigures {
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

export interface SearchedVersion {
  readonly version: ModelVersion;
  readonly aliases: readonly string[];
  readonly measured: MeasuredFigures;
}

export interface SearchDocument {
  /** Lower-case ASCII without spaces, each once. */
  readonly tokens: readonly string[];
  /** By field: `size`, `added`, `version`, `finding`, `metric.auc`, `param.depth`. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** The token that every document has: what a negation alone is taken from. */
export const EVERY = '.all';
/** Longest text compared whole, in characters. */
const LONGEST_WHOLE = 200;

/** Letters and digits as they are, everything else by its code point: a beginning stays a beginning. */
function encode(text: string): string {
  return [...text]
    .map((character) =>
      /[a-z0-9]/.test(character)
        ? character
        : `_${(character.codePointAt(0) ?? 0).toString(16).padStart(6, '0')}`,
    )
    .join('');
}

/** A word anywhere, or with `field` in that field alone. */
export function wordToken(word: string, field?: TextField): string {
  return field === undefined ? encode(word) : `.${field}.${encode(word)}`;
}

/** The whole value of a field; case and accents do not count. */
export function wholeToken(field: string, text: string): string {
  return `.${encodeField(field)}=${encode([...fold(text.trim())].slice(0, LONGEST_WHOLE).join(''))}`;
}

/** A digest or its beginning, in lower-case hex. */
export function digestToken(start: string): string {
  return `.digest=${start}`;
}

const encodeField = (field: string): string =>
  field
    .split('.')
    .map((part) => encode(fold(part)))
    .join('.');

/** Field of a number column. */
export function figureField(of: 'metric' | 'param', name: string): string {
  return `${of}.${fold(name)}`;
}

export function worstFinding(findings: readonly Finding[]): WorstFinding {
  const worst = Math.max(0, ...findings.map((finding) => FINDING_ORDER.indexOf(finding.severity)));
  return FINDING_ORDER[worst] ?? 'none';
}

export function searchDocument({ version, aliases, measured }: SearchedVersion): SearchDocument {
  const { metadata } = version;
  const texts: Readonly<Record<TextField, readonly string[]>> = {
    name: [version.name],
    owner: present(metadata.owner),
    licence: present(metadata.licence),
    dataset: present(metadata.datasetDigest),
    code: present(metadata.codeReference),
    by: [version.addedBy],
    operator: version.onnx.operators.map(({ type }) => type),
  };
  const tokens = new Set<string>([EVERY, digestToken(version.digest)]);
  for (const [field, values] of Object.entries(texts) as [TextField, readonly string[]][]) {
    for (const text of values) {
      tokens.add(wholeToken(field, text));
      for (const word of wordsOf(text)) tokens.add(wordToken(word, field));
    }
  }
  for (const [field, values] of Object.entries(exactValues(version, aliases)))
    for (const text of values) tokens.add(wholeToken(field, text));
  for (const [name, value] of Object.entries(metadata.trainingParameters ?? {}))
    if (typeof value !== 'number') tokens.add(wholeToken(figureField('param', name), String(value)));
  for (const text of freeTexts(version, aliases))
    for (const word of wordsOf(text)) tokens.add(wordToken(word));
  return { tokens: [...tokens], numbers: numbersOf(version, measured) };
}

function exactValues(version: ModelVersion, aliases: readonly string[]) {
  return {
    state: [version.state],
    tag: version.metadata.tags ?? [],
    alias: aliases,
    parent: present(version.parent),
    deployable: [version.metadata.permittedToDeploy === false ? 'no' : 'yes'],
  };
}

/** Everything written about a version, for words without a field. */
function freeTexts(version: ModelVersion, aliases: readonly string[]): string[] {
  const { metadata, onnx, findings } = version;
  return [
    formatRef(version),
    version.state,
    version.addedBy,
    ...aliases,
    ...(metadata.tags ?? []),
    ...present(metadata.description),
    ...present(metadata.owner),
    ...present(metadata.licence),
    ...present(metadata.datasetDigest),
    ...present(metadata.codeReference),
    ...Object.entries(metadata.trainingParameters ?? {}).map(([name, value]) =>
      typeof value === 'number' ? name : `${name} ${value}`,
    ),
    ...Object.keys(metadata.metrics ?? {}),
    ...onnx.operators.map(({ type }) => type),
    onnx.producerName,
    ...findings.map(({ ruleId, title, reference }) => `${ruleId} ${title} ${reference}`),
  ];
}

function numbersOf(version: ModelVersion, measured: MeasuredFigures): ReadonlyMap<string, number> {
  const { metadata } = version;
  const numbers = new Map<string, number>([
    ['size', version.sizeBytes],
    ['added', Date.parse(version.addedAt)],
    ['version', versionKey(version.version).key],
    ['finding', FINDING_ORDER.indexOf(worstFinding(version.findings))],
  ]);
  for (const [name, value] of Object.entries(metadata.trainingParameters ?? {})) {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number))
      numbers.set(figureField('param', name), number);
  }
  // What was measured here says more than what somebody declared under the same name; `auc` is short for roc_auc.
  const { roc_auc: auc } = measured;
  const figures = { ...metadata.metrics, ...(auc === undefined ? {} : { auc }), ...measured };
  for (const [name, value] of Object.entries(figures)) numbers.set(figureField('metric', name), value);
  return numbers;
}

const present = (text: string | null | undefined): string[] =>
  text === null || text === undefined || text === '' ? [] : [text];
