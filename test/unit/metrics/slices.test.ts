import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sliceFlipSchema, sliceSchema } from '../../../shared/domain/evidence/slices.ts';
import {
  createNumberSlices,
  createTextSlices,
  MISSING_VALUE,
  OTHER_VALUES,
  rowsOf,
  type SliceTable,
} from '../../../shared/domain/metrics/slice-table.ts';
import { sliceFlips, sliceQuality, worstSlices } from '../../../shared/domain/metrics/slices.ts';
import { createRandom } from '../../../shared/domain/statistics/random.ts';

const TP = 3;
const FN = 2;
const FP = 1;
const TN = 0;

const counted = (table: SliceTable): Record<string, number> =>
  Object.fromEntries(table.result().map(({ value, counts }) => [value, rowsOf(counts)]));

/** A text column: for each value how many rows of each outcome. */
function table(column: string, rows: Readonly<Record<string, readonly [number, number, number, number]>>) {
  const slices = createTextSlices(column, 4);
  for (const [value, counts] of Object.entries(rows))
    for (const [code, count] of counts.entries())
      slices.add(new Array<string>(count).fill(value), new Uint8Array(count).fill(code));
  return slices;
}

describe('slices of text', () => {
  it('are one a value, the commonest first, missing last', () => {
    const slices = createTextSlices('proto', 4);
    slices.add(['tcp', 'udp', '', 'tcp'], Uint8Array.of(TP, FN, TN, FP));
    expect(slices.result()).toEqual([
      { value: 'tcp', counts: Float64Array.of(0, 1, 0, 1) },
      { value: 'udp', counts: Float64Array.of(0, 0, 1, 0) },
      { value: MISSING_VALUE, counts: Float64Array.of(1, 0, 0, 0) },
    ]);
  });
  it('stay bounded, and count every row', () => {
    const slices = createTextSlices('url', 4);
    const values = Array.from({ length: 5000 }, (_, i) => `v${i}`);
    slices.add([...values, 'v3'], new Uint8Array(5001));
    const result = counted(slices);
    expect(Object.keys(result)).toHaveLength(51);
    expect(result.v3).toBe(2);
    expect(result[OTHER_VALUES]).toBe(5001 - 51);
  });
  it('refuse a code their outcomes do not have', () => {
    expect(() => createTextSlices('a', 4).add(['x'], Uint8Array.of(4))).toThrow(/below 4/);
  });
});

describe('slices of numbers', () => {
  it('are values where they are few', () => {
    const slices = createNumberSlices('flag', 4);
    slices.add([0, 1, 1, Number.NaN, -0], new Uint8Array(5));
    expect(counted(slices)).toEqual({ '0': 2, '1': 2, [MISSING_VALUE]: 1 });
  });
  it('are ranges closed below, and hold every row, whatever the batches', () => {
    const column = fc.array(fc.oneof(fc.double({ noDefaultInfinity: true }), fc.integer()), {
      minLength: 13,
      maxLength: 300,
    });
    fc.assert(
      fc.property(column, fc.integer({ min: 1, max: 64 }), (values, batch) => {
        const [whole, parts] = [createNumberSlices('x', 4), createNumberSlices('x', 4)];
        whole.add(values, new Uint8Array(values.length));
        for (let at = 0; at < values.length; at += batch) {
          const part = values.slice(at, at + batch);
          parts.add(part, new Uint8Array(part.length));
        }
        expect(parts.result()).toEqual(whole.result());
        expect(whole.result().reduce((sum, { counts }) => sum + rowsOf(counts), 0)).toBe(values.length);
      }),
      { numRuns: 60 },
    );
    const edged = createNumberSlices('x', 4, Float64Array.of(10, 50));
    edged.add([9.9, 10, 49.9, 50, Number.NaN], new Uint8Array(5));
    expect(counted(edged)).toEqual({ '< 10': 1, '[10, 50)': 2, '≥ 50': 1, [MISSING_VALUE]: 1 });
  });
  it('keep the bins of the first rows', () => {
    const slices = createNumberSlices('x', 4);
    const random = createRandom(1);
    slices.add(
      Float64Array.from({ length: 8192 }, () => random.uniform()),
      new Uint8Array(8192),
    );
    slices.add(new Float64Array(100_000).fill(7), new Uint8Array(100_000));
    const result = slices.result();
    expect(result).toHaveLength(10);
    expect(rowsOf(result.at(-1)?.counts ?? new Float64Array(4))).toBeGreaterThan(100_000);
  });
});

