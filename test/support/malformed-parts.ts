/** What malformed requests are made of: the same choices for the same seed. */

export interface Target {
  readonly host: string;
  readonly token: string;
  /** Of a release that was opened on it. */
  readonly root?: string;
  /** Path of an upload that was begun on it. */
  readonly upload?: string;
}

export type Random = () => number;

/** Mulberry32: small, and good enough to choose bytes by. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);
export function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[below(random, from.length)] ?? from[0];
}
export const junk = (random: Random, most: number): string =>
  Array.from({ length: below(random, most) }, () => String.fromCharCode(below(random, 256))).join('');

export const ODD_VALUES = [
  'null',
  '[]',
  '{}',
  '"x"',
  '-0',
  '1e999',
  '-1e400',
  '1e39',
  'NaN',
  'Infinity',
  '[[]]',
  '[[1],[1,2]]',
  '[[[1]]]',
  '[1,"2",3]',
  '[null]',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{}}}',
  '"\\ud800"',
  'true',
  '0x10',
  '[1,]',
  '9007199254740993',
  '"\u0000"',
  '1'.repeat(400),
  `${'['.repeat(2000)}${']'.repeat(2000)}`,
  `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
] as const;

/** Flips, drops, doubles and inserts. */
export function mutate(random: Random, text: string): string {
  let result = text;
  for (let count = 1 + below(random, 4); count > 0; count--) {
    const at = below(random, result.length + 1);
    const edits = [
      result.slice(0, at) + junk(random, 4) + result.slice(at),
      result.slice(0, at) + result.slice(at + 1 + below(random, 5)),
      result.slice(0, at),
      result.slice(0, at) + result.slice(at, at + 20) + result.slice(at),
    ] as const;
    result = pick(random, edits);
  }
  return result;
}

export function request(target: Target, line: string, headers: readonly string[], body: string): string {
  const all = [`Host: ${target.host}`, `Authorization: Bearer ${target.token}`, ...headers];
  return `${line} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`;
}

export function json(target: Target, line: string, body: string, headers: readonly string[] = []): string {
  const length = Buffer.byteLength(body, 'latin1');
  return request(
    target,
    line,
    ['Content-Type: application/json', `Content-Length: ${length}`, ...headers],
    body,
  );
}

export type Make = (random: Random, target: Target) => string;
