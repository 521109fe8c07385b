/** Answers queries of the search language (`shared/domain/model/search`) from the index, newest version first. */

import { EVERY } from '../../../shared/domain/model/search/document.ts';
import type { SearchTerm } from '../../../shared/domain/model/search/grammar.ts';
import { parseSearch } from '../../../shared/domain/model/search/parse.ts';
import { type Lookup, lookupOf, type TokenMatch } from '../../../shared/domain/model/search/plan.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import { endpointReader } from './endpoint-repository.ts';
import { environmentReader } from './environment-repository.ts';
import { scanNumbers } from './number-columns.ts';
import { PositionSet } from './position-set.ts';

export interface FoundPositions {
  readonly positions: readonly number[];
  /** Always exact. */
  readonly total: number;
}

type Page = { readonly limit: number; readonly offset: number };

interface Wanted<Kind extends Lookup['kind']> {
  readonly negated: boolean;
  readonly lookup: Extract<Lookup, { kind: Kind }>;
}

/**
 * One page of what a query finds. Words and values are one full-text query, which SQLite intersects and counts without
 * handing rows over; ordered fields are read as columns and met as bits. Errors: `input.invalid` of the parser.
 */
export function findVersions(db: EncryptedDatabase, query: Page & { readonly text: string }): FoundPositions {
  const wanted = parseSearch(query.text).terms.map(({ negated, condition }: SearchTerm) => ({
    negated,
    lookup: lookupOf(condition),
  }));
  const tokens = wanted.filter((one): one is Wanted<'tokens'> => one.lookup.kind === 'tokens');
  const numbers = wanted.filter((one): one is Wanted<'number'> => one.lookup.kind === 'number');
  const places = wanted.filter((one): one is Wanted<'deployed'> => one.lookup.kind === 'deployed');
  if (wanted.length === 0) return allVersions(db, query);
  if (tokens.length === wanted.length) return byTokens(db, matchExpression(db, tokens), query);

  // Words first: columns are then read only where they matter.
  let found: PositionSet | null =
    tokens.length === 0
      ? null
      : new PositionSet(
          db.column<number>(
            'SELECT rowid FROM version_words WHERE version_words MATCH ?',
            matchExpression(db, tokens),
          ),
        );
  for (const { negated, lookup } of [...numbers, ...places])
    if (!negated)
      found = meet(
        found,
        lookup.kind === 'number' ? withNumber(db, lookup, found) : servedAt(db, lookup.where),
      );
  // Every version has a size: where there are only negations, that column stands for all of them.
  found ??= scanNumbers(db, 'size', () => true).sure;
  for (const { negated, lookup } of [...numbers, ...places])
    if (negated)
      found.andNot(lookup.kind === 'number' ? withNumber(db, lookup, found) : servedAt(db, lookup.where));
  return { positions: found.highest(query.limit, query.offset), total: found.count() };
}

/** Nothing is asked for: positions are given out one after another and never taken back, so a page is a range of them. */
function allVersions(db: EncryptedDatabase, { limit, offset }: Page): FoundPositions {
  const total = db.get<{ n: number }>('SELECT versions AS n FROM registry_counts')?.n ?? 0;
  const top = db.get<{ n: number | null }>('SELECT max(position) AS n FROM versions')?.n ?? 0;
  const positions =
    top === total
      ? Array.from({ length: Math.max(0, Math.min(limit, top - offset)) }, (_, index) => top - offset - index)
      : db.column<number>(
          'SELECT position FROM versions ORDER BY position DESC LIMIT ? OFFSET ?',
          limit,
          offset,
        );
  return { positions, total };
}

function byTokens(db: EncryptedDatabase, match: string, { limit, offset }: Page): FoundPositions {
  const total =
    db.get<{ n: number }>('SELECT count(*) AS n FROM version_words WHERE version_words MATCH ?', match)?.n ??
    0;
  const positions =
    offset >= total
      ? []
      : db.column<number>(
          'SELECT rowid FROM version_words WHERE version_words MATCH ? ORDER BY rowid DESC LIMIT ? OFFSET ?',
          match,
          limit,
          offset,
        );
  return { positions, total };
}

