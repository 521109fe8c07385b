import { describe, expect, test } from 'vitest';
import { readNpyHeader } from '../../../electron/adapters/datasets/npy-header.ts';
import { dataFile, npyFile, readRows, selectionOf, wantedOf } from '../../support/datasets.ts';

type Put = (view: DataView, at: number, value: number) => void;

/** The types of elements, as NumPy spells them, with how one is written; `>` where the order is big-endian. */
const TYPES: readonly (readonly [descr: string, size: number, put: Put])[] = [
  // 1.5 in half precision is 0x3e00, 2 is 0x4000: enough to see sign, exponent and fraction.
  ['<f2', 2, (view, at, value) => view.setUint16(at, [0, 0x3c00, 0x4000, 0x4200][value] as number, true)],
  ['>f2', 2, (view, at, value) => view.setUint16(at, [0, 0x3c00, 0x4000, 0x4200][value] as number)],
  ['<f4', 4, (view, at, value) => view.setFloat32(at, value, true)],
  ['>f4', 4, (view, at, value) => view.setFloat32(at, value)],
  ['<f8', 8, (view, at, value) => view.setFloat64(at, value, true)],
  ['>f8', 8, (view, at, value) => view.setFloat64(at, value)],
  ['|i1', 1, (view, at, value) => view.setInt8(at, value)],
  ['|u1', 1, (view, at, value) => view.setUint8(at, value)],
  ['<i2', 2, (view, at, value) => view.setInt16(at, value, true)],
  ['>u2', 2, (view, at, value) => view.setUint16(at, value)],
  ['<i4', 4, (view, at, value) => view.setInt32(at, value, true)],
  ['>u4', 4, (view, at, value) => view.setUint32(at, value)],
  ['<i8', 8, (view, at, value) => view.setBigInt64(at, BigInt(value), true)],
  ['>u8', 8, (view, at, value) => view.setBigUint64(at, BigInt(value))],
];

const ROWS = 3000;
const WIDTH = 3;
/** Values 0 to 3; the last column is a label. */
const cell = (row: number, column: number): number => (column === WIDTH - 1 ? row % 2 : (row + column) % 4);

