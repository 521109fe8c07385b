import type { BoostedTrees } from './boosting.ts';
import { FEATURE_NAMES } from './features.ts';
import type { LogisticModel } from './logistic.ts';
import { buildOnnxModel, type OnnxModelParts, type OnnxNode, type OnnxTensor } from './onnx.ts';
import { Random } from './random.ts';

const PRODUCER_VERSION = '1.0.0';
const ML = 'ai.onnx.ml';
const MIB = 1024 * 1024;

/** What every sample detector has in common: input `features`, outputs `label` and `probabilities`. */
function detector(
  graphName: string,
  doc: string,
  columns: readonly string[],
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[] = [],
): OnnxModelParts {
  return {
    graphName,
    doc,
    producer: 'sallyport-samples',
    producerVersion: PRODUCER_VERSION,
    opsets: [
      { domain: '', version: 17 },
      { domain: ML, version: 3 },
    ],
    inputs: [{ name: 'features', type: 'float', shape: ['N', columns.length] }],
    outputs: [
      { name: 'label', type: 'int64', shape: ['N'] },
      { name: 'probabilities', type: 'float', shape: ['N', 2] },
    ],
    nodes,
    initializers,
    metadata: { features: columns.join(',') },
  };
}

/** Logistic regression as Scaler → LinearClassifier → Normalizer. */
export function logisticToOnnx(
  model: LogisticModel,
  doc: string,
  columns: readonly string[] = FEATURE_NAMES,
): Uint8Array {
  return buildOnnxModel(
    detector('phish-url-logistic', doc, columns, [
      {
        op: 'Scaler',
        domain: ML,
        name: 'standardise',
        inputs: ['features'],
        outputs: ['standardised'],
        attributes: { offset: { floats: model.mean }, scale: { floats: model.scale } },
      },
      {
        op: 'LinearClassifier',
        domain: ML,
        name: 'classify',
        inputs: ['standardised'],
        outputs: ['label', 'scores'],
        attributes: {
          classlabels_ints: { ints: [0, 1] },
          // One row of weights per class; the negative class is the mirror image, so its logistic is 1 - p.
          coefficients: { floats: [...model.weights.map((w) => -w), ...model.weights] },
          intercepts: { floats: [-model.bias, model.bias] },
          multi_class: { int: 0 },
          post_transform: { string: 'LOGISTIC' },
        },
      },
      {
        op: 'Normalizer',
        domain: ML,
        name: 'normalise',
        inputs: ['scores'],
        outputs: ['probabilities'],
        attributes: { norm: { string: 'L1' } },
      },
    ]),
  );
}

/**
 * Boosted trees as one TreeEnsembleClassifier. All leaf weights go under a single class id: with two classes the
 * runtime then takes the sum as the log-odds of the positive class. (Weights under both ids would let it take the
 * binary short cut over one of them and answer wrong labels.)
 */
