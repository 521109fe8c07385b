import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../electron/adapters/datasets/expression.ts';
import { openLockedDatabase } from '../../../electron/adapters/datasets/locked-database.ts';
import { dataFile, readRows, selectionOf, wantedOf } from '../../support/datasets.ts';

const CSV = [
  'a,b,note,Flag,when_seen,"odd "" name",label',
  '1,10,web,true,2024-01-01 00:00:00,x,0',
  '2,20,mail,false,2024-01-02 12:00:00,y,1',
  '3,30,,true,2024-02-03 00:00:00,z,0',
  "4,-5,it's,false,2025-01-01 00:00:00,x,1",
].join('\n');

async function rowsOf(filter: string): Promise<number[]> {
  const path = dataFile('data.csv', `${CSV}\n`);
  return (await readRows(selectionOf(path, { filter }), wantedOf(['a', 'b']))).rowNumbers;
}

describe('an expression over the columns', () => {
  test.each<[string, number[]]>([
    ['a > 2', [3, 4]],
    ['a = 2 OR a = 3 AND NOT b = 30', [2]],
    ['b BETWEEN 10 AND 20', [1, 2]],
    ["note IN ('web', 'mail')", [1, 2]],
    ["note NOT IN ('web', 'mail')", [3, 4]],
    ["note = 'it''s'", [4]],
    ["note LIKE 'w%' OR note ILIKE 'MA_L'", [1, 2]],
    ["note LIKE 'i!%' ESCAPE '!' OR regexp_matches(note, '^w')", [1]],
    ['flag', [1, 3]],
    ['Flag IS NOT TRUE', [2, 4]],
    ['NOT "Flag"', [2, 4]],
    [`"odd "" name" = 'x'`, [1, 4]],
    ["when_seen >= DATE '2024-02-01'", [3, 4]],
    ['year(when_seen) = 2024 AND extract(month FROM when_seen) = 1', [1, 2]],
    ["when_seen + INTERVAL 1 DAY > TIMESTAMP '2025-01-01 00:00:00'", [4]],
    ['CASE WHEN a < 3 THEN b > 15 ELSE false END', [2]],
    ['coalesce(nullif(a, 1), 100) = 100', [1]],
    ['(a + b * 2) % 3 = 0 AND -a < -1', [2, 3, 4]],
    ["a::INTEGER::VARCHAR || note = '2mail'", [2]],
    ['round(sqrt(a * 1.0), 2) = 1.41', [2]],
    ['length(trim(note)) = 0', [3]],
    ['abs(b) = 5 /* a comment */ -- and another', [4]],
    ['a IS DISTINCT FROM 1 AND a <> 2 AND a < 1e300', [3, 4]],
    ['a = 0.000001 * 1000000', [1]],
    ['label = 1 AND a IN (4, 2)', [2, 4]],
  ])('%s', async (filter, expected) => {
    expect(await rowsOf(filter)).toEqual(expected);
  });

  test('a number is compared as the file has it, whatever precision the features are read in', async () => {
    const path = dataFile('data.csv', 'a,label\n0.1,0\n0.10000000149011612,1\n');
    const read = await readRows(selectionOf(path, { filter: 'a = 0.1' }), wantedOf(['a']));
    expect(read.rowNumbers).toEqual([1]);
  });

  test("a failure on a row further down is the filter's, not the file's", async () => {
    const path = dataFile('data.csv', `a,note,label\n${'1,n2,0\n'.repeat(4000)}1,nx,0\n`);
    await expect(
      readRows(selectionOf(path, { filter: 'CAST(substr(note, 2) AS INTEGER) = 2' }), wantedOf(['a'])),
    ).rejects.toMatchObject({ code: 'input.invalid', message: expect.stringContaining('fails on a row') });
  });
});

/** A file that is there and may not be read. */
const SECRET = import.meta.filename;

