import { SallyportError } from '../errors.ts';
import { type CategoricalProfile, KEPT_CATEGORIES } from './profile.ts';

/** Categories counted by name while rows come in; values first seen after that are counted together. */
const TRACKED = 1000;

/** Counts one text column, streaming and bounded. Empty text is missing. */
export class CategoricalCounter {
  readonly #feature: string;
  readonly #counts = new Map<string, number>();
  #rows = 0;
  #missing = 0;
  #untracked = 0;

  constructor(feature: string) {
    this.#feature = feature;
  }

  add(values: ArrayLike<string> | ArrayLike<number>): void {
    for (let row = 0; row < values.length; row += 1) {
      const value = values[row];
      if (value === '' || value === undefined || Number.isNaN(value)) {
        this.#missing += 1;
        continue;
      }
      const name = String(value);
      const seen = this.#counts.get(name);
      if (seen !== undefined || this.#counts.size < TRACKED) this.#counts.set(name, (seen ?? 0) + 1);
      else this.#untracked += 1;
    }
    this.#rows += values.length;
  }

  profile(): CategoricalProfile {
    return kept(
      { feature: this.#feature, rows: this.#rows, missing: this.#missing },
      this.#counts,
      this.#untracked,
      this.#counts.size + (this.#untracked > 0 ? 1 : 0),
    );
  }
}

/** One profile of two columns' rows. Exact while both kept all their categories. */
export function mergeCategorical(a: CategoricalProfile, b: CategoricalProfile): CategoricalProfile {
  if (a.feature !== b.feature)
    throw new SallyportError(
      'input.invalid',
      `Profiles of "${a.feature}" and "${b.feature}" cannot be merged.`,
    );
  const counts = new Map<string, number>();
  for (const { categories } of [a, b])
    for (const { value, rows } of categories) counts.set(value, (counts.get(value) ?? 0) + rows);
  return kept(
    { feature: a.feature, rows: a.rows + b.rows, missing: a.missing + b.missing },
    counts,
    a.other + b.other,
    Math.max(counts.size, a.distinct, b.distinct),
  );
}

function kept(
  base: Pick<CategoricalProfile, 'feature' | 'rows' | 'missing'>,
  counts: ReadonlyMap<string, number>,
  untracked: number,
  distinct: number,
): CategoricalProfile {
  const all = [...counts]
    .map(([value, rows]) => ({ value, rows }))
    .sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1));
  const rest = all.slice(KEPT_CATEGORIES).reduce((sum, { rows }) => sum + rows, 0);
  return {
    kind: 'categorical',
    ...base,
    categories: all.slice(0, KEPT_CATEGORIES),
    other: untracked + rest,
    distinct,
  };
}
