import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { spokenLabels } from '../../shared/node/onnx/output-mapping.ts';
import { firstNonFinite } from '../../shared/node/onnx/row-model.ts';
import { loadModel } from '../../shared/node/onnx/session.ts';
import {
  ANOMALY,
  CLASSIFIER,
  columnInputs,
  firstFeature,
  TYPE,
  zippedClassifier,
} from '../support/engine-models.ts';

import { model, tensorType, value } from '../support/onnx-builder.ts';

const load = (bytes: Uint8Array, mapping: OutputMapping = CLASSIFIER) =>
  loadModel(bytes, mapping, { intraOpThreads: 1 });
const ROWS = Float32Array.from([0.25, 7, 7, 0.75, 7, 7, 0.5, 7, 7]);

describe('reading outputs', () => {
  test.each([
    ['int64', TYPE.int64],
    ['int32', TYPE.int32],
    ['uint8', TYPE.uint8],
    ['bool', TYPE.bool],
    ['float', TYPE.float],
    ['double', TYPE.double],
  ])('a %s label and a float score come out as numbers', async (_, labelType) => {
    const model = await load(firstFeature({ labelType }));
    expect(await model.run(ROWS, 3)).toEqual({
      labels: Float64Array.of(0, 1, 0),
      scores: Float32Array.of(0.25, 0.75, 0.5),
    });
  });

  test('a flat label and a double score are read alike', async () => {
    const model = await load(firstFeature({ flatLabel: true, scoreType: TYPE.double }));
    expect(await model.run(ROWS, 3)).toEqual({
      labels: Float64Array.of(0, 1, 0),
      scores: Float32Array.of(0.25, 0.75, 0.5),
    });
  });

  test('the mapped column of a [N, C] score is taken', async () => {
    const model = await load(firstFeature({ threeColumns: true }), { ...CLASSIFIER, scoreColumn: 2 });
    expect((await model.run(ROWS, 3)).scores).toEqual(Float32Array.of(0.5, 1.5, 1));
  });

  test('without a label output the threshold decides, and a score on it counts as positive', async () => {
    const model = await load(firstFeature(), { ...CLASSIFIER, labelOutput: null });
    expect((await model.run(ROWS, 3)).labels).toEqual(Float64Array.of(0, 1, 1));
  });

  test('an anomaly detector flags low scores with its own label', async () => {
    const model = await load(firstFeature(), ANOMALY);
    expect((await model.run(Float32Array.of(-0.1, 0, 0, 0.1, 0, 0), 2)).labels).toEqual(
      Float64Array.of(-1, 1),
    );
  });

  test('without a score output there are no scores', async () => {
    const model = await load(firstFeature(), { ...CLASSIFIER, scoreOutput: null });
    expect(await model.run(ROWS, 3)).toEqual({ labels: Float64Array.of(0, 1, 0), scores: null });
    expect(model.info.hasScores).toBe(false);
  });

  test('a score that is no number is refused and never becomes a verdict', async () => {
    const model = await load(firstFeature({ scoreOp: 'Log' }));
    await expect(model.run(Float32Array.of(1, 0, 0, -1, 0, 0), 2)).rejects.toMatchObject({
      code: 'model.unsupported',
      facts: { row: 2, output: 'score' },
    });
  });
});

