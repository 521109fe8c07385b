import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { featureColumns, guessLabelColumn } from '../../../shared/domain/model/feature-columns.ts';
import {
  explainUnmappable,
  guessMapping,
  requireMapping,
} from '../../../shared/domain/model/guess-mapping.ts';
import { outputMappingSchema } from '../../../shared/domain/model/version.ts';
import { readOnnx } from '../../../shared/domain/onnx/reader.ts';
import type { OnnxSummary } from '../../../shared/domain/onnx/summary.ts';
import { bytesSource } from '../../../shared/domain/onnx/wire.ts';
import * as build from '../../support/onnx-builder.ts';

const FLOAT = 1;
const INT64 = 7;
const STRING = 8;

function summaryOf(
  outputs: readonly Uint8Array[],
  nodes: readonly build.NodeSpec[] = [],
  inputs: readonly Uint8Array[] = [build.value('X', build.tensorType(FLOAT, ['N', 4]))],
): OnnxSummary {
  return readOnnx(bytesSource(build.model({ graph: { inputs, outputs, nodes } }))).summary;
}
function out(name: string, type: number, shape: readonly build.Dimension[] | null): Uint8Array {
  return build.value(name, build.tensorType(type, shape));
}

describe('guessing how outputs are read', () => {
  const label = out('label', INT64, ['N']);
  const cases: [string, OnnxSummary, object][] = [
    [
      'label and [N, 2] probabilities',
      summaryOf([label, out('probabilities', FLOAT, ['N', 2])]),
      {
        kind: 'classifier',
        input: 'X',
        labelOutput: 'label',
        scoreOutput: 'probabilities',
        scoreColumn: 1,
        positiveLabel: 1,
        lowerIsPositive: false,
      },
    ],
    [
      'in any order, under other names',
      summaryOf([out('dense_3', FLOAT, [null, 2]), out('output_label', INT64, [null, 1])]),
      { labelOutput: 'output_label', scoreOutput: 'dense_3', scoreColumn: 1 },
    ],
    [
      'label and a probability of one column',
      summaryOf([label, out('probability', FLOAT, ['N', 1])]),
      { kind: 'classifier', scoreColumn: 0 },
    ],
    [
      "label and a classifier's score",
      summaryOf([label, out('score', FLOAT, ['N', 1])], [{ type: 'Sigmoid' }]),
      { kind: 'classifier', scoreColumn: 0, positiveLabel: 1 },
    ],
    [
      'label and probabilities of open width',
      summaryOf([label, out('probabilities', FLOAT, null)]),
      { kind: 'classifier', scoreColumn: 1 },
    ],
    ['a label alone', summaryOf([label]), { labelOutput: 'label', scoreOutput: null }],
    [
      'a probability alone',
      summaryOf([out('output', FLOAT, ['N', 1])]),
      { kind: 'classifier', labelOutput: null, scoreOutput: 'output', scoreColumn: 0, threshold: 0.5 },
    ],
    [
      'two columns alone',
      summaryOf([out('softmax', FLOAT, ['N', 2])]),
      { labelOutput: null, scoreColumn: 1, threshold: 0.5 },
    ],
    [
      "scikit-learn's isolation forest",
      summaryOf([out('label', INT64, [null, 1]), out('scores', FLOAT, [null, 1])]),
      {
        kind: 'anomaly',
        labelOutput: 'label',
        scoreOutput: 'scores',
        scoreColumn: 0,
        positiveLabel: -1,
        threshold: 0,
        lowerIsPositive: true,
      },
    ],
    [
      'a decision function alone',
      summaryOf([out('decision_function', FLOAT, ['N'])]),
      { kind: 'anomaly', labelOutput: null, threshold: 0, lowerIsPositive: true },
    ],
    [
      'an anomaly score alone',
      summaryOf([out('anomaly_score', FLOAT, ['N'])]),
      { kind: 'anomaly', labelOutput: null, lowerIsPositive: false },
    ],
  ];
  it.each(cases)('%s', (_, summary, expected) => {
    const mapping = guessMapping(summary);
    expect(mapping).toMatchObject(expected);
    expect(outputMappingSchema.parse(mapping)).toEqual(mapping);
    expect(explainUnmappable(summary)).toBe('');
    expect(requireMapping(summary)).toEqual(mapping);
  });

  const zipmap = build.value(
    'output_probability',
    build.sequenceType(build.mapType(INT64, build.tensorType(FLOAT, null))),
  );
  const unmappable: [string, OnnxSummary, string][] = [
    ['a sequence of maps', summaryOf([label, zipmap]), '"zipmap": False'],
    [
      'labels as text',
      summaryOf([out('label', STRING, ['N']), out('probabilities', FLOAT, ['N', 2])]),
      'as text',
    ],
    ['many classes', summaryOf([label, out('probabilities', FLOAT, ['N', 5])]), '5 classes'],
    ['an image', summaryOf([out('mask', FLOAT, ['N', 3, 64, 64])]), 'not one row'],
    ['no outputs', summaryOf([]), 'no outputs'],
    [
      'many inputs',
      summaryOf([label], [], [out('a', FLOAT, ['N', 1]), out('b', FLOAT, ['N', 1])]),
      '2 inputs',
    ],
    ['no input', summaryOf([label], [], []), 'no input'],
    ['text as input', summaryOf([label], [], [out('url', STRING, ['N', 1])]), 'does not take numbers'],
    ['an image as input', summaryOf([label], [], [out('x', FLOAT, ['N', 3, 8, 8])]), 'not of shape'],
  ];
  it.each(unmappable)('%s cannot be mapped, and it says why', (_, summary, reason) => {
    expect(guessMapping(summary)).toBeNull();
    expect(explainUnmappable(summary)).toContain(reason);
    expect(() => requireMapping(summary)).toThrow(SallyportError);
  });
});

