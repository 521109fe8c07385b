import { SEARCH_FIELDS } from './grammar.ts';

export const FIELD_NAMES: readonly string[] = SEARCH_FIELDS.map(({ name }) => name);

/** Words people use for fields that are called otherwise. */
const SYNONYMS: Readonly<Record<string, string>> = {
  license: 'licence',
  author: 'by',
  user: 'by',
  sha256: 'digest',
  hash: 'digest',
  status: 'state',
  metrics: 'metric.',
  params: 'param.',
  parameter: 'param.',
  findings: 'finding',
  severity: 'finding',
  endpoint: 'deployed',
  environment: 'deployed',
  label: 'tag',
  date: 'added',
  op: 'operator',
};

/** The field that was probably meant, or null where none is near. */
export function closestField(word: string): string | null {
  const bare = word.replace(/\.$/, '');
  const synonym = SYNONYMS[bare];
  if (synonym !== undefined) return synonym;
  const ranked = FIELD_NAMES.map((name) => ({
    name,
    distance: editDistance(bare, name.replace(/\.$/, '')),
  })).sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.min(2, Math.floor(bare.length / 2)) ? best.name : null;
}

/** Levenshtein's; words this short need no cleverness. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
