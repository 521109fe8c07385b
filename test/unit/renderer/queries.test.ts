import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIELDS, FILTERS, searchProblemOf } from '../../../renderer/features/models/search-grammar.ts';
import { findVersionQuery } from '../../../renderer/ui/find-version.ts';
import {
  complete,
  completionsAt,
  hasTerm,
  termsOf,
  toggleTerm,
} from '../../../renderer/ui/query-completion.ts';

const offered = (text: string, values = {}): string[] =>
  completionsAt(text, text.length, FIELDS, values).items.map(({ insert }) => insert);

describe('completing a query', () => {
  it('offers fields by their beginning, also behind a minus, and what a dot leads to', () => {
    expect(offered('st')).toEqual(['state:']);
    expect(offered('phish -ta')).toEqual(['tag:']);
    expect(offered('met')).toEqual(['metric.']);
    expect(offered('own')).toEqual(['owner:']);
  });
  it('offers the values of a field that has few, and those the page knows', () => {
    expect(offered('state:')).toEqual(['draft', 'validated', 'archived', 'revoked']);
    expect(offered('finding:>=h')).toEqual(['high']);
    expect(offered('tag:m', { tag: ['mail', 'url', 'misc'] })).toEqual(['mail', 'misc']);
  });
  it('offers nothing where nothing is begun, inside quotes, or for a value that stands', () => {
    expect(offered('')).toEqual([]);
    expect(offered('state:draft ')).toEqual([]);
    expect(offered('owner:"st')).toEqual([]);
    expect(offered('state:draft')).toEqual([]);
  });
  it('puts the choice in its place, and the caret where the writing goes on', () => {
    const text = 'phish st tag:mail';
    const { from } = completionsAt(text, 8, FIELDS);
    expect(complete(text, 8, from, 'state:')).toEqual({ text: 'phish state: tag:mail', caret: 12 });
    const value = completionsAt('state:dr', 8, FIELDS);
    expect(complete('state:dr', 8, value.from, 'draft')).toEqual({ text: 'state:draft ', caret: 12 });
  });
});

describe('a query that cannot be read', () => {
  it('is marked at the very characters, with what there is instead', () => {
    const text = 'phish nam:url';
    const problem = searchProblemOf(text);
    expect(problem && text.slice(problem.start, problem.end)).toBe('nam');
    expect(problem?.message).toContain('Did you mean “name”?');
    expect(searchProblemOf('phish name:url')).toBeNull();
  });
});

describe('the switches over the table', () => {
  it('are all queries of the one language', () => {
    for (const { term } of FILTERS) expect(searchProblemOf(term)).toBeNull();
  });
  it('put their term in and take it out, leaving what was typed', () => {
    const typed = 'owner:"blue team"';
    const on = toggleTerm(typed, 'alias:champion');
    expect(on).toBe('owner:"blue team" alias:champion');
    expect(hasTerm(on, 'alias:champion')).toBe(true);
    expect(toggleTerm(on, 'alias:champion')).toBe(typed);
  });
  it('know one state at a time', () => {
    const draft = FILTERS[0];
    expect(toggleTerm('state:validated phish', 'state:draft', draft?.instead)).toBe('phish state:draft');
  });
  it('split a query at spaces outside quotes only', () => {
    expect(termsOf('a "b c" d:"e f"  g "open end')).toEqual(['a', '"b c"', 'd:"e f"', 'g', '"open end']);
  });
});

describe('what is typed into a chooser of versions', () => {
  it('is a query whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (typed) => {
        expect(searchProblemOf(findVersionQuery(typed))).toBeNull();
      }),
    );
  });
  it('finds by the beginning of a name and of a number', () => {
    expect(findVersionQuery('phish-url@1.1.0')).toBe('phish-url version:1.1.0');
    expect(findVersionQuery('phish-url@1.')).toBe('phish-url version:1');
    expect(findVersionQuery('state:draft "x"')).toBe('state draft x');
    expect(findVersionQuery('phish 1.2')).toBe('phish version:1.2');
    expect(findVersionQuery('1.1.0')).toBe('version:1.1.0');
    expect(findVersionQuery('  -@ ')).toBe('');
  });
  it('is a query whatever number it has', () => {
    const number = fc.string({ unit: fc.constantFrom(...'0123.+-@ arv'), maxLength: 14 });
    fc.assert(
      fc.property(number, (typed) => {
        expect(searchProblemOf(findVersionQuery(typed))).toBeNull();
      }),
      { numRuns: 5000 },
    );
  });
  it('takes as much of a number as is one', () => {
    expect(findVersionQuery('phish@2024-01')).toBe('phish version:2024');
    expect(findVersionQuery('phish 1.2-rc')).toBe('phish version:1.2');
    expect(findVersionQuery('1.2.3-rc.1')).toBe('version:1.2.3-rc.1');
    expect(findVersionQuery('10.0.0.1')).toBe('version:10.0.0');
  });
  it('leaves out a letter that is none once it is folded', () => {
    // U+FE7E, a letter by its category, is a space and an accent to the search.
    expect(findVersionQuery('\u{FE7E} phish')).toBe('phish');
  });
  it('is a query whatever single character it is', () => {
    const refused = Array.from({ length: 0x110000 }, (_, point) => String.fromCodePoint(point)).filter(
      (typed) => searchProblemOf(findVersionQuery(typed)) !== null,
    );
    expect(refused).toEqual([]);
  });
});
