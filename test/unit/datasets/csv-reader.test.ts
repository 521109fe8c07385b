import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCsvDatabase } from '../../../electron/adapters/datasets/csv-database.ts';
import { readCsvHeader } from '../../../electron/adapters/datasets/csv-header.ts';
import { readLabelledCsv } from '../../../electron/adapters/datasets/csv-reader.ts';
import { assertUnchanged, fingerprintFile } from '../../../electron/adapters/datasets/fingerprint.ts';
import { sha256 } from '../../support/engine-models.ts';
import { temporaryDirectory } from '../../support/temp.ts';

interface Read {
  readonly rows: number[][];
  readonly labels: number[];
  readonly notes: string[];
}

/** Columns a, b are features, `note` is context, `label` the truth. */
async function read(content: string | Uint8Array): Promise<Read> {
  const path = join(temporaryDirectory(), "it's data.csv");
  writeFileSync(path, content);
  const file = fingerprintFile(path, () => {});
  const header = readCsvHeader(file.head, file.head.length === file.sizeBytes);
  const at = (name: string): number => header.columns.indexOf(name);
  const result: Read = { rows: [], labels: [], notes: [] };
  for await (const chunk of readLabelledCsv({
    path: file.path,
    header,
    selection: { features: [at('a'), at('b')], label: at('label') },
    context: [at('note')],
  })) {
    expect(chunk.firstRow).toBe(result.rows.length + 1);
    for (let row = 0; row < chunk.rows; row++) {
      result.rows.push(chunk.features.map((column) => column[row] as number));
      result.labels.push(chunk.labels[row] as number);
      result.notes.push(chunk.context(row).note ?? '');
    }
  }
  return result;
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
    const positive = ['1', '1.0', 'true', 'TRUE', 'malicious', 'attack', 'Spam', 'phishing'];
    const negative = ['0', '0.0', 'false', 'False', ' benign ', 'normal', 'ham', 'legitimate'];
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

  test('a missing file and a directory are told apart', () => {
    expect(() => fingerprintFile('/nowhere/data.csv', () => {})).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
    expect(() => fingerprintFile(temporaryDirectory(), () => {})).toThrow(
      expect.objectContaining({ code: 'dataset.invalid' }),
    );
  });

  test.each([
    "SELECT * FROM read_csv('/etc/passwd', auto_detect = true)",
    "COPY (SELECT 1) TO '/tmp/sallyport-escape.csv'",
    "ATTACH '/tmp/sallyport-escape.db'",
    'INSTALL httpfs',
    'LOAD httpfs',
    "SET allowed_paths = ['/etc/passwd']",
    'SET enable_external_access = true',
    "SET memory_limit = '10GB'",
    "SELECT * FROM glob('/etc/*')",
  ])('the reader refuses: %s', async (sql) => {
    const path = join(temporaryDirectory(), 'data.csv');
    writeFileSync(path, HEADER);
    const database = await openCsvDatabase(path, 1);
    try {
      await expect(database.connection.run(sql)).rejects.toThrow();
    } finally {
      database.close();
    }
  });
});
