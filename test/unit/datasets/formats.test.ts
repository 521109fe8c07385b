import { truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DatasetColumn } from '../../../electron/adapters/datasets/dataset.ts';
import { openDataset } from '../../../electron/adapters/datasets/open-dataset.ts';
import { dataFile, parquetFile, readRows, selectionOf, wantedOf } from '../../support/datasets.ts';

async function columnsOf(path: string): Promise<readonly DatasetColumn[]> {
  const dataset = await openDataset(selectionOf(path));
  await dataset.close();
  return dataset.columns;
}
const types = async (path: string): Promise<string[]> =>
  (await columnsOf(path)).map(({ name, type }) => `${name}: ${type}`);

describe('the types of columns', () => {
  test('of CSV are told from its first rows', async () => {
    const rows = [
      'i,n,b,t,d,empty,mixed,label',
      '1,1.5,true,x,2024-01-01,,1,0',
      '-2,3,FALSE,y,2024-01-01T10:00:00Z,,a,1',
      ',,,,,,,1',
    ].join('\n');
    expect(await types(dataFile('data.csv', rows))).toEqual([
      'i: integer',
      'n: number',
      'b: boolean',
      't: text',
      'd: time',
      'empty: text',
      'mixed: text',
      'label: integer',
    ]);
  });

  test('of JSON lines too, with names in the order they come', async () => {
    const rows = [
      '{"i": 1, "n": 1.5, "b": true, "t": "x", "d": "2024-01-01", "o": {"x": 1}}',
      '',
      '{"n": 2, "i": null, "m": 1}',
      '{"m": "a", "e": null}',
    ].join('\n');
    expect(await types(dataFile('data.jsonl', rows))).toEqual([
      'i: integer',
      'n: number',
      'b: boolean',
      't: text',
      'd: time',
      'o: text',
      'm: text',
      'e: text',
    ]);
  });

  test('of Parquet are its own', async () => {
    const path = await parquetFile(
      `SELECT 1::TINYINT AS i, 1.5::DECIMAL(4, 2) AS n, true AS b, 'x' AS t, DATE '2024-01-01' AS d, [1] AS l, {'x': 1} AS s,
       5 AS file_row_number, 6 AS "it's ""odd"""`,
    );
    expect(await types(path)).toEqual([
      'i: integer',
      'n: number',
      'b: boolean',
      't: text',
      'd: time',
      'l: text',
      's: text',
      'file_row_number: integer',
      `it's "odd": integer`,
    ]);
    const read = await readRows(
      selectionOf(path, { filter: 'file_row_number = 5 AND "it\'s ""odd""" = 6' }),
      wantedOf(['n', 'b', `it's "odd"`], { label: null }),
    );
    expect([read.rows, read.rowNumbers]).toEqual([[[1.5, 1, 6]], [1]]);
  });

  test('the format is told by the first bytes, not by the name', async () => {
    const parquet = await parquetFile('SELECT 1 AS a, 0 AS label');
    const dataset = await openDataset(selectionOf(parquet));
    await dataset.close();
    expect((await readRows(selectionOf(parquet), wantedOf(['a']))).info.format).toBe('parquet');
    const lines = dataFile('data.txt', '{"a": 1, "label": 0}\n');
    expect((await readRows(selectionOf(lines), wantedOf(['a']))).info.format).toBe('jsonl');
  });
});

describe('JSON lines that cannot be measured', () => {
  const good = '{"a": 1, "b": true, "label": 0}\n';
  test.each([
    [
      'text in a column of numbers',
      `${good}{"a": "x", "b": true, "label": 0}`,
      'dataset.not-numeric',
      { row: 2, column: 'a', value: 'x' },
    ],
    ['null', `${good}{"a": null, "b": true, "label": 0}`, 'dataset.not-numeric', { row: 2, column: 'a' }],
    [
      'a missing name',
      `${good}${good}{"b": true, "label": 0}`,
      'dataset.not-numeric',
      { row: 3, column: 'a' },
    ],
    [
      'NaN, which is no JSON',
      `${good}{"a": NaN, "b": true, "label": 0}`,
      'dataset.non-finite',
      { row: 2, column: 'a' },
    ],
    ['a list', `${good}{"a": [1], "b": true, "label": 0}`, 'dataset.not-numeric', { row: 2, value: '[1]' }],
    ['beyond 32-bit floats', `${good}{"a": 1e39, "b": true, "label": 0}`, 'dataset.non-finite', { row: 2 }],
    [
      'no truth value',
      `${good.repeat(3000)}{"a": 1, "b": "maybe", "label": 0}`,
      'dataset.not-numeric',
      { row: 3001, column: 'b' },
    ],
    ['no label', `${good}{"a": 1, "b": true}`, 'dataset.invalid', { row: 2, column: 'label' }],
    ['a line cut off', `${good}{"a": 1, "b": tr`, 'dataset.invalid', { line: 2 }],
    ['a list as a line', `${good}[1, true, 0]\n`, 'dataset.invalid', { line: 2 }],
    ['a line that is no JSON', `${good.repeat(5000)}oops\n${good}`, 'dataset.invalid', { line: 5001 }],
    [
      'bytes that are no text',
      Buffer.concat([Buffer.from(good), Buffer.from([0x7b, 0xff, 0x7d, 0x0a])]),
      'dataset.invalid',
      { line: 2 },
    ],
  ])('%s', async (_, content, code, facts) => {
    const path = dataFile('data.jsonl', content);
    await expect(readRows(selectionOf(path), wantedOf(['a', 'b']))).rejects.toMatchObject({ code, facts });
  });

  test.each([
    ['nothing', '', 'dataset.invalid'],
    ['a first line that is no object', '[1]\n', 'dataset.invalid'],
    ['names that differ in case alone', '{"a": 1, "A": 2}\n', 'dataset.columns'],
    ['an empty name', '{"": 1}\n', 'dataset.columns'],
  ])('%s', async (_, content, code) => {
    await expect(openDataset(selectionOf(dataFile('data.jsonl', content)))).rejects.toMatchObject({ code });
  });

  test('a name is a name whatever it is spelled as', async () => {
    const name = `a"'); DROP TABLE x; --\\`;
    const path = dataFile('data.jsonl', `${JSON.stringify({ [name]: 7, label: 1 })}\n`);
    expect((await readRows(selectionOf(path), wantedOf([name]))).rows).toEqual([[7]]);
  });

  test('an open last line keeps its place', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) =>
      JSON.stringify({ a: index, label: index % 2, pad: 'x'.repeat(40) }),
    );
    const read = await readRows(selectionOf(dataFile('data.jsonl', rows.join('\n'))), wantedOf(['a']));
    expect(read.rows.map(([value]) => value)).toEqual(rows.map((_, index) => index));
  });
});