function matrix(descr: string, size: number, put: Put, fortran: boolean, version = 1): Uint8Array {
  const view = new DataView(new ArrayBuffer(ROWS * WIDTH * size));
  for (let row = 0; row < ROWS; row++)
    for (let column = 0; column < WIDTH; column++)
      put(view, (fortran ? column * ROWS + row : row * WIDTH + column) * size, cell(row, column));
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${ROWS}, ${WIDTH}), }`;
  return npyFile(header, new Uint8Array(view.buffer), version);
}

const expected = Array.from({ length: ROWS }, (_, row) => [cell(row, 0), cell(row, 1)]);
const labels = expected.map((_, row) => row % 2);
const wanted = wantedOf(['column_1', 'column_2']);

describe('a matrix in NPY', () => {
  test.each(TYPES)('%s, row by row and column by column', async (descr, size, put) => {
    for (const fortran of [false, true]) {
      const path = dataFile('x.npy', matrix(descr, size, put, fortran));
      const read = await readRows(selectionOf(path), wanted, { batchRows: 1000 });
      expect(read.rows).toEqual(expected);
      expect(read.labels).toEqual(labels);
    }
  });

  test.each([1, 2, 3])('format version %i', async (version) => {
    const [descr, size, put] = TYPES[2] as (typeof TYPES)[number];
    const path = dataFile('x.npy', matrix(descr, size, put, false, version));
    expect((await readRows(selectionOf(path), wanted)).rows).toEqual(expected);
  });

  test('labels come from a second file, and both are in the digest', async () => {
    const [descr, size, put] = TYPES[2] as (typeof TYPES)[number];
    const path = dataFile('x.npy', matrix(descr, size, put, true));
    const one = { descr: `'|b1'`, fortran_order: 'False', shape: `(${ROWS},)` };
    const header = `{${Object.entries(one)
      .map(([name, value]) => `'${name}': ${value}`)
      .join(', ')}, }`;
    const labelsPath = dataFile(
      'y.npy',
      npyFile(
        header,
        Uint8Array.from(labels, (label) => 1 - label),
      ),
    );
    const both = await readRows(selectionOf(path, { labelsPath }), wantedOf(['column_3']));
    expect(both.labels).toEqual(labels.map((label) => 1 - label));
    expect(both.rows).toEqual(labels.map((label) => [label]));
    const alone = await readRows(
      selectionOf(path, { labelled: false }),
      wantedOf(['column_3'], { label: null }),
    );
    expect(both.info.digest).not.toBe(alone.info.digest);
    const short = dataFile('y.npy', npyFile(header.replace(String(ROWS), '7'), new Uint8Array(7)));
    await expect(readRows(selectionOf(path, { labelsPath: short }), wanted)).rejects.toMatchObject({
      code: 'dataset.columns',
    });
    await expect(
      readRows(selectionOf(dataFile('data.csv', 'a,label\n1,0\n'), { labelsPath }), wantedOf(['a'])),
    ).rejects.toMatchObject({ code: 'input.invalid' });
  });

  test('a value that is not finite is named with its row', async () => {
    const put: Put = (view, at, value) => view.setFloat32(at, value === 3 ? Number.NaN : value, true);
    const path = dataFile('x.npy', matrix('<f4', 4, put, false));
    await expect(readRows(selectionOf(path), wanted)).rejects.toMatchObject({
      code: 'dataset.non-finite',
      facts: { row: 3, column: 'column_2', badRows: 1500 },
    });
  });
});

describe('a hostile NPY header', () => {
  const plain = "'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)";
  test.each([
    ['a call', "{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (2, 2)}"],
    ['an object type, which NumPy unpickles', "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2)}"],
    ['text', "{'descr': '<U8', 'fortran_order': False, 'shape': (2, 2)}"],
    ['bytes', "{'descr': '|S4', 'fortran_order': False, 'shape': (2, 2)}"],
    ['complex numbers', "{'descr': '<c8', 'fortran_order': False, 'shape': (2, 2)}"],
    ['a size no type has', "{'descr': '<f1', 'fortran_order': False, 'shape': (2, 2)}"],
    ['a nested type', "{'descr': [('a', [('b', '<f4')])], 'fortran_order': False, 'shape': (4,)}"],
    ['fields of several values', "{'descr': [('a', '<f4', (2,))], 'fortran_order': False, 'shape': (2,)}"],
    [
      'two fields of one name',
      "{'descr': [('a', '<f4'), ('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
    ],
    ['no shape', "{'descr': '<f4', 'fortran_order': False}"],
    ['one more entry', `{${plain}, 'x': 1}`],
    ['an entry twice', `{${plain}, 'descr': '<f4'}`],
    ['three dimensions', "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}"],
    ['no dimension', "{'descr': '<f4', 'fortran_order': False, 'shape': ()}"],
    ['a negative size', "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 2)}"],
    ['more rows than bytes', "{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000, 2)}"],
    ['more rows than numbers', "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999, 9999)}"],
    ['more columns than a table', "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 100000)}"],
    ['fewer rows than bytes', "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}"],
    ['a number as order', "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2)}"],
    ['an expression as size', "{'descr': '<f4', 'fortran_order': False, 'shape': (2**31, 2)}"],
    ['an escape in a name', "{'descr': [('a\\x00', '<f4')], 'fortran_order': False, 'shape': (4,)}"],
    [
      'deep nesting',
      `{'descr': ${'['.repeat(20)}${']'.repeat(20)}, 'fortran_order': False, 'shape': (2, 2)}`,
    ],
    ['something after the end', `{${plain}}; import os`],
    ['nothing', ''],
  ])('%s', async (_, header) => {
    const path = dataFile('x.npy', npyFile(header, new Uint8Array(16)));
    await expect(readRows(selectionOf(path), wanted)).rejects.toMatchObject({ code: 'dataset.invalid' });
  });

  test.each([
    ['not the format', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x58, 1, 0, 4, 0]],
    ['an unknown version', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 9, 0, 4, 0]],
    ['cut off before its length', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 4]],
    ['cut off within', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 200, 0, 0x7b]],
    ['longer than any', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255]],
  ])('%s', (_, head) => {
    expect(() => readNpyHeader(Uint8Array.from(head))).toThrow(
      expect.objectContaining({ code: 'dataset.invalid' }),
    );
  });
});