const ESCAPES: readonly string[] = [
  // files and functions over them
  `a = (SELECT count(*) FROM read_csv('${SECRET}'))`,
  `EXISTS (FROM '${SECRET}')`,
  `EXISTS (SELECT * FROM read_text('${SECRET}'))`,
  `EXISTS (SELECT * FROM read_blob('${SECRET}'))`,
  "EXISTS (SELECT * FROM glob('/etc/*'))",
  `a IN (SELECT 1 FROM read_parquet('${SECRET}'))`,
  `a IN (FROM read_json('${SECRET}'))`,
  `read_text('${SECRET}') IS NOT NULL`,
  "glob('/etc/*') IS NOT NULL",
  "parse_filename('/etc/passwd') = 'passwd'",
  // the dataset itself, read in another way
  'a = (SELECT max(a) FROM dataset)',
  'a > ALL (SELECT 1)',
  'a = ANY ([1, 2])',
  'a = (VALUES (1))',
  '(WITH x AS (SELECT 1) SELECT * FROM x) = a',
  '[x FOR x IN (SELECT 1)] IS NOT NULL',
  '[x + 1 FOR x IN [1, 2] IF x > 1][1] = a',
  'list_transform([1], x -> x + 1)[1] = a',
  // the environment and the program
  "getenv('HOME') <> ''",
  "current_setting('allowed_paths') IS NOT NULL",
  "getvariable('x') IS NULL",
  'current_database() IS NOT NULL',
  'current_query() IS NOT NULL',
  'current_user IS NOT NULL',
  'version() IS NOT NULL',
  'random() < 2',
  'now() IS NOT NULL',
  'EXISTS (SELECT * FROM duckdb_secrets())',
  'EXISTS (SELECT * FROM duckdb_settings())',
  'EXISTS (SELECT * FROM information_schema.tables)',
  'EXISTS (FROM pragma_database_list())',
  "query('SELECT 1') IS NOT NULL",
  "query_table('dataset') IS NOT NULL",
  "nextval('s') = 1",
  'setseed(0.5) IS NULL',
  "write_log('x') IS NULL",
  'sleep_ms(10) IS NULL',
  "json_serialize_sql('SELECT 1') IS NOT NULL",
  // other statements
  'a > 0) OR (a < 5',
  "1 = 1; COPY (SELECT 1) TO '/tmp/sallyport-escape.csv'",
  "1 = 1) FROM dataset; ATTACH '/tmp/sallyport-escape.db'; SELECT (1 = 1",
  '1 = 1) FROM dataset WHERE (a = 1',
  '1 = 1) FROM (SELECT 1) AS dataset WHERE (true',
  `1 = 1) FROM read_csv('${SECRET}') AS dataset ORDER BY (1`,
  '1 = 1) FROM dataset UNION ALL SELECT (true',
  'true), (false',
  'true) FROM dataset --',
  'INSTALL httpfs',
  'LOAD httpfs',
  'SET enable_external_access = true',
  'PRAGMA database_list',
  'CREATE MACRO f(x) AS x',
  'EXPLAIN SELECT 1',
  // parts of a query that are no scalar expression
  '*',
  "COLUMNS('a') > 1",
  'count(*) > 0',
  'sum(a) > 0',
  'row_number() OVER () = 1',
  'unnest([true, false])',
  'a > $1',
  'a > ?',
  '#1',
  'dataset.a = 1',
  'main.dataset.a = 1',
  'a COLLATE NOCASE = 1',
  "{'x': a}.x = 1",
  "MAP {'x': 1} IS NOT NULL",
  'a AS b, true',
  'rowid = 0',
  'file_row_number = 1',
  'filename IS NOT NULL',
  // what makes text or work without bound
  "repeat('x', 1000000000) <> ''",
  "lpad('x', 1000000000, 'y') <> ''",
  "printf('%1000000000d', 1) <> ''",
  'list_sum(range(1000000000)) > 0',
  `replace(${'replace('.repeat(50)}note${", 'x', 'xxxxxxxxxx')".repeat(51)} = ''`,
  // look-alikes and odd bytes
  'read\u200B_text(note) = note',
  '\uFF52ead_text(note) = note',
  'a\u0000 = 1',
  'a = 1 \uD800',
  'a::"enum"(\'x\') = 1',
  'a::read_csv = 1',
  'CAST(a AS INTEGER[]) IS NULL',
  // no expression, or not of true and false
  '',
  ';',
  '-- nothing',
  'a +',
  'nothing = 1',
  'a',
  "'yes'",
  "a > 'x' || 1 > 2",
  '1e999 = a',
];

