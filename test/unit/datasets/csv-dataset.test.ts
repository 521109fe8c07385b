import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assertUnchanged,
  fingerprintFile,
  fingerprintFolder,
} from '../../../electron/adapters/datasets/fingerprint.ts';
import { openDataset } from '../../../electron/adapters/datasets/open-dataset.ts';
import { dataFile, readRows, selectionOf, wantedOf } from '../../support/datasets.ts';
import { sha256 } from '../../support/engine-models.ts';
import { temporaryDirectory } from '../../support/temp.ts';

interface Read {
  readonly rows: number[][];
  readonly labels: number[];
  readonly notes: string[];
}

/** Columns a, b are features, `note` is context, `label` the truth. */
async function read(content: string | Uint8Array): Promise<Read> {
  const path = dataFile("it's data.csv", content);
  const { rows, labels, texts, rowNumbers } = await readRows(
    selectionOf(path),
    wantedOf(['a', 'b'], { texts: ['note'] }),
  );
  expect(rowNumbers).toEqual(rows.map((_, index) => index + 1));
  return { rows, labels, notes: texts.map(([note]) => note ?? '') };
}

const HEADER = 'a,b,note,label\n';

describe('reading labelled CSV', () => {
  test('quotes, line ends inside quotes, doubled quotes and spaces are CSV', async () => {
    expect(await read(`${HEADER}1, 2 ,"x, ""y""\nz",0\n-3.5e2,"4",plain,1\n`)).toEqual({
      rows: [
        [1, 2],
        [-350, 4],
      ],
      labels: [0, 1],
      notes: ['x, "y"\nz', 'plain'],
    });
  });

  test.each([
    ['a byte-order mark', `\uFEFF${HEADER}1,2,x,1\n`],
    ['Windows line ends', 'a,b,note,label\r\n1,2,x,1\r\n'],
    ['semicolons', 'a;b;note;label\n1;2;x;1\n'],
    ['tabs', 'a\tb\tnote\tlabel\n1\t2\tx\t1'],
    ['no last line end', `${HEADER}1,2,x,1`],
    ['columns in another order', 'label,note,b,a\n1,x,2,1\n'],
    ['quoted names', '"a","b","note","label"\n1,2,x,1\n'],
  ])('%s', async (_, content) => {
    expect(await read(content)).toEqual({ rows: [[1, 2]], labels: [1], notes: ['x'] });
  });

  test('every accepted spelling of a label', async () => {
    const positive = [
      '1',
      '1.0',
      'true',
      'TRUE',
      'malicious',
      'attack',
      'Spam',
      'phishing',
      'Malware',
      'yes',
    ];
    const negative = ['0', '0.0', '-1', 'false', 'False', ' benign ', 'normal', 'ham', 'legitimate', 'clean'];
    const { labels } = await read(
      HEADER + [...positive, ...negative].map((label) => `1,2,x,${label}\n`).join(''),
    );
    expect(labels).toEqual([...positive.map(() => 1), ...negative.map(() => 0)]);
  });

  test('any numbers come back in order as their nearest 32-bit floats, over many chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.float({ noNaN: true, noDefaultInfinity: true }),
            fc.integer({ min: -1e6, max: 1e6 }),
            fc.boolean(),
          ),
          { minLength: 1, maxLength: 5000, size: 'max' },
        ),
        async (data) => {
          const { rows, labels } = await read(
            HEADER + data.map(([a, b, label]) => `${a},${b},x,${label}\n`).join(''),
          );
          expect(rows).toEqual(
            data
              .map(([a, b]) => [a + 0, b + 0])
              .map((row) => row.map((value) => (Object.is(value, -0) ? 0 : value))),
          );
          expect(labels).toEqual(data.map(([, , label]) => (label ? 1 : 0)));
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('refusing what cannot be measured', () => {
  const many = (count: number): string => '1,2,x,0\n'.repeat(count);
  test.each([
    ['NaN', `${many(2)}1,NaN,x,0\n`, 'dataset.non-finite', { row: 3, column: 'b', value: 'NaN' }],
    [
      'NaN far into the file',
      `${many(5000)}nan,1,x,0\n${many(3000)}`,
      'dataset.non-finite',
      { row: 5001, column: 'a' },
    ],
    ['infinity', '-inf,2,x,0\n', 'dataset.non-finite', { row: 1, column: 'a' }],
    [
      'a number beyond 32-bit floats',
      `${many(1)}1e39,2,x,0\n`,
      'dataset.non-finite',
      { row: 2, column: 'a', value: '1e39' },
    ],
    [
      'a number beyond 64-bit floats',
      `${many(1)}1e999,2,x,0\n`,
      'dataset.non-finite',
      { row: 2, column: 'a', value: '1e999' },
    ],
    [
      'text',
      `${many(2500)}1,abc,x,0\n1,NaN,x,0\n`,
      'dataset.not-numeric',
      { row: 2501, column: 'b', value: 'abc' },
    ],
    ['an empty cell', '1,2,x,0\n1,,x,0\n', 'dataset.not-numeric', { row: 2, column: 'b', value: '' }],
    ['a quoted empty cell', '1,"",x,0\n', 'dataset.not-numeric', { row: 1, column: 'b' }],
    [
      'the first of several',
      '1,2,x,0\n1,NaN,x,0\n1,abc,x,0\n',
      'dataset.non-finite',
      { row: 2, column: 'b' },
    ],
    [
      'an unknown label',
      `${many(2100)}1,2,x,maybe\n`,
      'dataset.invalid',
      { row: 2101, column: 'label', value: 'maybe' },
    ],
    ['a missing label', '1,2,x,\n', 'dataset.invalid', { row: 1, column: 'label' }],
    ['a third class', '1,2,x,2\n', 'dataset.invalid', { row: 1, value: '2' }],
    ['a row too short', `${many(3)}1,2,x\n`, 'dataset.invalid', { row: 4, line: 5 }],
    ['a row too long', '1,2,x,0,9\n', 'dataset.invalid', { row: 1, line: 2 }],
    // Far enough that the reader has handed out chunks before it meets them.
    [
      'a short row far into a long file',
      `${many(300_000)}1,2,x\n${many(300_000)}`,
      'dataset.invalid',
      { row: 300_001, line: 300_002 },
    ],
    [
      'text far into a long file',
      `${many(300_000)}1,q,x,0\n${many(300_000)}`,
      'dataset.not-numeric',
      { row: 300_001, column: 'b' },
    ],
    ['a cut-off last row of a long file', `${many(300_000)}1,2`, 'dataset.invalid', { row: 300_001 }],
    ['a quote never closed', '1,2,"x,0\n1,2,x,0\n', 'dataset.invalid', {}],
  ])('%s, with its place', async (_, body, code, facts) => {
    await expect(read(HEADER + body)).rejects.toMatchObject({ code, facts });
  });

  test.each([
    ['an empty file', '', 'dataset.invalid'],
    ['a file with zero bytes', 'PK\u0003\u0004\u0000\u0000', 'dataset.invalid'],
    ['one column', 'hello\nworld\n', 'dataset.invalid'],
    ['UTF-16', Buffer.from(`\uFEFF${HEADER}`, 'utf16le'), 'dataset.invalid'],
    ['Latin-1 in the header', Buffer.from('a,b,note,lab\u00e9l\n', 'latin1'), 'dataset.invalid'],
    ['a name twice', 'a,b,a,note,label\n', 'dataset.columns'],
    ['a column without a name', 'a,b,,note,label\n', 'dataset.columns'],
    ['a blank first line', '\n1,2,x,0\n', 'dataset.invalid'],
  ])('%s', async (_, content, code) => {
    await expect(read(content)).rejects.toMatchObject({ code });
  });

  test('all rows that cannot be used are counted, the first ten named', async () => {
    const body = Array.from({ length: 3000 }, (_, row) => `1,${row % 100 === 99 ? 'bad' : 2},x,0\n`).join('');
    await expect(read(HEADER + body)).rejects.toMatchObject({
      code: 'dataset.not-numeric',
      message:
        'Row 100, column "b" is "bad", which is not a number. 29 more rows cannot be used: 200, 300, 400, 500, 600, 700, 800, 900, 1000, ….',
      facts: { row: 100, badRows: 30, firstBadRows: '100, 200, 300, 400, 500, 600, 700, 800, 900, 1000' },
    });
  });

  test('rows that the filter leaves out need not be usable', async () => {
    const path = dataFile('data.csv', `${HEADER}1,2,x,0\n1,bad,y,7\n3,4,x,1\n5,NaN,z,0\n`);
    const filtered = (filter: string) => readRows(selectionOf(path, { filter }), wantedOf(['a', 'b']));
    expect((await filtered("note = 'x'")).rows).toEqual([
      [1, 2],
      [3, 4],
    ]);
    await expect(filtered("note <> 'y'")).rejects.toMatchObject({
      code: 'dataset.non-finite',
      facts: { row: 4, column: 'b', badRows: 1 },
    });
  });

  test('columns of true and false are fed as 1 and 0', async () => {
    const path = dataFile('data.csv', 'flag,label\ntrue,0\nFALSE,1\n');
    expect((await readRows(selectionOf(path), wantedOf(['flag']))).rows).toEqual([[1], [0]]);
  });

  test('a path that stands for several files is refused', async () => {
    const path = dataFile('all*.csv', `${HEADER}1,2,x,0\n`);
    await expect(readRows(selectionOf(path), wantedOf(['a']))).rejects.toMatchObject({
      code: 'dataset.invalid',
    });
  });

  test('long cells are shortened in the message', async () => {
    await expect(read(`${HEADER}1,${'z'.repeat(5000)},x,0\n`)).rejects.toSatisfy(
      (error: Error) => error.message.length < 200,
    );
  });
});

describe('the dataset on disk', () => {
  test('the digest is that of the file, and a change after it is noticed', () => {
    const path = join(temporaryDirectory(), 'data.csv');
    const content = `${HEADER}1,2,x,0\n`;
    writeFileSync(path, content);
    const file = fingerprintFile(path, () => {});
    expect(file.digest).toBe(sha256(Buffer.from(content)));
    expect(() => assertUnchanged(file)).not.toThrow();
    writeFileSync(path, `${content}1,2,x,1\n`);
    expect(() => assertUnchanged(file)).toThrow(expect.objectContaining({ code: 'dataset.invalid' }));
  });

  test('rows of a file that changed after it was opened give no facts', async () => {
    const path = dataFile('data.csv', `${HEADER}1,2,x,0\n`);
    const dataset = await openDataset(selectionOf(path));
    const wanted = wantedOf(['a']);
    try {
      for await (const batch of dataset.batches(wanted)) expect(batch.rows).toBe(1);
      expect(dataset.info(wanted).rows).toBe(1);
      writeFileSync(path, `${HEADER}1,2,x,0\n1,2,x,0\n`);
      expect(() => dataset.info(wanted)).toThrow(expect.objectContaining({ code: 'dataset.invalid' }));
    } finally {
      await dataset.close();
    }
    await expect(openDataset(selectionOf(path), { digest: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'dataset.invalid',
    });
  });

  test('a folder has the digest that sha256sum gives of its sorted list', () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'set'));
    writeFileSync(join(folder, 'b.pb'), 'b');
    writeFileSync(join(folder, 'set', 'a.pb'), 'a');
    const list = `${sha256(Buffer.from('b'))}  b.pb\n${sha256(Buffer.from('a'))}  set/a.pb\n`;
    expect(fingerprintFolder(folder)).toMatchObject({ digest: sha256(Buffer.from(list)), sizeBytes: 2 });
    symlinkSync('b.pb', join(folder, 'link.pb'));
    expect(() => fingerprintFolder(folder)).toThrow(expect.objectContaining({ code: 'dataset.invalid' }));
  });

  test('a missing file and a directory are told apart', () => {
    expect(() => fingerprintFile('/nowhere/data.csv', () => {})).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
    expect(() => fingerprintFile(temporaryDirectory(), () => {})).toThrow(
      expect.objectContaining({ code: 'dataset.invalid' }),
    );
  });
});
