import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataset } from '../../../electron/adapters/datasets/open-dataset.ts';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import { temporaryDirectory } from '../../support/temp.ts';

const ROWS = 400_000;
/** Wide enough that several threads would each take a part of the file. */
const PADDING = 'x'.repeat(80);

test.each([
  ['csv', 'x,pad,label\n', (row: number) => `${row},${PADDING},${row % 2}\n`],
  ['jsonl', '', (row: number) => `{"x":${row},"pad":"${PADDING}","label":${row % 2}}\n`],
])(
  'the rows of a large %s file come in the order of the file',
  async (ending, head, line) => {
    const path = join(temporaryDirectory(), `large.${ending}`);
    const out = createWriteStream(path);
    out.write(head);
    for (let row = 1; row <= ROWS; row++) if (!out.write(line(row))) await once(out, 'drain');
    out.end();
    await once(out, 'finish');
    const dataset = await openDataset(labelledFile(path));
    const wanted = { features: ['x'], label: 'label', labelKind: 'binary', texts: [], time: null } as const;
    let seen = 0;
    let misplaced = 0;
    for await (const batch of dataset.batches(wanted)) {
      for (let row = 0; row < batch.rows; row++)
        if (batch.features[0]?.[row] !== seen + row + 1 || batch.rowNumbers[row] !== seen + row + 1)
          misplaced++;
      seen += batch.rows;
    }
    await dataset.close();
    expect([seen, misplaced]).toEqual([ROWS, 0]);
  },
  60_000,
);