describe('an expression reads nothing but the dataset', () => {
  test.each(ESCAPES)('refused: %s', async (filter) => {
    const path = dataFile('data.csv', `${CSV}\n`);
    // The blank one means "no filter" to a selection and is refused by the compiler alone.
    if (filter === '') return;
    await expect(readRows(selectionOf(path, { filter }), wantedOf(['a']))).rejects.toMatchObject({
      code: 'input.invalid',
    });
  });

  test.each([
    ['parentheses', `${'('.repeat(1500)}a = 1${')'.repeat(1500)}`],
    ['negations', `${'NOT '.repeat(900)}a = 1`],
    ['functions', `${'abs('.repeat(700)}a${')'.repeat(700)} = 1`],
    ['brackets', `${'['.repeat(1900)}${']'.repeat(1900)} IS NULL`],
    ['casts', `a${'::INTEGER'.repeat(390)} = 1`],
    ['too long a text', `a = 1${' OR a = 1'.repeat(500)}`],
    ['a repetition no engine builds', "regexp_matches(note, '((a{1000}){1000}){1000}')"],
  ])('%s nested without end neither crash nor hang', async (_, filter) => {
    const outcome = await rowsOf(filter).catch((error: { code?: string }) => error.code);
    expect(outcome === 'input.invalid' || Array.isArray(outcome)).toBe(true);
  });

  test('hundreds of conditions side by side are fine', async () => {
    expect(await rowsOf(Array.from({ length: 300 }, (_, index) => `a=${index}`).join(' OR '))).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test('the SQL that is run holds no word of the person but constants', async () => {
    const database = await openLockedDatabase([SECRET], 1);
    try {
      const compiled = await compileExpression(
        database.connection,
        "/* x */ A > 1.50 -- y\n AND lower(\"note\") = 'it''s; DROP'",
        ['A', 'note'],
      );
      expect(compiled.columns).toEqual(['A', 'note']);
      expect(compiled.sql((name) => (name === 'A' ? 'c0' : 'c1'))).toBe(
        "((c0 > 1.50) AND (lower(c1) = 'it''s; DROP'))",
      );
      await expect(compileExpression(database.connection, ' ', ['A'])).rejects.toMatchObject({
        code: 'input.invalid',
      });
    } finally {
      database.close();
    }
  });

  test('columns that differ in case alone are told apart by their exact names', async () => {
    const path = dataFile('data.csv', 'a,A,label\n1,2,0\n3,4,1\n');
    const read = (filter: string) => readRows(selectionOf(path, { filter }), wantedOf(['a']));
    expect((await read('"A" = 4')).rowNumbers).toEqual([2]);
    const third = dataFile('data.csv', 'aB,AB,label\n1,2,0\n');
    await expect(readRows(selectionOf(third, { filter: 'ab = 1' }), wantedOf(['aB']))).rejects.toMatchObject({
      code: 'input.invalid',
    });
  });
});

describe('the database a dataset is read by', () => {
  test.each([
    `SELECT * FROM read_csv('${SECRET}', auto_detect = true)`,
    `SELECT * FROM read_text('${SECRET}')`,
    "COPY (SELECT 1) TO '/tmp/sallyport-escape.csv'",
    "ATTACH '/tmp/sallyport-escape.db'",
    'INSTALL httpfs',
    'LOAD httpfs',
    `SET allowed_paths = ['${SECRET}']`,
    'SET enable_external_access = true',
    "SET memory_limit = '10GB'",
    "SET temp_directory = '/tmp'",
    "SELECT * FROM glob('/etc/*')",
  ])('refuses by itself: %s', async (sql) => {
    const database = await openLockedDatabase([dataFile('data.csv', CSV)], 1);
    try {
      await expect(database.connection.run(sql)).rejects.toThrow();
    } finally {
      database.close();
    }
  });
});
