import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  featureColumns,
  featureNames,
  guessLabelColumn,
  inputWidth,
} from '../../../shared/domain/model/feature-columns.ts';
import {
  completeMapping,
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

/** A classifier that names its classes. */
function classifier(classes: { readonly ints?: readonly number[]; readonly strings?: readonly string[] }) {
  const name = classes.ints === undefined ? 'classlabels_strings' : 'classlabels_int64s';
  return {
    type: 'ZipMap',
    domain: 'ai.onnx.ml',
    inputs: ['p'],
    outputs: ['z'],
    attributes: [{ name, ...classes }],
  };
}
const ZIPPED = build.value(
  'output_probability',
  build.sequenceType(build.mapType(INT64, build.tensorType(FLOAT, null))),
);

describe('guessing how outputs are read', () => {
  const label = out('label', INT64, ['N']);
  const textLabel = out('label', STRING, ['N']);
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
      'a ZipMap of known classes',
      summaryOf([label, ZIPPED], [classifier({ ints: [0, 1] })]),
      {
        kind: 'classifier',
        labelOutput: 'label',
        scoreOutput: 'output_probability',
        scoreColumn: 1,
        positiveLabel: 1,
      },
    ],
    [
      'a ZipMap whose malicious class comes first',
      summaryOf([label, ZIPPED], [classifier({ ints: [1, 0] })]),
      { scoreColumn: 0, positiveLabel: 1 },
    ],
    [
      'classes as text',
      summaryOf([textLabel, ZIPPED], [classifier({ strings: ['malware', 'goodware'] })]),
      { scoreColumn: 0, positiveLabel: 0, classes: ['malware', 'goodware'] },
    ],
    [
      'classes as text of which only the harmless one is known',
      summaryOf([textLabel], [classifier({ strings: ['Benign', 'Emotet'] })]),
      { scoreOutput: null, scoreColumn: 0, positiveLabel: 1, classes: ['Benign', 'Emotet'] },
    ],
    [
      'one probability output a class',
      summaryOf(
        [label, out('i0', FLOAT, ['N', 1]), out('i1', FLOAT, ['N', 1])],
        [classifier({ ints: [0, 1] })],
      ),
      { scoreOutput: 'i1', scoreColumn: 0, positiveLabel: 1 },
    ],
    [
      'a regressor',
      summaryOf(
        [out('variable', FLOAT, [null, 1])],
        [{ type: 'TreeEnsembleRegressor', domain: 'ai.onnx.ml' }],
      ),
      { kind: 'regression', labelOutput: null, scoreOutput: 'variable', scoreColumn: 0 },
    ],
    [
      'one input a column, of numbers and text',
      summaryOf(
        [label],
        [],
        [out('duration', FLOAT, ['N', 1]), out('proto', STRING, ['N', 1]), out('flag', INT64, ['N'])],
      ),
      { input: 'duration', labelOutput: 'label' },
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

  const unmappable: [string, OnnxSummary, string][] = [
    ['a sequence of maps', summaryOf([label, ZIPPED]), '"zipmap": False'],
    [
      'labels as text',
      summaryOf([out('label', STRING, ['N']), out('probabilities', FLOAT, ['N', 2])]),
      'as text',
    ],
    ['many classes', summaryOf([label, out('probabilities', FLOAT, ['N', 5])]), '5 classes'],
    ['an image', summaryOf([out('mask', FLOAT, ['N', 3, 64, 64])]), 'not one row'],
    ['no outputs', summaryOf([]), 'no outputs'],
    [
      'inputs that do not say what of a row is theirs',
      summaryOf([label], [], [out('a', FLOAT, ['N', 1]), out('b', FLOAT, ['N', null])]),
      '2 inputs',
    ],
    ['no input', summaryOf([label], [], []), 'no input'],
    ['any number of texts', summaryOf([label], [], [out('url', STRING, ['N', null])]), 'how many values'],
    ['complex input', summaryOf([label], [], [out('x', 14, ['N', 1])]), 'neither numbers nor text'],
    [
      'classes of which several may be malicious',
      summaryOf([label, out('probabilities', FLOAT, ['N', 3])], [classifier({ ints: [0, 1, 2] })]),
      '3 classes',
    ],
    [
      'two classes of which neither is known',
      summaryOf([out('label', STRING, ['N'])], [classifier({ strings: ['red', 'blue'] })]),
      'none is plainly the malicious one',
    ],
    ['an image as input', summaryOf([label], [], [out('x', FLOAT, ['N', 3, 8, 8])]), 'not of shape'],
  ];
  it.each(unmappable)('%s cannot be mapped, and it says why', (_, summary, reason) => {
    expect(guessMapping(summary)).toBeNull();
    expect(explainUnmappable(summary)).toContain(reason);
    expect(() => requireMapping(summary)).toThrow(SallyportError);
  });
});

describe('a mapping by hand', () => {
  const summary = summaryOf(
    [out('label', STRING, ['N']), out('number', INT64, ['N'])],
    [classifier({ strings: ['red', 'blue'] })],
  );
  const asked = {
    kind: 'classifier' as const,
    input: 'X',
    labelOutput: 'label',
    scoreOutput: null,
    scoreColumn: 0,
    positiveLabel: 1,
    threshold: 0.5,
    lowerIsPositive: false,
  };
  it('of a label of text knows the classes', () => {
    expect(completeMapping(summary, asked)).toEqual({ ...asked, classes: ['red', 'blue'] });
    expect(() => completeMapping(summary, { ...asked, positiveLabel: 2 })).toThrow(SallyportError);
    expect(() => completeMapping({ ...summary, classes: undefined }, asked)).toThrow(SallyportError);
  });
  it('of a label of numbers has none', () => {
    const numbered = { ...asked, labelOutput: 'number' };
    expect(completeMapping(summary, { ...numbered, classes: ['red'] })).toEqual(numbered);
  });
});

describe('a model of one input a column', () => {
  const summary = summaryOf(
    [],
    [],
    [out('duration', FLOAT, ['N', 1]), out('proto', STRING, ['N']), out('rates', FLOAT, ['N', 2])],
  );
  it('takes its columns by the names of its inputs', () => {
    expect(featureNames(summary)).toEqual(['duration', 'proto', 'rates_0', 'rates_1']);
    expect(inputWidth(summary)).toBe(4);
    const header = ['rates_1', 'label', 'proto', 'rates_0', 'duration'];
    expect(featureColumns(summary, header).columns).toEqual(['duration', 'proto', 'rates_0', 'rates_1']);
  });
  it('has no names and no width where an input leaves its own open', () => {
    const open = summaryOf([], [], [out('a', FLOAT, ['N', 1]), out('b', FLOAT, ['N', null])]);
    expect([featureNames(open), inputWidth(open)]).toEqual([null, null]);
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
