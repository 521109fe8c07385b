import { parsePartialVersion } from '../../shared/domain/model/search/periods.ts';
import { wordsOf } from '../../shared/domain/model/search/words.ts';
import { termsOf } from './query-completion.ts';

/**
 * A query for versions whose names begin like what somebody types into a chooser: `phish 1.2`, `phish-url@1.2`. What
 * is no word there is left out, so that any typing is a query.
 */
export function findVersionQuery(typed: string): string {
  // A word with a dot between digits is a number of a version, with or without the sign before it.
  const [name = '', version = ''] = typed.replace(/(^|\s)(?=\d+\.\d)/, '@').split('@', 2);
  const words = termsOf(name.replace(/[^\p{L}\p{N}._\s-]/gu, ' ')).filter((word) => wordsOf(word).length > 0);
  const number = beginningOfVersion(version.trim());
  return [
    // A leading minus would turn the word round.
    ...words.map((word) => word.replace(/^-+/, '')),
    ...(number === '' ? [] : [`version:${number}`]),
  ].join(' ');
}

/** As much of it as is a version, or the beginning of one: `1.2-r` begins like 1.2. */
function beginningOfVersion(typed: string): string {
  let number = /^\d[0-9A-Za-z.+-]*/.exec(typed)?.[0] ?? '';
  while (number !== '' && parsePartialVersion(number) === null) number = number.slice(0, -1);
  return number.replace(/\.$/, '');
}

/** Whether a label has all that is typed in it, word by word, in any case. */
export function hasLetters(label: string, typed: string): boolean {
  const text = label.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
