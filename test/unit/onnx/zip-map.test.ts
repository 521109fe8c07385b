import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readClassLabels } from '../../../shared/domain/onnx/class-labels.ts';
import { readOnnx } from '../../../shared/domain/onnx/reader.ts';
import { bytesSource } from '../../../shared/domain/onnx/wire.ts';
import { unzipMaps } from '../../../shared/domain/onnx/zip-map.ts';
import { zippedClassifier } from '../../support/engine-models.ts';
import { concat, forest, logisticRegression, model, text } from '../../support/onnx-builder.ts';

const summaryOf = (bytes: Uint8Array) => readOnnx(bytesSource(bytes)).summary;

describe('a model without its dictionaries', () => {
  test.each([
    ['whole numbers', {}, { kind: 'integer', labels: ['0', '1'] }],
    ['text', { classes: ['benign', 'malicious'] }, { kind: 'text', labels: ['benign', 'malicious'] }],
  ])('classes of %s: the output is the tensor behind them, under its name', (_, options, classes) => {
    const before = zippedClassifier(options);
    const unzipped = unzipMaps(before);
    expect(unzipped?.classes).toEqual(new Map([['output_probability', classes]]));
    const after = summaryOf(unzipped?.bytes ?? new Uint8Array(0));
    expect(after.outputs).toEqual([
      summaryOf(before).outputs[0],
      { name: 'output_probability', kind: 'tensor', elementType: 'float', shape: [null, 2] },
    ]);
    expect(after.operators.map(({ type }) => type)).not.toContain('ZipMap');
    const { inputs, opsets, metadata, initializerCount } = summaryOf(before);
    expect(after).toMatchObject({ inputs, opsets, metadata, initializerCount });
    expect(summaryOf(before).classes).toEqual(classes);
  });

  test('ONNX’s own operators are imported where only those of classical models were', () => {
    const before = zippedClassifier({ opsets: [['ai.onnx.ml', 3]] });
    expect(summaryOf(unzipMaps(before)?.bytes ?? before).opsets).toContainEqual({ domain: '', version: 15 });
  });

  test('a graph in two pieces, which protobuf merges, is one', () => {
    const whole = zippedClassifier();
    const two = concat(whole, zippedClassifier({ piece: true }));
    expect(summaryOf(two).graphName).toBe('second');
    expect(summaryOf(unzipMaps(two)?.bytes ?? two).outputs[1]?.kind).toBe('tensor');
  });

  test('any other model is left as it is', () => {
    for (const spec of [logisticRegression(), forest()]) expect(unzipMaps(model(spec))).toBeNull();
    expect(unzipMaps(text(2, 'no graph'))).toBeNull();
  });

  test('whatever the bytes are, it answers', () => {
    const good = zippedClassifier();
    fc.assert(
      fc.property(
        fc.nat({ max: good.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (at, byte, cut) => {
          const bad = cut ? good.slice(0, at) : good.with(at, byte);
          unzipMaps(bad);
          readClassLabels(bytesSource(bad));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
