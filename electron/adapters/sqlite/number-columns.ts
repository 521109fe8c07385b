/**
 * Ordered fields of versions (`size`, `metric.auc`, …) as columns: 480 positions a row, which then just
 * fills a page: a condition over 100,000 versions reads 209 pages instead of 100,000 index entries, and adding a version
 * writes one page a field whatever the size of the registry.
 *
 * A blob: 60 bytes of presence, one bit per position, lowest first; then a little-endian double per present position.
 */
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import { bitsOf, PositionSet } from './position-set.ts';

const CHUNK = 480;
const PRESENCE_BYTES = CHUNK / 8;

interface ChunkRow {
  readonly chunk: number;
  readonly data: Buffer;
}

/**
 * Positions whose number passes, of those in `within` (null: of all); `unsure` are those where `test` answers null. The
 * blobs are gone through in words of 32 positions, so that those nobody asks for cost nothing.
 */
export function scanNumbers(
  db: EncryptedDatabase,
  field: string,
  test: (value: number) => boolean | null,
  within: PositionSet | null = null,
): { readonly sure: PositionSet; readonly unsure: number[] } {
  const sure = new PositionSet();
  const unsure: number[] = [];
  const rows = db.all<ChunkRow>(
    'SELECT chunk, data FROM version_numbers WHERE field = ? ORDER BY chunk',
    field,
  );
  for (const { chunk, data } of rows) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = PRESENCE_BYTES;
    for (let index = 0; index < CHUNK / 32; index++) {
      const present = view.getUint32(index * 4, true);
      const word = (chunk * CHUNK) / 32 + index;
      let asked = within === null ? present : present & within.wordAt(word);
      let passed = 0;
      while (asked !== 0) {
        const lowest = asked & -asked;
        asked ^= lowest;
        // Values stand in the order of their positions: as many before it as are present below it.
        const passes = test(view.getFloat64(at + 8 * bitsOf(present & (lowest - 1)), true));
        if (passes === true) passed |= lowest;
        else if (passes === null) unsure.push(word * 32 + (31 - Math.clz32(lowest)));
      }
      sure.addWord(word, passed);
      at += 8 * bitsOf(present);
    }
  }
  return { sure, unsure };
}

/** Sets a position's number, or with null takes it away. */
export function writeNumber(
  db: EncryptedDatabase,
  field: string,
  position: number,
  value: number | null,
): void {
  const chunk = Math.floor(position / CHUNK);
  const found = db.get<{ data: Buffer }>(
    'SELECT data FROM version_numbers WHERE field = ? AND chunk = ?',
    field,
    chunk,
  );
  const data = withNumber(found?.data ?? Buffer.alloc(PRESENCE_BYTES), position % CHUNK, value);
  db.run(
    `INSERT INTO version_numbers (field, chunk, data) VALUES (?, ?, ?)
     ON CONFLICT (field, chunk) DO UPDATE SET data = excluded.data`,
    field,
    chunk,
    data,
  );
}

function withNumber(data: Buffer, offset: number, value: number | null): Buffer {
  const byte = offset >> 3;
  const bit = 1 << (offset & 7);
  const present = ((data[byte] ?? 0) & bit) !== 0;
  const at = PRESENCE_BYTES + 8 * presentBefore(data, offset);
  const head = Buffer.from(data.subarray(0, PRESENCE_BYTES));
  head[byte] = value === null ? (head[byte] ?? 0) & ~bit : (head[byte] ?? 0) | bit;
  const number = Buffer.alloc(value === null ? 0 : 8);
  if (value !== null) number.writeDoubleLE(value);
  return Buffer.concat([
    head,
    data.subarray(PRESENCE_BYTES, at),
    number,
    data.subarray(at + (present ? 8 : 0)),
  ]);
}

/** Present positions below `offset`. */
function presentBefore(data: Buffer, offset: number): number {
  let count = 0;
  for (let index = 0; index < offset; index++) count += ((data[index >> 3] ?? 0) >> (index & 7)) & 1;
  return count;
}
