import { SallyportError } from '../errors.ts';

/** Deeper values are refused: canonicalization is recursive, and nothing of ours is nested that far. */
const MAX_DEPTH = 100;

function refuse(path: string, what: string): never {
  throw new SallyportError(
    'input.invalid',
    `This value has no canonical JSON: ${path === '' ? 'it' : path} ${what}.`,
    { facts: { path } },
  );
}

/**
 * The one JSON text of a value, RFC 8785: no white space, keys sorted by UTF-16 code units, numbers and strings as
 * ECMAScript prints them. Stricter than `JSON.stringify`: undefined, NaN, infinities, functions, class instances (dates
 * too), holes and lone surrogates are refused with their path (`input.invalid`) instead of being dropped or altered.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '', 0);
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > MAX_DEPTH) refuse(path, 'is nested too deeply');
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false';
    case 'string':
      return writeString(value, path);
    case 'number':
      if (!Number.isFinite(value)) refuse(path, `is ${value}`);
      // JSON.stringify prints numbers exactly as RFC 8785, section 3.2.2.3, asks, -0 as 0 included.
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return writeArray(value, path, depth);
      return writeObject(value, path, depth);
    default:
      return refuse(path, `is of type ${typeof value}`);
  }
}

function writeString(text: string, path: string): string {
  if (!text.isWellFormed()) refuse(path, 'has half a surrogate pair in it');
  return JSON.stringify(text);
}

function writeArray(items: readonly unknown[], path: string, depth: number): string {
  const parts: string[] = [];
  // By index: `map` would pass over holes.
  for (let at = 0; at < items.length; at++) parts.push(write(items[at], `${path}[${at}]`, depth + 1));
  return `[${parts.join(',')}]`;
}

function writeObject(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse(path, 'is not a plain object');
  const parts = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(
      ([key, member]) =>
        `${writeString(key, path)}:${write(member, path === '' ? key : `${path}.${key}`, depth + 1)}`,
    );
  return `{${parts.join(',')}}`;
}