describe('quality by slice', () => {
  // A tenth of the attacks over udp are found, nine tenths of all others; benign rows are alike.
  const proto = table('proto', {
    tcp: [2000, 20, 100, 900],
    udp: [500, 5, 90, 10],
    icmp: [300, 3, 30, 270],
    gre: [4, 0, 6, 0],
  });
  const slices = sliceQuality([
    proto,
    table('os', { linux: [1000, 10, 50, 450], other: [1000, 10, 50, 450] }),
  ]);

  it('finds the worst slice and no other', () => {
    expect(worstSlices(slices).map(({ column, value }) => `${column}=${value}`)).toEqual(['proto=udp']);
    expect(slices.find(({ value }) => value === 'udp')).toMatchObject({
      rows: 605,
      positives: 100,
      recall: 0.1,
      tooFew: false,
    });
  });
  it('shows a slice of too few rows and does not judge it', () => {
    const few = slices.find(({ value }) => value === 'gre');
    expect(few).toMatchObject({ tooFew: true, worst: false, adjustedP: null, recall: 0 });
    expect(few?.recallInterval?.high).toBeGreaterThan(0.3);
  });
  it('has the form of a report', () => {
    for (const slice of slices) expect(sliceSchema.safeParse(slice).success).toBe(true);
  });
  it('finds false alarms too', () => {
    const alarms = sliceQuality([table('port', { '80': [1000, 10, 0, 0], '8080': [900, 100, 0, 0] })]);
    expect(worstSlices(alarms).map(({ value }) => value)).toEqual(['8080']);
  });
  it('does not find a worst slice in noise, though it looks at many', () => {
    const random = createRandom(6);
    let runs = 0;
    for (let run = 0; run < 60; run += 1) {
      const columns = Array.from({ length: 12 }, (_, at) => {
        const slices = createTextSlices(`c${at}`, 4);
        const rows = 1500;
        const values = Array.from({ length: rows }, () => `v${Math.floor(random.uniform() * 8)}`);
        slices.add(
          values,
          Uint8Array.from({ length: rows }, () =>
            random.uniform() < 0.5 ? (random.uniform() < 0.8 ? TP : FN) : random.uniform() < 0.1 ? FP : TN,
          ),
        );
        return slices;
      });
      if (worstSlices(sliceQuality(columns)).length > 0) runs += 1;
    }
    // Holm keeps the chance of one false alarm in a whole search at one in twenty.
    expect(runs).toBeLessThan(10);
  });
  it('a column of one value has no rest and no worst', () => {
    expect(worstSlices(sliceQuality([table('a', { only: [50, 50, 50, 50] })]))).toEqual([]);
  });
});

describe('flips by slice', () => {
  it('count what was fixed and broken, and judge where rows are enough', () => {
    const slices = createTextSlices('proto', 8);
    const add = (value: string, code: number, rows: number): void =>
      slices.add(new Array<string>(rows).fill(value), new Uint8Array(rows).fill(code));
    add('tcp', 5, 40); // an attack only the second found
    add('tcp', 7, 60); // both found
    add('tcp', 1, 10); // a false alarm only the second raised
    add('tcp', 0, 90); // quiet, both
    add('udp', 6, 3); // an attack only the first found
    const flips = sliceFlips([slices]);
    expect(flips[0]).toMatchObject({
      column: 'proto',
      value: 'tcp',
      rows: 200,
      fixed: 40,
      broken: 10,
      recallDelta: 0.4,
      falsePositiveDelta: 0.1,
    });
    expect(flips[0]?.adjustedP).toBeLessThan(0.001);
    expect(flips[1]).toMatchObject({ fixed: 0, broken: 3, adjustedP: null, recallDelta: -1 });
    for (const flip of flips) expect(sliceFlipSchema.safeParse(flip).success).toBe(true);
  });
});
