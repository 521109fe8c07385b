import { termsOf } from './query-completion.ts';

/**
 * A query for versions whose names begin like what somebody types into a chooser: `phish 1.2`, `phish-url@1.2`. What
 * is no word there is left out, so that any typing is a query.
 */
export function findVersionQuery(typed: string): string {
  const [name = '', version = ''] = typed.split('@', 2);
  const words = termsOf(name.replace(/[^\p{L}\p{N}._\s-]/gu, ' ')).filter((word) =>
    /[\p{L}\p{N}]/u.test(word),
  );
  const number = /^\d[0-9A-Za-z.+-]*/.exec(version.trim())?.[0]?.replace(/[.+-]$/, '');
  return [
    // A leading minus would turn the word round.
    ...words.map((word) => word.replace(/^-+/, '')),
    ...(number === undefined ? [] : [`version:${number}`]),
  ].join(' ');
}