/** Longest beginning that FTS5 keeps an index of (`prefix` in the migration). */
const INDEXED_PREFIX = 3;
/** Words that a beginning is written out to. */
const MOST_WORDS = 100;

/**
 * A token as FTS5 has it. Long beginnings that few words have are written out: FTS5 would collect and sort the rows of
 * all of them first, which takes 30 ms for a word that 100,000 versions have; written out they are merged in 4 ms.
 */
function tokenExpression(db: EncryptedDatabase, { token, prefix }: TokenMatch): string {
  if (!prefix) return `"${token}"`;
  if (token.length <= INDEXED_PREFIX || token.includes('=')) return `"${token}" *`;
  // Tokens are ASCII below `~`.
  const words = db.column<string>(
    'SELECT term FROM version_terms WHERE term >= ? AND term < ? LIMIT ?',
    token,
    `${token}~`,
    MOST_WORDS + 1,
  );
  if (words.length === 0) return `"${token}"`;
  return words.length > MOST_WORDS ? `"${token}" *` : `(${words.map((word) => `"${word}"`).join(' OR ')})`;
}

/** FTS5's own language; tokens hold no quotation marks. */
function matchExpression(db: EncryptedDatabase, wanted: readonly Wanted<'tokens'>[]): string {
  const all = (tokens: readonly TokenMatch[]): string =>
    `(${tokens.map((one) => tokenExpression(db, one)).join(' AND ')})`;
  const positive = wanted.filter(({ negated }) => !negated).map(({ lookup }) => all(lookup.tokens));
  const negative = wanted.filter(({ negated }) => negated).map(({ lookup }) => all(lookup.tokens));
  const from = positive.length > 0 ? positive.join(' AND ') : `"${EVERY}"`;
  return negative.length > 0 ? `(${from}) NOT (${negative.join(' OR ')})` : from;
}

const meet = (found: PositionSet | null, set: PositionSet): PositionSet => found?.and(set) ?? set;

function withNumber(
  db: EncryptedDatabase,
  lookup: Extract<Lookup, { kind: 'number' }>,
  within: PositionSet | null,
): PositionSet {
  const { sure, unsure } = scanNumbers(db, lookup.field, lookup.holds, within);
  if (unsure.length === 0) return sure;
  const texts = db.all<{ position: number; version: string }>(
    'SELECT position, version FROM versions WHERE position IN (SELECT value FROM json_each(?))',
    JSON.stringify(unsure),
  );
  for (const { position, version } of texts) if (lookup.versionHolds(version)) sure.add(position);
  return sure;
}

/** What endpoints serve, as last seen, by digest. `where`: `yes` and `no`, or an environment's or endpoint's name. */
function servedAt(db: EncryptedDatabase, where: string): PositionSet {
  const { endpoints, lastStatus } = endpointReader(db);
  const { environment } = environmentReader(db);
  const found = new PositionSet();
  for (const endpoint of endpoints()) {
    const names = [endpoint.name, environment(endpoint.environmentId)?.name].map((name) =>
      name?.toLowerCase(),
    );
    if (where !== 'yes' && where !== 'no' && !names.includes(where)) continue;
    for (const { name, stable, canary } of lastStatus(endpoint.id)?.models ?? [])
      for (const slot of [stable, canary])
        for (const position of slot ? positionsOf(db, name, slot.digest) : []) found.add(position);
  }
  return where === 'no' ? scanNumbers(db, 'size', () => true).sure.andNot(found) : found;
}

const positionsOf = (db: EncryptedDatabase, name: string, digest: string): number[] =>
  db.column<number>('SELECT position FROM versions WHERE name = ? AND digest = ?', name, digest);
