import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MIGRATIONS } from '../../../electron/adapters/sqlite/migrations.ts';
import { scanNumbers, writeNumber } from '../../../electron/adapters/sqlite/number-columns.ts';
import { PositionSet } from '../../../electron/adapters/sqlite/position-set.ts';
import { type EncryptedDatabase, openDatabase } from '../../../shared/node/sqlite/database.ts';
import { migrate } from '../../../shared/node/sqlite/migrate.ts';
import { temporaryDirectory } from '../../support/temp.ts';

function database(): EncryptedDatabase {
  const db = openDatabase(join(temporaryDirectory(), 'x.db'), randomBytes(32), { create: true });
  onTestFinished(() => db.close());
  migrate(db, MIGRATIONS);
  return db;
}
const all = (set: PositionSet): number[] => set.highest(100_000, 0).reverse();

describe('a column of numbers', () => {
  // Around the edges of words of 32 and of rows of 480 positions.
  const position = fc.constantFrom(
    0,
    1,
    30,
    31,
    32,
    33,
    63,
    64,
    478,
    479,
    480,
    481,
    511,
    512,
    959,
    960,
    40_000,
  );
  const write = fc.tuple(position, fc.option(fc.double({ noNaN: true }), { nil: null }));

  test('answers what a map of the same writes would, with and without a set to look in', () => {
    const db = database();
    let round = 0;
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 40 }),
        fc.double({ noNaN: true }),
        fc.subarray([0, 31, 32, 480, 960]),
        (writes, bound, within) => {
          const field = `metric.${round++}`;
          const expected = new Map<number, number>();
          db.immediate(() => {
            for (const [at, value] of writes) {
              writeNumber(db, field, at, value);
              if (value === null) expected.delete(at);
              else expected.set(at, value);
            }
          });
          const passing = [...expected]
            .filter(([, value]) => value > bound)
            .map(([at]) => at)
            .sort((a, b) => a - b);
          expect(all(scanNumbers(db, field, (value) => value > bound).sure)).toEqual(passing);
          expect(all(scanNumbers(db, field, (value) => value > bound, new PositionSet(within)).sure)).toEqual(
            passing.filter((at) => within.includes(at)),
          );
          const unsure = scanNumbers(db, field, (value) => (value > bound ? null : false)).unsure;
          expect([...unsure].sort((a, b) => a - b)).toEqual(passing);
        },
      ),
    );
  });
});

describe('a set of positions', () => {
  test('meets, leaves out, counts and pages like a set of numbers', () => {
    const numbers = fc.uniqueArray(fc.oneof(fc.nat(200), fc.nat(80_000)), { maxLength: 60 });
    fc.assert(
      fc.property(numbers, numbers, fc.nat(10), fc.nat(10), (a, b, limit, offset) => {
        const both = a.filter((one) => b.includes(one));
        const rest = a.filter((one) => !b.includes(one));
        expect(new PositionSet(a).and(new PositionSet(b)).count()).toBe(both.length);
        expect(all(new PositionSet(a).andNot(new PositionSet(b)))).toEqual(rest.sort((x, y) => x - y));
        expect(new PositionSet(a).highest(limit, offset)).toEqual(
          [...a].sort((x, y) => y - x).slice(offset, offset + limit),
        );
      }),
    );
  });
});
