import { versionStateSchema } from '../../../shared/domain/model/version.ts';
import type { SqlValue } from '../../../shared/node/sqlite/database.ts';

export interface SearchCondition {
  /** SQL over the table `versions` as `v`. */
  readonly where: string;
  readonly values: readonly SqlValue[];
}

/**
 * The search box's small language: words that must all occur in name, version, owner, tags or state, and
 * `name:x` (part of the name), `version:x` (its beginning), `state:x`, `tag:x`, `owner:x`, `alias:x`, `digest:x`
 * (its beginning). Quotes keep spaces together. Anything that is not a known field is a plain word.
 */
export function searchCondition(text: string): SearchCondition {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (condition: string, ...bound: readonly SqlValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  for (const { field, value } of searchTerms(text)) {
    switch (field) {
      case 'name':
        add(`v.name LIKE ? ESCAPE '\\'`, `%${escapeLike(value)}%`);
        break;
      case 'version':
        add(`v.version LIKE ? ESCAPE '\\'`, `${escapeLike(value)}%`);
        break;
      case 'state':
        add('v.state = ?', value);
        break;
      case 'tag':
        add('v.position IN (SELECT t.position FROM version_tags t WHERE t.tag = ?)', value);
        break;
      case 'owner':
        add(`v.owner LIKE ? ESCAPE '\\'`, `%${escapeLike(value)}%`);
        break;
      case 'alias':
        add(
          'EXISTS (SELECT 1 FROM aliases a WHERE a.name = v.name AND a.version = v.version AND a.alias = ?)',
          value,
        );
        break;
      case 'digest':
        add(`v.digest LIKE ? ESCAPE '\\'`, `${escapeLike(value.replace(/^sha256:/, ''))}%`);
        break;
      default: {
        const word = `instr(v.words, ?) > 0`;
        if (versionStateSchema.options.some((state) => state === value))
          add(`(${word} OR v.state = ?)`, value, value);
        else add(word, value);
      }
    }
  }
  return { where: conditions.length > 0 ? conditions.join(' AND ') : 'TRUE', values };
}

const FIELDS = ['name', 'version', 'state', 'tag', 'owner', 'alias', 'digest'] as const;
type Field = (typeof FIELDS)[number];

/** Splits into lower-case terms; `field` null = a plain word. */
export function searchTerms(text: string): { field: Field | null; value: string }[] {
  const terms: { field: Field | null; value: string }[] = [];
  for (const match of text.toLowerCase().matchAll(/(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g)) {
    const value = match[2] ?? match[3] ?? '';
    const field = FIELDS.find((name) => name === match[1]) ?? null;
    if (field && value !== '') terms.push({ field, value });
    else if (value !== '') terms.push({ field: null, value: match[1] ? `${match[1]}:${value}` : value });
  }
  return terms;
}

function escapeLike(value: string): string {
  return value.replace(/[\\%_]/g, (character) => `\\${character}`);
}
