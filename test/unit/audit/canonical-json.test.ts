import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../shared/domain/audit/canonical-json.ts';

describe('canonical JSON (RFC 8785)', () => {
  it("writes the RFC's own example, section 3.2.2", () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("sorts keys by UTF-16 code units, as in the RFC's section 3.2.3", () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalJson(value)).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    );
  });

  it.each([
    [-0, '0'],
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
    [Number('9007199254740993'), '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
  ])('writes %d as %s', (number, text) => {
    expect(canonicalJson(number)).toBe(text);
  });

  it.each([
    ['undefined', undefined],
    ['an undefined member', { a: { b: undefined } }],
    ['NaN', { a: Number.NaN }],
    ['an infinity', [1, Number.NEGATIVE_INFINITY]],
    ['a hole', new Array(3)],
    ['a function', { a: () => 1 }],
    ['a big integer', { a: 1n }],
    ['a date', { a: new Date(0) }],
    ['a map', new Map([['a', 1]])],
    ['bytes', { a: new Uint8Array(2) }],
    ['half a surrogate pair', 'a\ud800'],
    ['half a surrogate pair in a key', { '\udc00': 1 }],
  ])('refuses %s instead of dropping or changing it', (_what, value) => {
    expect(() => canonicalJson(value)).toThrowError(expect.objectContaining({ code: 'input.invalid' }));
  });

  it('names the place', () => {
    expect(() => canonicalJson({ details: { rows: [1, Number.NaN] } })).toThrow(/details\.rows\[1\] is NaN/);
  });

  it('refuses endless nesting instead of overflowing the stack', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(() => canonicalJson(circle)).toThrowError(expect.objectContaining({ code: 'input.invalid' }));
  });
});
