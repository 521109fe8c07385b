import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  COMPARISONS,
  EXACT_FIELDS,
  FINDING_ORDER,
  type SearchCondition,
  type SearchTerm,
  STATES,
  TEXT_FIELDS,
} from '../../../shared/domain/model/search/grammar.ts';
import { parseSearch } from '../../../shared/domain/model/search/parse.ts';
import { printSearch } from '../../../shared/domain/model/search/print.ts';
import {
  versionBounds,
  versionHolds,
  versionKey,
} from '../../../shared/domain/model/search/version-range.ts';
import { fold, wordsOf } from '../../../shared/domain/model/search/words.ts';
import { compareSemver } from '../../../shared/domain/model/semver.ts';

const conditions = (text: string): SearchCondition[] =>
  parseSearch(text).terms.map(({ condition }) => condition);

function problemOf(text: string): SallyportError {
  try {
    parseSearch(text);
  } catch (error) {
    if (error instanceof SallyportError) return error;
    throw error;
  }
  return expect.fail(`${text} was read`);
}

describe('a query', () => {
  test.each<[string, SearchCondition[]]>([
    ['', []],
    ['  phish  url ', [words('phish'), words('url')]],
    ['"blue team"', [words('blue team', true)]],
    ['"say \\"hi\\" \\\\"', [words('say "hi" \\', true)]],
    ['"name:x"', [words('name:x', true)]],
    ['name:Phish', [{ kind: 'text', field: 'name', text: 'Phish', match: 'begins' }]],
    ['NAME:=phish-url', [{ kind: 'text', field: 'name', text: 'phish-url', match: 'equals' }]],
    ['owner:"Blue Team"', [{ kind: 'text', field: 'owner', text: 'Blue Team', match: 'words' }]],
    ['state:Validated', [{ kind: 'exact', field: 'state', text: 'validated' }]],
    ['tag:100%', [{ kind: 'exact', field: 'tag', text: '100%' }]],
    ['digest:sha256:9F86', [{ kind: 'digest', start: '9f86' }]],
    ['version:1.2', [{ kind: 'version', comparison: 'begins', version: '1.2' }]],
    ['version:1.', [{ kind: 'version', comparison: 'begins', version: '1' }]],
    ['version:>=1.2.0-rc.1', [{ kind: 'version', comparison: '>=', version: '1.2.0-rc.1' }]],
    ['version>=1.2', [{ kind: 'version', comparison: '>=', version: '1.2' }]],
    ['finding:>=high', [{ kind: 'finding', comparison: '>=', worst: 'high' }]],
    ['metric.auc>0.98', [figure('metric', 'auc', '>', 0.98)]],
    ['metric.f1:0.5', [figure('metric', 'f1', '=', 0.5)]],
    ['metric."my metric"<=-1e3', [figure('metric', 'my metric', '<=', -1000)]],
    ['param.depth=12', [figure('param', 'depth', '=', 12)]],
    ['param.optimizer=adam', [{ kind: 'param-text', name: 'optimizer', text: 'adam' }]],
    ['param.seed="12"', [{ kind: 'param-text', name: 'seed', text: '12' }]],
    ['size:>1.5MB', [{ kind: 'size', comparison: '>', bytes: 1_500_000 }]],
    ['size:<=2KiB', [{ kind: 'size', comparison: '<=', bytes: 2048 }]],
    ['added:>2026-01-01', [{ kind: 'added', comparison: '>', period: '2026-01-01' }]],
    ['a." name:":x"', [words('a."'), { kind: 'text', field: 'name', text: ':x', match: 'words' }]],
    ['deployed:Production', [{ kind: 'deployed', where: 'production' }]],
  ])('%j is read', (text, expected) => {
    expect(conditions(text)).toEqual(expected);
  });

  test('a hyphen in front turns a term round; one in a word does not, and spans say where terms stand', () => {
    const { terms, spans } = parseSearch('-state:archived phish-url  -"a b"');
    expect(terms.map(({ negated }) => negated)).toEqual([true, false, true]);
    expect(spans).toEqual([
      { start: 0, end: 15 },
      { start: 16, end: 25 },
      { start: 27, end: 33 },
    ]);
  });

  test.each([
    ['nmae:phish', 0, 4, 'Did you mean “name”'],
    ['phish license:mit', 6, 13, 'Did you mean “licence”'],
    ['metric:0.9', 0, 6, 'Did you mean “metric.”'],
    ['zzzzzzz:1', 0, 7, 'there is no field'],
    ['x state:open', 8, 12, 'none of them'],
    ['finding:>=awful', 10, 15, 'no severity'],
    ['metric.auc>much', 11, 15, 'no number'],
    ['metric.>1', 0, 8, 'no name'],
    ['size:>1XB', 6, 9, 'no size'],
    ['added:2026-02-30', 6, 16, 'no date'],
    ['version:>x', 9, 10, 'no version'],
    ['name:>x', 6, 7, 'no order'],
    ['digest:xyz', 7, 10, 'hex'],
    ['tag:', 0, 4, 'no value'],
    ['"open', 0, 5, 'not closed'],
    ['param."open x:1', 6, 15, 'not closed'],
    ['param."a b" x:1', 0, 11, 'no value'],
    ['params."a b"=1', 0, 7, 'Did you mean “param.”'],
    ['x -parm."a b"=1', 3, 8, 'Did you mean “param.”'],
    ['name."x"=1', 0, 5, 'Did you mean “name”'],
    ['metric.""=1', 0, 10, 'no name'],
    ['…', 0, 1, 'no letter or digit'],
  ])('%j is refused with where and why', (text, start, end, problem) => {
    const error = problemOf(text);
    expect(error).toMatchObject({ code: 'input.invalid', facts: { start, end } });
    expect(error.message).toContain(problem);
    expect(error.message).toContain(`character ${start + 1}`);
    expect(error.hint).toBeTruthy();
  });

  test('an unknown field names those there are', () => {
    expect(problemOf('nmae:x').hint).toContain('state, alias, tag');
  });

  test('any text is read or refused as input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), mangled()), (text) => {
        try {
          const { terms, spans } = parseSearch(text);
          expect(spans.length).toBe(terms.length);
          expect(parseSearch(printSearch(terms)).terms).toEqual(terms);
        } catch (error) {
          expect(error).toMatchObject({ code: 'input.invalid' });
        }
      }),
    );
  });

  test('printed and read again is the same', () => {
    fc.assert(
      fc.property(fc.array(aTerm(), { maxLength: 6 }), (terms) => {
        expect(parseSearch(printSearch(terms)).terms).toEqual(terms);
      }),
      { numRuns: 500 },
    );
  });
});

