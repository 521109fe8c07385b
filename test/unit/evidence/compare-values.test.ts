import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareTensors } from '../../../shared/domain/evidence/compare-values.ts';

const compare = (
  expected: readonly number[],
  actual: readonly number[],
  dims = [expected.length],
  elementType = 'double',
) =>
  compareTensors(
    'y',
    { name: 'y', elementType, dims, values: Float64Array.from(expected) },
    { elementType, dims, values: Float64Array.from(actual) },
    { relative: 1e-3, absolute: 1e-7 },
  );

/** As numpy's documentation of isclose has it. */
function isClose(actual: number, expected: number): boolean {
  if (Number.isNaN(expected) || Number.isNaN(actual)) return Number.isNaN(expected) && Number.isNaN(actual);
  if (!Number.isFinite(expected) || !Number.isFinite(actual)) return actual === expected;
  return Math.abs(actual - expected) <= 1e-7 + 1e-3 * Math.abs(expected);
}

describe('comparing numbers', () => {
  test('is numpy’s rule, element by element', () => {
    const near = fc
      .tuple(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: -2e-3, max: 2e-3, noNaN: true }),
      )
      .map(([value, part]): [number, number] => [value, value * (1 + part)]);
    const any = fc.tuple(fc.double(), fc.double());
    fc.assert(
      fc.property(fc.array(fc.oneof(near, any), { minLength: 1, maxLength: 20 }), (pairs) => {
        const wrong = pairs.flatMap(([want, have], at) => (isClose(have, want) ? [] : [at]));
        const report = compare(
          pairs.map(([want]) => want),
          pairs.map(([, have]) => have),
        );
        expect(report.different).toBe(wrong.length);
        expect(report.passed).toBe(wrong.length === 0);
        expect(report.first?.index ?? []).toEqual(wrong.slice(0, 1));
      }),
      { numRuns: 2000 },
    );
  });

  test('NaN equals NaN, infinities their own, and neither counts among the largest differences', () => {
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
    expect(compare([nan, inf, -inf, 2], [nan, inf, -inf, 2.001])).toMatchObject({ passed: true });
    expect(compare([nan, inf, -inf, 2], [nan, inf, -inf, 2.001]).maxAbsolute).toBeCloseTo(0.001, 9);
    expect(compare([inf, 1], [-inf, nan])).toMatchObject({ different: 2, maxAbsolute: null });
  });

  test('the first difference is told by its place in the shape', () => {
    expect(compare([0, 0, 0, 0, 0, 7], [0, 0, 0, 0, 0, 8], [1, 2, 3]).first?.index).toEqual([0, 1, 2]);
    expect(compare([7], [8], []).first?.index).toEqual([]);
  });

  test('two bfloat16 may differ by two units in the last place, as ONNX’s backend tests allow', () => {
    const bits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
    const report = (actual: number) =>
      compareTensors(
        'y',
        { name: 'y', elementType: 'bfloat16', dims: [1], values: Uint16Array.of(bits(1) >>> 16) },
        { elementType: 'bfloat16', dims: [1], values: [actual] },
        { relative: 1e-3, absolute: 1e-7 },
      ).passed;
    expect([report(1 + 2 ** -6), report(1 + 2 ** -5)]).toEqual([true, false]);
  });
});
