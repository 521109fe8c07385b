import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue, encodeValue } from '../../../electron/chromium/codec.ts';

const overTheWire = (value: unknown): unknown => decodeValue(JSON.parse(JSON.stringify(encodeValue(value))));

describe('values between page and main process', () => {
  it('arrive as structured clone would deliver them, whatever they hold', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: false,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(overTheWire(value)).toEqual(structuredClone(value));
      }),
      { numRuns: 500 },
    );
  });

  it('keep the numbers JSON loses', () => {
    expect(overTheWire([Number.NaN, Number.POSITIVE_INFINITY, -0, undefined, 2n ** 70n])).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      -0,
      undefined,
      2n ** 70n,
    ]);
  });

  it('keep a date that is none, wherever it lies', () => {
    const none = new Date(Number.NaN);
    const arrived = overTheWire([none, new Map([['', none]]), { at: none }, new Date(0)]);
    expect(arrived).toEqual([none, new Map([['', none]]), { at: none }, new Date(0)]);
    const [first] = arrived as [Date];
    expect(first.getTime()).toBeNaN();
  });

  it('keep an object that looks like a tag of ours an object', () => {
    const sly = { $: 'undefined', v: [1] };
    expect(overTheWire(sly)).toEqual(sly);
  });

  it('give an object with a __proto__ key no other prototype', () => {
    const sent: unknown = JSON.parse('{"__proto__": {"admin": true}, "a": {"__proto__": 1}}');
    const arrived = overTheWire(sent) as { admin?: boolean };
    expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
    expect(arrived.admin).toBeUndefined();
    expect(Object.keys(arrived)).toEqual(['__proto__', 'a']);
  });

  it('arrive in full when they are large', () => {
    const bytes = new Uint8Array(300_000).map((_, at) => at % 251);
    expect(overTheWire(bytes)).toEqual(bytes);
  });

  it('are refused when they cannot be cloned', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => encodeValue(() => 1)).toThrow('could not be cloned');
    expect(() => encodeValue({ a: Symbol('x') })).toThrow('could not be cloned');
    expect(() => encodeValue(circle)).toThrow('contains itself');
    expect(() => decodeValue({ $: 'module', v: 1 })).toThrow('Unknown tag');
  });

  it('work as source text, as they are sent to the page', () => {
    const encode = new Function(`return (${encodeValue.toString()})`)() as typeof encodeValue;
    const decode = new Function(`return (${decodeValue.toString()})`)() as typeof decodeValue;
    const value = { at: new Date(0), bytes: Uint8Array.of(1, 2), many: new Map([[1, new Set(['a'])]]) };
    expect(decode(encode(value))).toEqual(value);
  });
});
