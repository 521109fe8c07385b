import { describe, expect, test } from 'vitest';
import type { DataSelection } from '../../shared/domain/evidence/dataset.ts';
import { dataFile, npyFile, parquetFile, readRows, selectionOf, wantedOf } from '../support/datasets.ts';

/** Row `index` from 0: a float, an integer, a class in `label`, a text, a time, a target. */
const ROWS = 5000;
const numberOf = (index: number): number => ((index * 37) % 1000) / 8 - 50;
const countOf = (index: number): number => (index * 7) % 100;
const labelOf = (index: number): number => (index % 3 === 0 ? 1 : 0);
const kindOf = (index: number): string => ['web', 'mail', 'dns, "x"'][index % 3] as string;
const timeOf = (index: number): string => new Date(1.7e12 + index * 1000).toISOString();
const indices = Array.from({ length: ROWS }, (_, index) => index);

function csv(): string {
  const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const rows = indices.map((index) =>
    [numberOf(index), countOf(index), labelOf(index), cell(kindOf(index)), timeOf(index), index / 3].join(
      ',',
    ),
  );
  return dataFile('data.csv', `value,count,label,kind,seen,target\n${rows.join('\n')}\n`);
}

function jsonLines(): string {
  const rows = indices.map((index) =>
    JSON.stringify({
      value: numberOf(index),
      count: countOf(index),
      label: labelOf(index),
      kind: kindOf(index),
      seen: timeOf(index),
      target: index / 3,
    }),
  );
  return dataFile('data.jsonl', rows.join('\n'));
}

const parquet = (): Promise<string> =>
  parquetFile(
    `SELECT ((i * 37) % 1000) / 8.0::DOUBLE - 50 AS value, (i * 7) % 100 AS count, CASE WHEN i % 3 = 0 THEN 1 ELSE 0 END AS label,
     ['web', 'mail', 'dns, "x"'][i % 3 + 1] AS kind, epoch_ms(1700000000000 + i * 1000) AS seen, i / 3.0::DOUBLE AS target
     FROM range(${ROWS}) t(i)`,
  );

function npy(): string {
  const data = new DataView(new ArrayBuffer(ROWS * 18));
  for (const index of indices) {
    data.setFloat32(index * 18, numberOf(index), true);
    data.setInt32(index * 18 + 4, countOf(index), false);
    data.setUint8(index * 18 + 8, labelOf(index));
    data.setFloat64(index * 18 + 10, index / 3, true);
  }
  const type = "[('value', '<f4'), ('count', '>i4'), ('label', '|b1'), ('pad', '|u1'), ('target', '<f8')]";
  return dataFile(
    'data.npy',
    npyFile(`{'descr': ${type}, 'fortran_order': False, 'shape': (${ROWS},), }`, new Uint8Array(data.buffer)),
  );
}

const FORMATS: readonly {
  readonly format: DataSelection['format'];
  readonly write: () => string | Promise<string>;
  readonly hasText: boolean;
}[] = [
  { format: 'csv', write: csv, hasText: true },
  { format: 'jsonl', write: jsonLines, hasText: true },
  { format: 'parquet', write: parquet, hasText: true },
  { format: 'npy', write: npy, hasText: false },
];

