/** What a word is, to the search: the one definition that the index and the query share. */

/** Longer words are looked for by their first so many characters. */
const LONGEST = 60;

/** Case, accents and widths do not matter: `Müller` is found by `muller`. */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}

/** Runs of letters and digits, folded. Numbers keep their dots, so that a version is one word: `phish-url@1.2` is `phish`, `url`, `1.2`. */
export function wordsOf(text: string): string[] {
  const found = fold(text).match(/\p{N}+(?:\.\p{N}+)+|[\p{L}\p{N}]+/gu) ?? [];
  return found.map((word) => [...word].slice(0, LONGEST).join(''));
}
