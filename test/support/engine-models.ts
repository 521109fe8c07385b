/** Small models with a known answer, for sessions, hosts and engines. */
import { createHash } from 'node:crypto';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import {
  type Dimension,
  float32s,
  mapType,
  model,
  type NodeSpec,
  sequenceType,
  tensorType,
  value,
} from './onnx-builder.ts';

/** TensorProto.DataType */
export const TYPE = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
} as const;

export interface FirstFeatureOptions {
  readonly features?: number;
  readonly batch?: Dimension;
  readonly inputType?: number;
  readonly labelType?: number;
  readonly scoreType?: number;
  /** Shape of the label output: [N, 1] as computed, or [N]. */
  readonly flatLabel?: boolean;
  /** Answers [N, 3]: {0, score, 1}. */
  readonly threeColumns?: boolean;
  readonly positiveAbove?: number;
  /** Replaces the score, e.g. by `Log`, whose answer to a negative number is NaN. */
  readonly scoreOp?: string;
  /** Name of the label output; `label` when left out. */
  readonly labelName?: string;
}

/** score = the first feature; label 1 where it is above `positiveAbove` (0.5). Outputs `label` and `score`. */
export function firstFeature(options: FirstFeatureOptions = {}): Uint8Array {
  const {
    features = 3,
    batch = 'N',
    inputType = TYPE.float,
    labelType = TYPE.int64,
    scoreType = TYPE.float,
    positiveAbove = 0.5,
    labelName = 'label',
  } = options;
  const nodes: NodeSpec[] = [
    { type: 'Cast', inputs: ['features'], outputs: ['x'], attributes: [{ name: 'to', int: TYPE.float }] },
    { type: 'MatMul', inputs: ['x', 'pick'], outputs: ['raw'] },
    ...(options.scoreOp === undefined
      ? []
      : [{ type: options.scoreOp, inputs: ['raw'], outputs: ['changed'] }]),
    { type: 'Greater', inputs: ['raw', 'above'], outputs: ['is'] },
    ...(options.flatLabel === true
      ? [{ type: 'Reshape', inputs: ['is', 'minusOne'], outputs: ['flat'] }]
      : []),
    {
      type: 'Cast',
      inputs: [options.flatLabel === true ? 'flat' : 'is'],
      outputs: [labelName],
      attributes: [{ name: 'to', int: labelType }],
    },
    ...(options.threeColumns === true
      ? [{ type: 'MatMul', inputs: ['raw', 'spread'], outputs: ['wide'] }]
      : []),
    {
      type: 'Cast',
      inputs: [options.threeColumns === true ? 'wide' : options.scoreOp === undefined ? 'raw' : 'changed'],
      outputs: ['score'],
      attributes: [{ name: 'to', int: scoreType }],
    },
  ];
  return model({
    opsets: [['', 15]],
    graph: {
      nodes,
      initializers: [
        {
          name: 'pick',
          dims: [features, 1],
          raw: float32s(Array.from({ length: features }, (_, index) => (index === 0 ? 1 : 0))),
        },
        { name: 'above', dims: [1], raw: float32s([positiveAbove]) },
        { name: 'minusOne', dims: [1], type: TYPE.int64, raw: new Uint8Array(8).fill(255) },
        { name: 'spread', dims: [1, 3], raw: float32s([0, 1, 2]) },
      ],
      inputs: [value('features', tensorType(inputType, [batch, features]))],
      outputs: [
        value(labelName, tensorType(labelType, options.flatLabel === true ? [batch] : [batch, 1])),
        value('score', tensorType(scoreType, [batch, options.threeColumns === true ? 3 : 1])),
      ],
    },
  });
}

