/** YAML files that people write: what is wrong in them is said with its line, its column and its field. */
import { readFile } from 'node:fs/promises';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document as YamlDocument } from 'yaml';
import { z } from 'zod';
import { type ErrorCode, type ErrorDetails, SallyportError } from '../shared/domain/errors.ts';
import { systemCode } from '../shared/node/files/files.ts';

/** A field of a file, for what is wrong with it and shows only when it is used. */
export interface Place {
  /** Of a field below. */
  at(...path: readonly PropertyKey[]): Place;
  /** The error as the schema's own are told: `FILE:LINE:COLUMN: field: message`. `input.invalid` unless it says otherwise. */
  refuse(message: string, details?: ErrorDetails & { readonly code?: ErrorCode }): SallyportError;
  /** Does what the field asks for; what is refused there is told of this place. */
  check<T>(use: () => T | Promise<T>): Promise<T>;
}

/** Of a value that no file names. */
export const NO_PLACE: Place = {
  at: () => NO_PLACE,
  refuse: (message, { code = 'input.invalid', ...details } = {}) =>
    new SallyportError(code, message, details),
  check: async (use) => use(),
};

export interface YamlFile<T> {
  readonly value: T;
  /** Of the file as a whole. */
  readonly place: Place;
}

/** Reads YAML or JSON and checks it. `not-found`; `input.invalid` as `FILE:LINE:COLUMN: field: what is wrong`. */
export async function readYaml<T>(path: string, schema: z.ZodType<T>): Promise<YamlFile<T>> {
  return parseYaml(path, await readText(path), schema);
}

/** `path` is for messages only. */
export function parseYaml<T>(path: string, text: string, schema: z.ZodType<T>): YamlFile<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem) throw invalid(path, lines.linePos(problem.pos[0]), firstLine(problem.message));
  const value = toValue(path, document);
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data, place: placeIn(path, document, lines, []) };
  const issue = firstIssue(result.error.issues.flatMap(innermost), schema, document, lines);
  throw invalid(path, issue.at, `${issue.field || 'file'}: ${issue.message}`);
}

function placeIn(
  path: string,
  document: YamlDocument,
  lines: LineCounter,
  field: readonly PropertyKey[],
): Place {
  const refuse: Place['refuse'] = (message, details) =>
    invalid(
      path,
      positionOf(document, lines, field, null),
      `${field.join('.') || 'file'}: ${message}`,
      details,
    );
  return {
    at: (...below) => placeIn(path, document, lines, [...field, ...below]),
    refuse,
    check: async (use) => {
      try {
        return await use();
      } catch (error) {
        if (!(error instanceof SallyportError)) throw error;
        throw refuse(error.message, {
          cause: error,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        });
      }
    },
  };
}

/** `not-found`, `input.invalid`. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT';
    throw new SallyportError(
      missing ? 'not-found' : 'input.invalid',
      `${path} ${missing ? 'does not exist' : 'cannot be read'}.`,
      {
        hint: missing
          ? 'Check the path; `sallyport agent init` makes a new agent.'
          : 'Nothing was started. It must be a file that this account may read.',
        cause: error,
      },
    );
  }
}

function toValue(path: string, document: YamlDocument): unknown {
  try {
    // Aliases of aliases grow without end.
    return document.toJS({ maxAliasCount: 10 });
  } catch (error) {
    throw invalid(path, null, error instanceof Error ? firstLine(error.message) : 'not valid');
  }
}

interface Position {
  readonly line: number;
  readonly col: number;
}

interface Problem {
  readonly at: Position | null;
  readonly field: string;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Of a value that may take several forms: what is wrong with the form it nearly has. */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const nearly = issue.errors.find((branch) => branch.every((each) => !isWrongForm(each)));
  if (!nearly) return [issue];
  return nearly.map((each): Issue => ({ ...each, path: [...issue.path, ...each.path] })).flatMap(innermost);
}

function isWrongForm(issue: Issue): boolean {
  return issue.path.length === 0 && issue.code === 'invalid_type';
}

/** Names of the fields that the object at `path` may have. */
function knownFields(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((each) => knownFields(each, path));
  if (schema instanceof z.ZodPipe) return knownFields(schema.in, path);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return knownFields(schema.unwrap(), path);
  const [next, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (next === undefined) return Object.keys(schema.shape);
    const field: unknown = schema.shape[String(next)];
    return field instanceof z.ZodType ? knownFields(field, rest) : [];
  }
  if (next === undefined) return [];
  if (schema instanceof z.ZodArray) return knownFields(schema.element, rest);
  return schema instanceof z.ZodRecord ? knownFields(schema.valueType, rest) : [];
}

/** The problem that comes first in the file, told of the field it is in; one unknown field at a time. */
function firstIssue(
  issues: readonly Issue[],
  schema: z.ZodType,
  document: YamlDocument,
  lines: LineCounter,
): Problem {
  const problems = issues.flatMap((issue): Problem[] => {
    if (issue.code !== 'unrecognized_keys') {
      return [
        {
          at: positionOf(document, lines, issue.path, null),
          field: issue.path.join('.'),
          message: issue.message,
        },
      ];
    }
    const known = knownFields(schema, issue.path);
    return issue.keys.map((key) => ({
      at: positionOf(document, lines, issue.path, key),
      field: [...issue.path, key].join('.'),
      message: unknownField(key, known),
    }));
  });
  const place = ({ at }: Problem): number => (at ? at.line * 100_000 + at.col : Number.MAX_SAFE_INTEGER);
  problems.sort((a, b) => place(a) - place(b));
  return problems[0] ?? { at: null, field: '', message: 'not valid' };
}

/** Of the key itself, else of the value at the path, else (a field that is missing) of what it is missing in. */
function positionOf(
  document: YamlDocument,
  lines: LineCounter,
  path: readonly PropertyKey[],
  key: string | null,
): Position | null {
  const keys = key === null ? path : [...path, key];
  for (let length = keys.length; length >= 0; length--) {
    const parent = length === 0 ? null : document.getIn(keys.slice(0, length - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => (isScalar(item.key) ? item.key.value : item.key) === keys[length - 1])
      : undefined;
    const value = length === 0 ? document.contents : document.getIn(keys.slice(0, length), true);
    const node = key === null && length === keys.length ? (value ?? pair?.key) : (pair?.key ?? value);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]);
  }
  return null;
}

function unknownField(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === null ? 'there is no such field.' : `there is no such field; did you mean ${near}?`;
}

/** The known name that is at most a third of its letters away, or null. */
export function nearest(name: string, known: readonly string[]): string | null {
  const distances = known
    .map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = distances;
  return best && best.distance <= Math.max(1, Math.floor(best.each.length / 3)) ? best.each : null;
}

/** Levenshtein's distance, a swap of neighbours counting as one (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

function invalid(
  path: string,
  at: Position | null,
  message: string,
  { code = 'input.invalid', ...details }: ErrorDetails & { readonly code?: ErrorCode } = {},
): SallyportError {
  const where = at ? `${path}:${at.line}:${at.col}` : path;
  return new SallyportError(code, `${where}: ${message}`, {
    hint: 'Nothing was started.',
    ...details,
    facts: at ? { file: path, line: at.line, column: at.col } : { file: path },
  });
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
