import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SallyportError } from '../../shared/domain/errors.ts';
import { createQuarantine } from '../../shared/node/onnx/quarantine.ts';
import { shorten } from '../../shared/node/onnx/shorten.ts';
import { exactly, fromWireError, toWireError } from '../../shared/node/onnx/worker-protocol.ts';

describe('errors between processes', () => {
  test('come out as they went in', () => {
    const error = new SallyportError('dataset.non-finite', 'Row 3 is bad.', {
      hint: 'Correct it.',
      facts: { row: 3, column: 'a', ok: null },
    });
    const arrived = fromWireError(structuredClone(toWireError(error)));
    expect(arrived).toBeInstanceOf(SallyportError);
    expect(arrived).toMatchObject({
      code: error.code,
      message: error.message,
      hint: error.hint,
      facts: error.facts,
    });
  });

  test('whatever else is thrown arrives as unexpected', () => {
    expect(fromWireError(toWireError(new RangeError('too far')))).toMatchObject({
      code: 'unexpected',
      message: 'too far',
    });
    expect(fromWireError(toWireError('text'))).toMatchObject({ code: 'unexpected', message: 'text' });
    expect(fromWireError({ code: 'toString' as never, message: 'm', hint: null, facts: {} }).code).toBe(
      'unexpected',
    );
  });
});

test('a view becomes an array that owns exactly its bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.nat(), (bytes, from, length) => {
      const start = from % bytes.length;
      for (const view of [
        bytes.subarray(start, start + length),
        Buffer.from(bytes).subarray(start, start + length),
      ]) {
        const copy = exactly<Uint8Array>(view);
        expect(copy.buffer.byteLength).toBe(copy.byteLength);
        expect([...copy]).toEqual([...view]);
      }
    }),
  );
  const floats = Float32Array.of(1, 2, 3);
  expect(exactly(floats)).toBe(floats);
  expect(exactly(floats.subarray(1))).toEqual(Float32Array.of(2, 3));
});

test('a shortened text is one line within its limit', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (text, limit) => {
      const short = shorten(text, limit);
      expect(short.length).toBeLessThanOrEqual(limit);
      expect(short).not.toMatch(/[\n\r\t]/);
    }),
  );
});

test('a digest is quarantined from its second crash on, others are not', () => {
  const quarantine = createQuarantine();
  expect(quarantine.record('a', 'engine.crashed')).toBe(false);
  expect(() => quarantine.check('a')).not.toThrow();
  expect(quarantine.record('a', 'engine.memory')).toBe(true);
  expect(quarantine.has('a')).toBe(true);
  expect(() => quarantine.check('a')).toThrow(expect.objectContaining({ code: 'engine.memory' }));
  expect(() => quarantine.check('b')).not.toThrow();
});