export function treesToOnnx(
  model: BoostedTrees,
  doc: string,
  columns: readonly string[] = FEATURE_NAMES,
): Uint8Array {
  const nodes = {
    treeids: [] as number[],
    nodeids: [] as number[],
    featureids: [] as number[],
    modes: [] as string[],
    values: [] as number[],
    truenodeids: [] as number[],
    falsenodeids: [] as number[],
  };
  const leaves = {
    treeids: [] as number[],
    nodeids: [] as number[],
    ids: [] as number[],
    weights: [] as number[],
  };
  // The log-odds before the first tree travel as a tree of one leaf: runtimes differ on `base_values` of two classes.
  const trees = [[{ kind: 'leaf', value: model.base } as const], ...model.trees];
  trees.forEach((tree, treeId) => {
    tree.forEach((node, nodeId) => {
      nodes.treeids.push(treeId);
      nodes.nodeids.push(nodeId);
      const split = node.kind === 'split' ? node : null;
      nodes.modes.push(split === null ? 'LEAF' : 'BRANCH_LEQ');
      nodes.featureids.push(split?.feature ?? 0);
      nodes.values.push(split?.threshold ?? 0);
      nodes.truenodeids.push(split?.left ?? 0);
      nodes.falsenodeids.push(split?.right ?? 0);
      if (node.kind === 'leaf') {
        leaves.treeids.push(treeId);
        leaves.nodeids.push(nodeId);
        leaves.ids.push(0);
        leaves.weights.push(node.value);
      }
    });
  });
  return buildOnnxModel(
    detector('phish-url-trees', doc, columns, [
      {
        op: 'TreeEnsembleClassifier',
        domain: ML,
        name: 'classify',
        inputs: ['features'],
        outputs: ['label', 'probabilities'],
        attributes: {
          nodes_treeids: { ints: nodes.treeids },
          nodes_nodeids: { ints: nodes.nodeids },
          nodes_featureids: { ints: nodes.featureids },
          nodes_modes: { strings: nodes.modes },
          nodes_values: { floats: nodes.values },
          nodes_truenodeids: { ints: nodes.truenodeids },
          nodes_falsenodeids: { ints: nodes.falsenodeids },
          class_treeids: { ints: leaves.treeids },
          class_nodeids: { ints: leaves.nodeids },
          class_ids: { ints: leaves.ids },
          class_weights: { floats: leaves.weights },
          classlabels_int64s: { ints: [0, 1] },
          post_transform: { string: 'LOGISTIC' },
        },
      },
    ]),
  );
}

/**
 * A perceptron of about `megabytes` MiB (within one layer), for benchmarks: valid, loadable and useless. Weights are
 * drawn uniformly with He's variance (2 / fan-in), so that values stay finite through any number of layers.
 */
export function largeModel(megabytes: number, columns: readonly string[] = FEATURE_NAMES): Uint8Array {
  // protobuf cannot write 2 GiB or more.
  if (!Number.isInteger(megabytes) || megabytes < 1 || megabytes > 1900) {
    throw new RangeError(`A size is a whole number of MiB from 1 to 1900, not ${megabytes}.`);
  }
  const width = megabytes < 8 ? 256 : 1024;
  const layers = Math.max(1, Math.round((megabytes * MIB) / (4 * width * (width + 1))));
  const random = new Random('large-model');
  const sizes = [columns.length, ...Array.from({ length: layers + 1 }, () => width), 2];
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let current = 'features';
  for (let layer = 0; layer + 1 < sizes.length; layer++) {
    const from = sizes[layer] ?? 0;
    const to = sizes[layer + 1] ?? 0;
    const limit = Math.sqrt(6 / from);
    const weights = Float32Array.from({ length: from * to }, () => (2 * random.unit() - 1) * limit);
    initializers.push({ name: `weights_${layer}`, dims: [from, to], data: weights });
    initializers.push({ name: `bias_${layer}`, dims: [to], data: new Float32Array(to) });
    const last = layer + 2 === sizes.length;
    nodes.push({
      op: 'Gemm',
      name: `dense_${layer}`,
      inputs: [current, `weights_${layer}`, `bias_${layer}`],
      outputs: [`dense_${layer}_out`],
    });
    if (!last)
      nodes.push({
        op: 'Relu',
        name: `relu_${layer}`,
        inputs: [`dense_${layer}_out`],
        outputs: [`relu_${layer}_out`],
      });
    current = last ? `dense_${layer}_out` : `relu_${layer}_out`;
  }
  nodes.push({
    op: 'Softmax',
    name: 'softmax',
    inputs: [current],
    outputs: ['probabilities'],
    attributes: { axis: { int: 1 } },
  });
  nodes.push({
    op: 'ArgMax',
    name: 'argmax',
    inputs: ['probabilities'],
    outputs: ['label'],
    attributes: { axis: { int: 1 }, keepdims: { int: 0 } },
  });
  return buildOnnxModel(
    detector(
      'large-perceptron',
      `A perceptron with random weights, ${megabytes} MiB, for benchmarks only.`,
      columns,
      nodes,
      initializers,
    ),
  );
}