describe('choosing feature columns', () => {
  function model(features: string | null, width: build.Dimension = 2): OnnxSummary {
    const inputs = [build.value('X', build.tensorType(FLOAT, ['N', width]))];
    return readOnnx(
      bytesSource(
        build.model({ graph: { inputs }, metadata: features === null ? [] : [['features', features]] }),
      ),
    ).summary;
  }
  function failure(run: () => unknown): SallyportError {
    try {
      run();
    } catch (error) {
      if (error instanceof SallyportError) return error;
    }
    throw new Error('nothing was refused');
  }

  it('takes those the model names, in its order, wherever they are in the file', () => {
    expect(featureColumns(model('b, a'), ['a', 'url', 'label', 'b'])).toEqual({
      columns: ['b', 'a'],
      ignored: ['url'],
      labelColumn: 'label',
    });
    expect(featureColumns(model('["b","a"]'), ['a', 'b', 'label']).columns).toEqual(['b', 'a']);
  });

  it('takes the first D besides the label where the model names none', () => {
    expect(featureColumns(model(null), ['Label', 'a', 'b', 'c'])).toEqual({
      columns: ['a', 'b'],
      ignored: ['c'],
      labelColumn: 'Label',
    });
    expect(featureColumns(model(null, null), ['a', 'b', 'c', 'y']).columns).toEqual(['a', 'b', 'c']);
  });

  it('guesses the label by name, the likeliest first, or takes the one it is told', () => {
    expect(guessLabelColumn(['y', 'CLASS', 'a'])).toBe('CLASS');
    expect(guessLabelColumn(['a', 'Is_Malicious'])).toBe('Is_Malicious');
    expect(guessLabelColumn(['a', 'truth', 'label'], 'truth')).toBe('truth');
    expect(failure(() => guessLabelColumn(['a', 'b'])).code).toBe('dataset.label-missing');
    expect(failure(() => guessLabelColumn(['label'], 'truth')).code).toBe('dataset.label-missing');
  });

  it('names what is missing', () => {
    const error = failure(() => featureColumns(model('a,ghost'), ['a', 'b', 'label']));
    expect(error).toMatchObject({ code: 'dataset.columns', facts: { missing: 1, first: 'ghost' } });
    expect(error.message).toContain('"ghost"');
    expect(failure(() => featureColumns(model(null, 5), ['a', 'label'])).code).toBe('dataset.columns');
  });

  it('refuses what would measure something else', () => {
    for (const [features, header, label] of [
      ['a,b,c', ['a', 'b', 'c', 'label'], null], // three names for an input of two
      ['a,a', ['a', 'label'], null],
      ['a,label', ['a', 'label'], null],
      ['[1,2]', ['a', 'b', 'label'], null],
      ['["a"', ['a', 'b', 'label'], null],
      ['a,b', ['a', 'a', 'b', 'label'], null],
    ] as const)
      expect(failure(() => featureColumns(model(features), header, label)).code, features).toBe(
        'dataset.columns',
      );
  });
});