describe.each(FORMATS)('a dataset in $format', ({ format, write }) => {
  test('gives every row once, in file order, numbered from 1', async () => {
    const read = await readRows(selectionOf(await write()), wantedOf(['count', 'value']), { batchRows: 700 });
    expect(read.rows).toEqual(indices.map((index) => [countOf(index), Math.fround(numberOf(index))]));
    expect(read.labels).toEqual(indices.map(labelOf));
    expect(read.rowNumbers).toEqual(indices.map((index) => index + 1));
    expect(read.batches).toEqual([700, 700, 700, 700, 700, 700, 700, 100]);
    expect(read.info).toMatchObject({
      format,
      rows: ROWS,
      rowsInFile: ROWS,
      featureColumns: 2,
      labelled: true,
    });
  });

  test.each([1, 64, 2048, 4096, 10_000])('batches of %i rows hold the same', async (batchRows) => {
    const few = selectionOf(await write(), { filter: 'count < 50' });
    const kept = indices.filter((index) => countOf(index) < 50);
    const read = await readRows(few, wantedOf(['value']), { batchRows, readAhead: 3 });
    expect(read.rowNumbers).toEqual(kept.map((index) => index + 1));
    expect(read.rows).toEqual(kept.map((index) => [Math.fround(numberOf(index))]));
    expect(read.labels).toEqual(kept.map(labelOf));
    expect(read.info).toMatchObject({ filter: 'count < 50', rows: kept.length, rowsInFile: ROWS });
    expect(read.batches.slice(0, -1).every((rows) => rows === batchRows)).toBe(true);
  });

  test('a filter looks at columns that nothing else is wanted of, and at those that are', async () => {
    const filter = 'target >= 100 AND target < 101 AND value > -50 AND label = 0 -- and no more';
    const read = await readRows(selectionOf(await write(), { filter }), wantedOf(['value']));
    expect(read.rowNumbers).toEqual([302, 303]);
  });

  test('a filter that lets nothing through is an error', async () => {
    await expect(
      readRows(selectionOf(await write(), { filter: 'value > 1e6' }), wantedOf(['value'])),
    ).rejects.toMatchObject({ code: 'dataset.invalid', message: expect.stringContaining('filter') });
  });

  test('a target is read in double precision, and no truth at all is fine', async () => {
    const path = await write();
    const truth = await readRows(
      selectionOf(path),
      wantedOf(['value'], { label: 'target', labelKind: 'regression' }),
    );
    expect(truth.targets).toEqual(indices.map((index) => index / 3));
    const none = await readRows(selectionOf(path, { labelled: false }), wantedOf(['value'], { label: null }));
    expect([none.labels, none.targets, none.info.labelled]).toEqual([[], [], false]);
  });

  test('the value that means malicious may be given', async () => {
    const read = await readRows(selectionOf(await write(), { positiveValue: '0' }), wantedOf(['value']));
    expect(read.labels).toEqual(indices.map((index) => 1 - labelOf(index)));
  });

  test('integer inputs refuse what is no integer of theirs', async () => {
    const path = await write();
    const wanted = wantedOf(['count', 'value'], { inputTypes: ['int64', 'int64'] });
    await expect(readRows(selectionOf(path), wanted)).rejects.toMatchObject({
      code: 'dataset.invalid',
      facts: { row: 2, column: 'value', badRows: expect.any(Number) },
    });
    expect(
      (await readRows(selectionOf(path), wantedOf(['count'], { inputTypes: ['int8'] }))).rows,
    ).toHaveLength(ROWS);
  });

  test('an unknown column is named, a second reading starts again', async () => {
    const path = await write();
    await expect(readRows(selectionOf(path), wantedOf(['nothing']))).rejects.toMatchObject({
      code: 'dataset.columns',
    });
    const [first, second] = [
      await readRows(selectionOf(path), wantedOf(['value'])),
      await readRows(selectionOf(path), wantedOf(['value'])),
    ];
    expect(first).toEqual(second);
  });
});

describe.each(FORMATS.filter(({ hasText }) => hasText))('text in $format', ({ write }) => {
  test('texts, times and label words come along', async () => {
    const path = await write();
    const wanted = wantedOf(['value'], { label: 'kind', texts: ['kind', 'count'], time: 'seen' });
    const read = await readRows(selectionOf(path, { positiveValue: 'MAIL' }), wanted, { batchRows: 3000 });
    expect(read.labels).toEqual(indices.map((index) => (kindOf(index) === 'mail' ? 1 : 0)));
    expect(read.texts).toEqual(indices.map((index) => [kindOf(index), String(countOf(index))]));
    expect(read.times).toEqual(indices.map((index) => 1.7e12 + index * 1000));
    const filtered = await readRows(
      selectionOf(path, { filter: "kind = 'dns, \"x\"' AND seen < TIMESTAMP '2023-11-14 22:13:26'" }),
      wantedOf(['value'], { texts: ['kind'] }),
    );
    expect(filtered.rowNumbers).toEqual([3, 6]);
  });
});