describe('kinds of models', () => {
  const zipped: OutputMapping = {
    ...CLASSIFIER,
    labelOutput: 'output_label',
    scoreOutput: 'output_probability',
    scoreColumn: 1,
  };
  // exp(2x - 1) / (1 + exp(2x - 1)): the softmax of ±(x - 0.5).
  const probability = (first: number): number => 1 / (1 + Math.exp(1 - 2 * first));
  const PAIRS = Float32Array.of(2, 7, -1, 7, 0.75, 7);

  test('probabilities of a ZipMap are read from the tensor behind it, all columns of them', async () => {
    const model = await load(zippedClassifier(), zipped);
    const { labels, scores, scoreRows } = await model.runDetailed({ rows: PAIRS, count: 3 });
    expect([...labels]).toEqual([1, 0, 1]);
    for (const [row, first] of [2, -1, 0.75].entries()) {
      expect(scores?.[row]).toBeCloseTo(probability(first), 6);
      expect(scoreRows?.values[2 * row]).toBeCloseTo(1 - probability(first), 6);
    }
    expect(scoreRows?.columns).toBe(2);
  });

  test('of a model that is asked for its label only, the dictionaries are never made', async () => {
    const model = await load(zippedClassifier(), { ...zipped, scoreOutput: null });
    expect(await model.run(PAIRS, 3)).toEqual({ labels: Float64Array.of(1, 0, 1), scores: null });
  });

  test('a label of text is its place among the classes, and -1 where it is none of them', async () => {
    const bytes = zippedClassifier({ classes: ['benign', 'malicious'] });
    const known = await load(bytes, { ...zipped, classes: ['benign', 'malicious'] });
    expect((await known.run(PAIRS, 3)).labels).toEqual(Float64Array.of(1, 0, 1));
    const other = await load(bytes, { ...zipped, classes: ['benign', 'phish'] });
    expect((await other.run(PAIRS, 3)).labels).toEqual(Float64Array.of(-1, 0, -1));
    const unnamed = await load(bytes, zipped);
    await expect(unnamed.run(PAIRS, 3)).rejects.toMatchObject({ code: 'model.unmappable' });
  });

  test('classes of text are told by their names', () => {
    const labels = Float64Array.of(1, 0, -1);
    expect(spokenLabels({ classes: ['benign', 'malicious'] }, labels)).toEqual(['malicious', 'benign', null]);
    expect(spokenLabels({}, labels)).toEqual([1, 0, -1]);
  });

  test('the answer of a regression is its number', async () => {
    const model = await load(firstFeature(), { ...CLASSIFIER, kind: 'regression', labelOutput: null });
    expect(await model.run(ROWS, 3)).toEqual({
      labels: Float64Array.of(0.25, 0.75, 0.5),
      scores: Float32Array.of(0.25, 0.75, 0.5),
    });
  });

  test('scores of 16-bit floats are read', async () => {
    const model = await load(firstFeature({ scoreType: TYPE.float16 }));
    expect((await model.run(ROWS, 3)).scores).toEqual(Float32Array.of(0.25, 0.75, 0.5));
  });

  test('asked for every detail, an answer that is no number is told and not refused', async () => {
    const model = await load(firstFeature({ scoreOp: 'Log' }));
    const { scores, scoreRows } = await model.runDetailed({
      rows: Float32Array.of(1, 0, 0, -1, 0, 0),
      count: 2,
    });
    expect(scores).toEqual(Float32Array.of(0, Number.NaN));
    expect(scoreRows).toEqual({ columns: 1, values: Float32Array.of(0, Number.NaN) });
  });

  const SCORE: OutputMapping = { ...CLASSIFIER, input: 'number', labelOutput: null };
  const texts = [undefined, ['tcp', 'udp', 'tcp'], undefined];
  const rows = Float32Array.of(1, 0, 1, 2, 0, 0, 3, 0, 0);
  test.each(['float', 'double', 'int8', 'uint16', 'int32', 'int64', 'uint64', 'float16'] as const)(
    'one input a column: %s, text and boolean are fed from one row',
    async (type) => {
      for (const batch of ['N', 2] as const) {
        const model = await load(columnInputs(TYPE[type], batch), SCORE);
        expect(model.info).toMatchObject({ featureCount: 3, textFeatures: [1] });
        const { scores } = await model.runDetailed({ rows, count: 3, texts });
        expect(scores).toEqual(Float32Array.of(12, 2, 13));
      }
    },
  );

  test('what a column’s type cannot hold is refused, and so are texts that are not there', async () => {
    const model = await load(columnInputs(TYPE.int8), SCORE);
    const one = (number: number, flag: number) =>
      model.runDetailed({
        rows: Float32Array.of(number, 0, flag),
        count: 1,
        texts: [undefined, ['tcp'], undefined],
      });
    await expect(one(128, 0)).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(one(1, 2)).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(model.run(rows, 3)).rejects.toMatchObject({
      code: 'input.invalid',
      facts: { input: 'proto' },
    });
  });
});