/** Two classes by the first of two features, as scikit-learn's exporter leaves them: a label, and a ZipMap's dictionaries. */
export function zippedClassifier(
  options: {
    readonly classes?: readonly string[];
    readonly opsets?: readonly (readonly [domain: string, version: number])[];
    /** Only a second, empty piece of the graph. */
    readonly piece?: boolean;
  } = {},
): Uint8Array {
  const { classes } = options;
  const named =
    classes === undefined
      ? { name: 'classlabels_int64s', ints: [0, 1] }
      : { name: 'classlabels_strings', strings: classes };
  const labelType = classes === undefined ? TYPE.int64 : TYPE.string;
  if (options.piece === true) return model({ graph: { name: 'second' } });
  return model({
    opsets: options.opsets ?? [
      ['', 15],
      ['ai.onnx.ml', 1],
    ],
    graph: {
      nodes: [
        {
          type: 'LinearClassifier',
          domain: 'ai.onnx.ml',
          inputs: ['features'],
          outputs: ['output_label', 'probabilities'],
          attributes: [
            { ...named, name: classes === undefined ? 'classlabels_ints' : named.name },
            { name: 'coefficients', floats: [-1, 0, 1, 0] },
            { name: 'intercepts', floats: [0.5, -0.5] },
            { name: 'post_transform', text: 'SOFTMAX' },
          ],
        },
        {
          type: 'ZipMap',
          domain: 'ai.onnx.ml',
          inputs: ['probabilities'],
          outputs: ['output_probability'],
          attributes: [named],
        },
      ],
      inputs: [value('features', tensorType(TYPE.float, ['N', 2]))],
      outputs: [
        value('output_label', tensorType(labelType, ['N'])),
        value('output_probability', sequenceType(mapType(labelType, tensorType(TYPE.float, null)))),
      ],
    },
  });
}

/** One column an input: the answer is number + flag + the length told by text, 10 for "tcp" and 0 for any other. */
export function columnInputs(numberType: number, batch: Dimension = 'N'): Uint8Array {
  return model({
    opsets: [
      ['', 15],
      ['ai.onnx.ml', 2],
    ],
    graph: {
      nodes: [
        {
          type: 'LabelEncoder',
          domain: 'ai.onnx.ml',
          inputs: ['proto'],
          outputs: ['code'],
          attributes: [
            { name: 'keys_strings', strings: ['tcp'] },
            { name: 'values_floats', floats: [10] },
            { name: 'default_float', float: 0 },
          ],
        },
        { type: 'Cast', inputs: ['number'], outputs: ['n'], attributes: [{ name: 'to', int: TYPE.float }] },
        { type: 'Cast', inputs: ['flag'], outputs: ['f'], attributes: [{ name: 'to', int: TYPE.float }] },
        { type: 'Add', inputs: ['n', 'f'], outputs: ['nf'] },
        { type: 'Add', inputs: ['nf', 'code'], outputs: ['score'] },
      ],
      inputs: [
        value('number', tensorType(numberType, [batch, 1])),
        value('proto', tensorType(TYPE.string, [batch, 1])),
        value('flag', tensorType(TYPE.bool, [batch, 1])),
      ],
      outputs: [value('score', tensorType(TYPE.float, [batch, 1]))],
    },
  });
}

/** The label and score of a row are its first feature, which is 0 or 1: on any other the runtime stops. */
export function pickedFromTwo(): Uint8Array {
  return model({
    opsets: [['', 15]],
    graph: {
      nodes: [
        { type: 'MatMul', inputs: ['features', 'pick'], outputs: ['raw'] },
        { type: 'Cast', inputs: ['raw'], outputs: ['at'], attributes: [{ name: 'to', int: TYPE.int64 }] },
        { type: 'Gather', inputs: ['two', 'at'], outputs: ['score'] },
        {
          type: 'Cast',
          inputs: ['score'],
          outputs: ['label'],
          attributes: [{ name: 'to', int: TYPE.int64 }],
        },
      ],
      initializers: [
        { name: 'pick', dims: [3, 1], raw: float32s([1, 0, 0]) },
        { name: 'two', dims: [2], raw: float32s([0, 1]) },
      ],
      inputs: [value('features', tensorType(TYPE.float, ['N', 3]))],
      outputs: [
        value('label', tensorType(TYPE.int64, ['N', 1])),
        value('score', tensorType(TYPE.float, ['N', 1])),
      ],
    },
  });
}

/**
 * Works as long as the largest second feature says: it sums that many sines 40 times over. A million is a few tens of
 * milliseconds, a billion needs 4 GB and more time than any deadline. The answer is that of `firstFeature`.
 */
