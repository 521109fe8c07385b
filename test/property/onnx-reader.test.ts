import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../shared/domain/errors.ts';
import { readOnnx } from '../../shared/domain/onnx/reader.ts';
import { onnxSummarySchema } from '../../shared/domain/onnx/summary.ts';
import { decodeUtf8 } from '../../shared/domain/onnx/utf8.ts';
import { bytesSource, WireCursor } from '../../shared/domain/onnx/wire.ts';
import { findingSchema } from '../../shared/domain/scan/finding.ts';
import { scanModel } from '../../shared/domain/scan/scan.ts';
import * as build from '../support/onnx-builder.ts';

/** Reads and scans; anything but a reading or a SallyportError with a model code fails the test. */
function survives(bytes: Uint8Array): boolean {
  try {
    const reading = readOnnx(bytesSource(bytes));
    onnxSummarySchema.parse(reading.summary);
    for (const finding of scanModel(reading).findings) findingSchema.parse(finding);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SallyportError);
    expect(['model.not-onnx', 'model.truncated', 'model.unsupported']).toContain(
      (error as SallyportError).code,
    );
    return false;
  }
}

const rich = build.model({
  ...build.forest(4),
  doc: 'doc',
  metadata: [
    ['features', 'a,b'],
    ['note', 'é'],
  ],
  graph: {
    ...build.forest(4).graph,
    initializers: [
      { name: 'w', dims: [2, 3], raw: new Uint8Array(24) },
      { name: 'e', dims: [1], external: { location: 'x', offset: '0' } },
    ],
    sparseInitializers: [
      build.sparse(
        build.tensor({ dims: [1], floats: [1] }),
        build.tensor({ dims: [1], type: 7, raw: new Uint8Array(8) }),
        [9],
      ),
    ],
    nodes: [
      ...(build.forest(4).graph?.nodes ?? []),
      {
        type: 'Loop',
        attributes: [{ name: 'body', graph: build.graph({ nodes: [{ type: 'f', domain: 'local' }] }) }],
      },
    ],
  },
  functions: [{ name: 'f', nodes: [{ type: 'f', domain: 'local' }] }],
});

describe('the ONNX reader on any bytes', () => {
  it('returns or refuses: random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void survives(bytes)),
      { numRuns: 3000 },
    );
  });

  it('returns or refuses: random bytes after a valid beginning', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: rich.length }),
        (bytes, cut) => void survives(build.concat(rich.subarray(0, cut), bytes)),
      ),
      { numRuns: 2000 },
    );
  });

  it('returns or refuses: cut at every position', () => {
    expect(survives(rich)).toBe(true);
    for (let length = 0; length < rich.length; length += 1) survives(rich.subarray(0, length));
  });

  it('returns or refuses: every byte changed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(rich.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const bytes = Uint8Array.from(rich);
          for (const [at, value] of changes) bytes[at] = value;
          survives(bytes);
        },
      ),
      { numRuns: 3000 },
    );
    for (let at = 0; at < rich.length; at += 1) {
      const bytes = Uint8Array.from(rich);
      bytes[at] = (bytes[at] ?? 0) ^ 0x80;
      survives(bytes);
    }
  });

  it('returns or refuses: random trees of wire fields', () => {
    const { message } = fc.letrec<{ message: Uint8Array; field: Uint8Array }>((tie) => ({
      message: fc.array(tie('field'), { maxLength: 6 }).map((fields) => build.concat(...fields)),
      field: fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        fc
          .tuple(fc.integer({ min: 1, max: 31 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
          .map(([field, number]) => build.int(field, number)),
        fc
          .tuple(fc.integer({ min: 1, max: 31 }), fc.string())
          .map(([field, text]) => build.text(field, text)),
        fc
          .tuple(fc.constantFrom(1, 2, 4, 5, 6, 7, 8, 11, 12, 15, 20, 25), tie('message'))
          .map(([field, inner]) => build.bytes(field, inner)),
      ),
    }));
    const framed = message.map((body) =>
      build.concat(build.int(1, 8), body, build.bytes(7, build.graph({})), build.bytes(8, build.int(2, 15))),
    );
    fc.assert(
      fc.property(framed, (bytes) => void survives(bytes)),
      { numRuns: 2000 },
    );
  });
});

describe('primitives', () => {
  it('reads any 64-bit integer as protobuf writes it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }), (value) => {
        expect(new WireCursor(bytesSource(build.varint(value))).int64()).toBe(Number(value));
      }),
    );
    expect(new WireCursor(bytesSource(build.varint(-(2n ** 63n)))).int64()).toBe(-(2 ** 63));
  });

  it('decodes UTF-8 as the platform does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(decodeUtf8(new TextEncoder().encode(text))).toBe(text.toWellFormed());
      }),
    );
  });
});