describe('feeding inputs', () => {
  test.each([
    ['double', TYPE.double],
    ['float', TYPE.float],
  ])('%s inputs are fed from float rows', async (_, inputType) => {
    const model = await load(firstFeature({ inputType }));
    expect((await model.run(ROWS, 3)).scores).toEqual(Float32Array.of(0.25, 0.75, 0.5));
  });

  test.each([
    ['int32', TYPE.int32],
    ['int64', TYPE.int64],
  ])('%s inputs take whole numbers and refuse fractions', async (_, inputType) => {
    const model = await load(firstFeature({ inputType }));
    expect((await model.run(Float32Array.of(2, 0, 0), 1)).scores).toEqual(Float32Array.of(2));
    await expect(model.run(Float32Array.of(2.5, 0, 0), 1)).rejects.toMatchObject({ code: 'input.invalid' });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    '%d is refused with its place',
    async (bad) => {
      const model = await load(firstFeature());
      await expect(model.run(Float32Array.of(0, 0, 0, 0, bad, 0), 2)).rejects.toMatchObject({
        code: 'input.invalid',
        facts: { row: 2, column: 2 },
      });
    },
  );

  test('rows of another width are refused', async () => {
    const model = await load(firstFeature());
    await expect(model.run(new Float32Array(4), 1)).rejects.toMatchObject({ code: 'input.invalid' });
    await expect(model.run(new Float32Array(0), 0)).rejects.toMatchObject({ code: 'input.invalid' });
  });

  test('a model of fixed batch size answers as one of open size, for any number of rows', async () => {
    const open = await load(firstFeature());
    const sizes = await Promise.all([1, 2, 5].map((batch) => load(firstFeature({ batch }))));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
          minLength: 1,
          maxLength: 23,
        }),
        async (firsts) => {
          const rows = Float32Array.from(firsts.flatMap((first) => [first, 1, 2]));
          const expected = await open.run(rows, firsts.length);
          for (const fixed of sizes) expect(await fixed.run(rows, firsts.length)).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('the first value that is not finite is found', () => {
    fc.assert(
      fc.property(fc.float32Array(), (values) => {
        expect(firstNonFinite(values)).toBe(values.findIndex((value) => !Number.isFinite(value)));
      }),
    );
  });
});

describe('refusing models', () => {
  test('bytes that are no model', async () => {
    await expect(load(new TextEncoder().encode('not a model'))).rejects.toMatchObject({
      code: 'model.unsupported',
    });
  });

  test('text operators with a locale that the system lacks, which are told apart from broken ones', async () => {
    const strings = tensorType(TYPE.string, ['N']);
    const bytes = model({
      graph: {
        nodes: [
          {
            type: 'StringNormalizer',
            inputs: ['in'],
            outputs: ['out'],
            attributes: [
              { name: 'case_change_action', text: 'LOWER' },
              { name: 'locale', text: 'xx_XX.UTF-8' },
            ],
          },
        ],
        inputs: [value('in', strings)],
        outputs: [value('out', strings)],
      },
    });
    await expect(load(bytes)).rejects.toMatchObject({
      code: 'model.unsupported',
      hint: expect.stringContaining('lacks the locale xx_XX.UTF-8'),
    });
  });

  test.each([
    ['an input', { input: 'x' }],
    ['a label', { labelOutput: 'verdict' }],
    ['a score', { scoreOutput: 'verdict' }],
  ])('a mapping to %s the model does not have', async (_, change) => {
    await expect(load(firstFeature(), { ...CLASSIFIER, ...change })).rejects.toMatchObject({
      code: 'model.unmappable',
    });
  });

  test('a score column beyond the output', async () => {
    const model = await load(firstFeature(), { ...CLASSIFIER, scoreColumn: 1 });
    await expect(model.run(ROWS, 3)).rejects.toMatchObject({ code: 'model.unmappable' });
  });

  test('a mapping to nothing', async () => {
    await expect(
      load(firstFeature(), { ...CLASSIFIER, labelOutput: null, scoreOutput: null }),
    ).rejects.toMatchObject({ code: 'model.unmappable' });
  });
});