describe('Parquet that cannot be measured', () => {
  test.each([
    [
      'NULL',
      'CASE WHEN i = 2500 THEN NULL ELSE i END',
      'dataset.not-numeric',
      { row: 2501, column: 'a', value: '' },
    ],
    ['NaN', "CASE WHEN i = 2500 THEN 'nan'::DOUBLE ELSE i END", 'dataset.non-finite', { row: 2501 }],
    [
      'a double beyond floats',
      'CASE WHEN i = 2500 THEN 1e300 ELSE i END',
      'dataset.non-finite',
      { row: 2501 },
    ],
    ['text', "CASE WHEN i = 2500 THEN 'x' ELSE '1' END", 'dataset.not-numeric', { row: 2501, value: 'x' }],
    ['dates', "DATE '2024-01-01'", 'dataset.not-numeric', { row: 1, badRows: 4000 }],
    ['lists', '[i]', 'dataset.not-numeric', { row: 1, value: '[0]' }],
  ])('%s', async (_, value, code, facts) => {
    const path = await parquetFile(`SELECT ${value} AS a, i % 2 AS label FROM range(4000) t(i)`);
    await expect(readRows(selectionOf(path), wantedOf(['a']))).rejects.toMatchObject({ code, facts });
  });

  test('text that spells numbers is read as numbers', async () => {
    const path = await parquetFile(`SELECT '1.5' AS a, true AS label`);
    expect(await readRows(selectionOf(path), wantedOf(['a']))).toMatchObject({ rows: [[1.5]], labels: [1] });
  });

  test('a file that is cut off', async () => {
    const path = await parquetFile('SELECT i AS a, i % 2 AS label FROM range(10000) t(i)');
    truncateSync(path, 5000);
    await expect(openDataset(selectionOf(path))).rejects.toMatchObject({ code: 'dataset.invalid' });
  });

  test('a file damaged within its rows', async () => {
    const { readFileSync, writeFileSync } = await import('node:fs');
    const path = await parquetFile('SELECT random() AS a, (i % 2)::INTEGER AS label FROM range(50000) t(i)');
    const bytes = readFileSync(path);
    bytes.fill(0xff, 20_000, 60_000);
    writeFileSync(path, bytes);
    await expect(readRows(selectionOf(path), wantedOf(['a']))).rejects.toMatchObject({
      code: expect.stringMatching(/^dataset\./),
    });
  });
});

describe('the receiver', () => {
  test('may stop early, and close at any time', async () => {
    const path = dataFile('data.csv', `a,label\n${'1,0\n'.repeat(100_000)}`);
    const dataset = await openDataset(selectionOf(path));
    for await (const batch of dataset.batches(wantedOf(['a']))) {
      expect(batch.rows).toBe(2048);
      break;
    }
    let rows = 0;
    for await (const batch of dataset.batches(wantedOf(['a']))) rows += batch.rows;
    expect(rows).toBe(100_000);
    await dataset.close();
  });

  test('a time is milliseconds, whether told in seconds, milliseconds or words', async () => {
    const path = dataFile(
      'data.csv',
      's,m,w,label\n1700000000,1700000000123,2023-11-14T23:13:20+01:00,0\n1,2,,1\n',
    );
    const read = (time: string) => readRows(selectionOf(path), wantedOf(['s'], { time }));
    expect((await read('s')).times).toEqual([1.7e12, 1000]);
    expect((await read('w')).times).toEqual([1.7e12, Number.NaN]);
    expect((await read('m')).times[0]).toBe(1700000000123);
  });
});
