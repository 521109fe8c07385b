/** How a condition is looked up: by tokens, by a number, or by where a version is served. */
import { digestToken, figureField, wholeToken, wordToken } from './document.ts';
import { FINDING_ORDER, type SearchCondition } from './grammar.ts';
import { parsePeriod } from './periods.ts';
import { holds, versionBounds, versionHolds, versionKey } from './version-range.ts';
import { wordsOf } from './words.ts';

export interface TokenMatch {
  readonly token: string;
  /** Tokens that begin with it count too. */
  readonly prefix: boolean;
}

export type Lookup =
  /** All of these. */
  | { readonly kind: 'tokens'; readonly tokens: readonly TokenMatch[] }
  | {
      readonly kind: 'number';
      readonly field: string;
      /** null: the number does not tell; `versionHolds` of the version's text does. */
      readonly holds: (value: number) => boolean | null;
      readonly versionHolds: (version: string) => boolean;
    }
  | { readonly kind: 'deployed'; readonly where: string };

export function lookupOf(condition: SearchCondition): Lookup {
  switch (condition.kind) {
    case 'words':
      return words(condition.text, condition.whole);
    case 'text':
      return condition.match === 'equals'
        ? exactly(wholeToken(condition.field, condition.text))
        : words(condition.text, condition.match === 'words', condition.field);
    case 'exact':
      return exactly(wholeToken(condition.field, condition.text));
    case 'param-text':
      return exactly(wholeToken(figureField('param', condition.name), condition.text));
    case 'digest':
      return { kind: 'tokens', tokens: [{ token: digestToken(condition.start), prefix: true }] };
    case 'version':
      return versionLookup(condition);
    case 'finding': {
      const bound = FINDING_ORDER.indexOf(condition.worst);
      return number('finding', (value) => holds(value - bound, condition.comparison));
    }
    case 'figure':
      return number(figureField(condition.of, condition.name), (value) =>
        holds(value - condition.value, condition.comparison),
      );
    case 'size':
      return number('size', (value) => holds(value - condition.bytes, condition.comparison));
    case 'added':
      return addedLookup(condition);
    case 'deployed':
      return condition;
  }
}

const exactly = (token: string): Lookup => ({ kind: 'tokens', tokens: [{ token, prefix: false }] });
const number = (field: string, test: (value: number) => boolean): Lookup => ({
  kind: 'number',
  field,
  holds: test,
  versionHolds: () => false,
});

/** Every word; the last one may be a beginning unless they are taken whole. */
function words(text: string, whole: boolean, field?: Parameters<typeof wordToken>[1]): Lookup {
  const found = wordsOf(text);
  return {
    kind: 'tokens',
    tokens: found.map((word, index) => ({
      token: wordToken(word, field),
      prefix: !whole && index === found.length - 1,
    })),
  };
}

function addedLookup({ comparison, period }: Extract<SearchCondition, { kind: 'added' }>): Lookup {
  const { from, to } = parsePeriod(period) ?? { from: Number.NaN, to: Number.NaN };
  return number('added', (at) => {
    switch (comparison) {
      case '=':
        return at >= from && at < to;
      case '>':
        return at >= to;
      case '>=':
        return at >= from;
      case '<':
        return at < from;
      case '<=':
        return at < to;
    }
  });
}

function versionLookup(condition: Extract<SearchCondition, { kind: 'version' }>): Lookup {
  const bounds = versionBounds(condition);
  const keyed = bounds.map((bound) => ({ ...bound, ...versionKey(bound.version) }));
  return {
    kind: 'number',
    field: 'version',
    holds: (value) => {
      let sure = true;
      for (const { key, exact, comparison } of keyed) {
        if (value === key && !exact) sure = false;
        else if (!holds(value - key, comparison)) return false;
      }
      return sure ? true : null;
    },
    versionHolds: (version) => versionHolds(version, bounds),
  };
}