describe('words', () => {
  test('are runs of letters and digits, without case and accents; a version stays one', () => {
    expect(wordsOf('Phish-URL@1.2.0-rc.1 Müller’s ﬁle')).toEqual([
      'phish',
      'url',
      '1.2.0',
      'rc',
      '1',
      'muller',
      's',
      'file',
    ]);
  });
  test('folding is the same done twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fold(fold(text))).toBe(fold(text));
      }),
    );
  });
});

describe('versions in order', () => {
  const part = fc.oneof(fc.nat(3), fc.constantFrom(131_070, 131_071, 262_143, 99_999_999));
  const aVersion = fc
    .tuple(part, part, part, fc.constantFrom('', '-0', '-rc.1', '-rc.2', '-rc.10', '-rc', '-1', '+b'))
    .map(([major, minor, patch, rest]) => `${major}.${minor}.${patch}${rest}`);

  test('follow the example of semver.org', () => {
    const ordered = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '2.0.0',
      '2.1.0',
      '2.1.1',
    ];
    expect([...ordered].reverse().sort(compareSemver)).toEqual(ordered);
    expect(compareSemver('1.0.0+a', '1.0.0+b')).toBe(0);
  });

  test('the number of a version never contradicts their order, and equal ones are told apart by text where they must be', () => {
    fc.assert(
      fc.property(aVersion, aVersion, (a, b) => {
        const [left, right] = [versionKey(a), versionKey(b)];
        const order = Math.sign(compareSemver(a, b));
        if (left.key !== right.key) expect(Math.sign(left.key - right.key)).toBe(order);
        else if (left.exact || right.exact) expect(order).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['1.2', 'begins', ['1.2.0-rc.1', '1.2.0', '1.2.9']],
    ['1', 'begins', ['1.2.0-rc.1', '1.2.0', '1.2.9', '1.20.0']],
    ['1.2.0', 'begins', ['1.2.0-rc.1', '1.2.0']],
    ['1.2.0', '=', ['1.2.0']],
    ['1.2', '>', ['1.20.0', '2.0.0']],
    ['1.2', '<=', ['1.2.0-rc.1', '1.2.0', '1.2.9']],
    ['1.2.0', '>=', ['1.2.0', '1.2.9', '1.20.0', '2.0.0']],
    ['1.2.0', '<', ['1.2.0-rc.1']],
    ['1.2.0-rc.1', 'begins', ['1.2.0-rc.1']],
  ] as const)('%s with %j takes %j', (version, comparison, expected) => {
    const all = ['1.2.0-rc.1', '1.2.0', '1.2.9', '1.20.0', '2.0.0'];
    const bounds = versionBounds({ kind: 'version', comparison, version });
    expect(all.filter((one) => versionHolds(one, bounds))).toEqual(expected);
  });
});

function words(text: string, whole = false): SearchCondition {
  return { kind: 'words', text, whole };
}
function figure(
  of: 'metric' | 'param',
  name: string,
  comparison: '=' | '<' | '<=' | '>' | '>=',
  value: number,
): SearchCondition {
  return { kind: 'figure', of, name, comparison, value };
}

/** Queries with characters dropped and doubled. */
function mangled(): fc.Arbitrary<string> {
  const whole = 'name:"a b" -metric.auc>=0.9 version:1.2 param."x y"=on size:>1MB';
  return fc
    .array(fc.nat(whole.length - 1), { maxLength: 80 })
    .map((places) => places.map((at) => whole[at]).join(''));
}

function aTerm(): fc.Arbitrary<SearchTerm> {
  const comparison = fc.constantFrom(...COMPARISONS);
  // A quotation mark behind a dot may be meant for the name of a metric.
  const bare = fc
    .stringMatching(/^[a-z0-9][a-z0-9._%@\\"-]{0,12}$/)
    .filter((text) => !/^[a-z-]+\."/.test(text));
  const anything = fc
    .tuple(fc.string({ maxLength: 12 }), fc.constantFrom('a', '7', 'b"c', 'x y', '\\'))
    .map(([text, more]) => `${text}${more}z`);
  const lower = anything.map((text) => text.toLowerCase());
  const number = fc
    .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
    .map((value) => value + 0);
  const condition: fc.Arbitrary<SearchCondition> = fc.oneof(
    bare.map((text) => words(text)),
    anything.map((text) => words(text, true)),
    fc.record({
      kind: fc.constant('text' as const),
      field: fc.constantFrom(...TEXT_FIELDS),
      text: bare,
      match: fc.constant('begins' as const),
    }),
    fc.record({
      kind: fc.constant('text' as const),
      field: fc.constantFrom(...TEXT_FIELDS),
      text: anything,
      match: fc.constantFrom('words' as const, 'equals' as const),
    }),
    fc.record({
      kind: fc.constant('exact' as const),
      field: fc.constantFrom(...EXACT_FIELDS.filter((field) => field !== 'state' && field !== 'deployable')),
      text: lower,
    }),
    fc.constantFrom(...STATES).map((text) => ({ kind: 'exact' as const, field: 'state' as const, text })),
    fc.stringMatching(/^[0-9a-f]{1,64}$/).map((start) => ({ kind: 'digest' as const, start })),
    fc.record({
      kind: fc.constant('version' as const),
      comparison: fc.oneof(comparison, fc.constant('begins' as const)),
      version: fc.constantFrom('1', '1.2', '1.2.3', '1.2.3-rc.1', '10.0.0+b'),
    }),
    fc.record({
      kind: fc.constant('finding' as const),
      comparison,
      worst: fc.constantFrom(...FINDING_ORDER),
    }),
    fc.record({
      kind: fc.constant('figure' as const),
      of: fc.constantFrom('metric' as const, 'param' as const),
      name: lower,
      comparison,
      value: number,
    }),
    fc.record({ kind: fc.constant('param-text' as const), name: lower, text: anything }),
    fc.record({ kind: fc.constant('size' as const), comparison, bytes: fc.nat() }),
    fc.record({
      kind: fc.constant('added' as const),
      comparison,
      period: fc.constantFrom('2026', '2026-02', '2026-02-28', '2026-02-28T01:02:03Z'),
    }),
    lower.map((where) => ({ kind: 'deployed' as const, where })),
  );
  return fc.record({ negated: fc.boolean(), condition });
}