export function laborious(): Uint8Array {
  const chain: NodeSpec[] = Array.from({ length: 40 }, (_, index) => ({
    type: 'Sin',
    inputs: [`s${index}`],
    outputs: [`s${index + 1}`],
  }));
  return model({
    opsets: [['', 15]],
    graph: {
      nodes: [
        { type: 'MatMul', inputs: ['features', 'pickFirst'], outputs: ['raw'] },
        { type: 'MatMul', inputs: ['features', 'pickSecond'], outputs: ['work'] },
        {
          type: 'ReduceMax',
          inputs: ['work'],
          outputs: ['length'],
          attributes: [{ name: 'keepdims', int: 0 }],
        },
        { type: 'Range', inputs: ['zero', 'length', 'one'], outputs: ['s0'] },
        ...chain,
        { type: 'ReduceSum', inputs: ['s40'], outputs: ['sum'], attributes: [{ name: 'keepdims', int: 0 }] },
        { type: 'Mul', inputs: ['sum', 'zero'], outputs: ['nothing'] },
        { type: 'Add', inputs: ['raw', 'nothing'], outputs: ['score'] },
        { type: 'Greater', inputs: ['score', 'above'], outputs: ['is'] },
        { type: 'Cast', inputs: ['is'], outputs: ['label'], attributes: [{ name: 'to', int: TYPE.int64 }] },
      ],
      initializers: [
        { name: 'pickFirst', dims: [3, 1], raw: float32s([1, 0, 0]) },
        { name: 'pickSecond', dims: [3, 1], raw: float32s([0, 1, 0]) },
        { name: 'zero', dims: [], raw: float32s([0]) },
        { name: 'one', dims: [], raw: float32s([1]) },
        { name: 'above', dims: [1], raw: float32s([0.5]) },
      ],
      inputs: [value('features', tensorType(TYPE.float, ['N', 3]))],
      outputs: [
        value('label', tensorType(TYPE.int64, ['N', 1])),
        value('score', tensorType(TYPE.float, ['N', 1])),
      ],
    },
  });
}

export const CLASSIFIER: OutputMapping = {
  kind: 'classifier',
  input: 'features',
  labelOutput: 'label',
  scoreOutput: 'score',
  scoreColumn: 0,
  positiveLabel: 1,
  threshold: 0.5,
  lowerIsPositive: false,
};

/** Only the score is read; a low one is an anomaly, as scikit-learn's detectors have it. */
export const ANOMALY: OutputMapping = {
  ...CLASSIFIER,
  kind: 'anomaly',
  labelOutput: null,
  positiveLabel: -1,
  threshold: 0,
  lowerIsPositive: true,
};

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * One tree over two features: `x0 ≤ 0.5` gives class 1 the probability `low`, more gives it `high`. `both`: each leaf has a
 * weight for either class, as some exporters write it; else for class 1 alone.
 */
export function twoClassTree(options: {
  both: boolean;
  packed?: boolean;
  low?: number;
  high?: number;
}): Uint8Array {
  const { both, packed = false, low = 0.2, high = 0.9 } = options;
  const leaves = [
    { node: 1, weight: low },
    { node: 2, weight: high },
  ];
  const weights = leaves.flatMap(({ node, weight }) => [
    ...(both ? [{ node, id: 0, weight: 1 - weight }] : []),
    { node, id: 1, weight },
  ]);
  const ints = (name: string, values: readonly number[]) => ({ name, ints: values, packed });
  return model({
    opsets: [
      ['', 15],
      ['ai.onnx.ml', 3],
    ],
    graph: {
      nodes: [
        {
          type: 'TreeEnsembleClassifier',
          domain: 'ai.onnx.ml',
          inputs: ['X'],
          outputs: ['label', 'probabilities'],
          attributes: [
            ints('nodes_treeids', [0, 0, 0]),
            ints('nodes_nodeids', [0, 1, 2]),
            ints('nodes_featureids', [0, 0, 0]),
            { name: 'nodes_modes', strings: ['BRANCH_LEQ', 'LEAF', 'LEAF'] },
            { name: 'nodes_values', floats: [0.5, 0, 0], packed },
            ints('nodes_truenodeids', [1, 0, 0]),
            ints('nodes_falsenodeids', [2, 0, 0]),
            ints(
              'class_treeids',
              weights.map(() => 0),
            ),
            ints(
              'class_nodeids',
              weights.map(({ node }) => node),
            ),
            ints(
              'class_ids',
              weights.map(({ id }) => id),
            ),
            { name: 'class_weights', floats: weights.map(({ weight }) => weight), packed },
            ints('classlabels_int64s', [0, 1]),
            { name: 'post_transform', text: 'NONE' },
          ],
        },
      ],
      inputs: [value('X', tensorType(1, [null, 2]))],
      outputs: [value('label', tensorType(7, [null])), value('probabilities', tensorType(1, [null, 2]))],
    },
  });
}
