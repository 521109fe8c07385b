/**
 * An isolation forest as scikit-learn makes it (Liu, Ting and Zhou 2008), grown on made-up traffic: the detector that
 * the agent's bench serves. Outputs `label` (1 or -1) and `score` (below 0 = anomalous).
 */
import { buildOnnxModel } from '../../resources/samples/generator/onnx.ts';
import { createRandom } from '../../shared/domain/statistics/index.ts';

export const TREES = 100;
export const FEATURES = 10;
/** Rows that each tree is grown on, scikit-learn's own choice. */
const SAMPLE = 256;
/** ceil(log2(SAMPLE)) */
const DEPTH = 8;
const CENTRES = 3;
const EULER = 0.5772156649015329;

type Row = readonly number[];

/** The same rows for the same seed: three clusters of ordinary traffic, in numbers of six digits. */
export function trafficRows(seed: number, count: number): number[][] {
  const random = createRandom(8);
  const centres = Array.from({ length: CENTRES }, () =>
    Array.from({ length: FEATURES }, () => 2 * random.normal()),
  );
  const { uniform, normal } = createRandom(seed);
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(uniform() * CENTRES)] ?? [];
    return centre.map((middle) => Number((middle + normal()).toPrecision(6)));
  });
}

/** Mean length of a path that ends in a leaf of so many rows: what an unfinished search would still have taken. */
function meanPath(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER) - (2 * (rows - 1)) / rows;
}

export function isolationForest(seed: number): Uint8Array {
  const { uniform } = createRandom(seed);
  const data = trafficRows(seed, 2000);
  const nodes = {
    nodes_treeids: [] as number[],
    nodes_nodeids: [] as number[],
    nodes_featureids: [] as number[],
    nodes_values: [] as number[],
    nodes_truenodeids: [] as number[],
    nodes_falsenodeids: [] as number[],
    target_treeids: [] as number[],
    target_nodeids: [] as number[],
    target_ids: [] as number[],
  };
  const modes: string[] = [];
  const weights: number[] = [];
  for (let tree = 0; tree < TREES; tree++) {
    const first = modes.length;
    const grow = (rows: readonly Row[], depth: number): number => {
      const at = modes.push('LEAF') - 1;
      const id = at - first;
      nodes.nodes_treeids.push(tree);
      nodes.nodes_nodeids.push(id);
      const feature = Math.floor(uniform() * FEATURES);
      const values = rows.map((row) => row[feature] ?? 0);
      const low = Math.min(...values);
      const high = Math.max(...values);
      const isLeaf = depth === DEPTH || rows.length <= 1 || low === high;
      const threshold = Math.fround(low + uniform() * (high - low));
      nodes.nodes_featureids.push(feature);
      nodes.nodes_values.push(isLeaf ? 0 : threshold);
      nodes.nodes_truenodeids.push(0);
      nodes.nodes_falsenodeids.push(0);
      if (isLeaf) {
        nodes.target_treeids.push(tree);
        nodes.target_nodeids.push(id);
        nodes.target_ids.push(0);
        weights.push(depth + meanPath(rows.length));
        return id;
      }
      modes[at] = 'BRANCH_LEQ';
      const below = rows.filter((row) => (row[feature] ?? 0) <= threshold);
      const above = rows.filter((row) => (row[feature] ?? 0) > threshold);
      nodes.nodes_truenodeids[at] = grow(below, depth + 1);
      nodes.nodes_falsenodeids[at] = grow(above, depth + 1);
      return id;
    };
    grow(
      Array.from({ length: SAMPLE }, () => data[Math.floor(uniform() * data.length)] ?? []),
      0,
    );
  }
  const scalar = (name: string, value: number) => ({ name, dims: [1], data: Float32Array.of(value) });
  const whole = (name: string, value: bigint) => ({ name, dims: [1], data: BigInt64Array.of(value) });
  return buildOnnxModel({
    graphName: 'isolation-forest',
    doc: 'An isolation forest for benchmarks.',
    producer: 'sallyport-bench',
    producerVersion: '1.0.0',
    opsets: [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    inputs: [{ name: 'features', type: 'float', shape: ['N', FEATURES] }],
    outputs: [
      { name: 'label', type: 'int64', shape: ['N'] },
      { name: 'score', type: 'float', shape: ['N'] },
    ],
    nodes: [
      {
        op: 'TreeEnsembleRegressor',
        domain: 'ai.onnx.ml',
        name: 'paths',
        inputs: ['features'],
        outputs: ['length'],
        attributes: {
          ...Object.fromEntries(Object.entries(nodes).map(([name, ints]) => [name, { ints }])),
          nodes_values: { floats: nodes.nodes_values },
          nodes_modes: { strings: modes },
          target_weights: { floats: weights },
          n_targets: { int: 1 },
          aggregate_function: { string: 'SUM' },
          post_transform: { string: 'NONE' },
        },
      },
      { op: 'Reshape', name: 'flat', inputs: ['length', 'rows'], outputs: ['lengths'] },
      { op: 'Mul', name: 'scaled', inputs: ['lengths', 'scale'], outputs: ['exponent'] },
      // 2^(-mean path / expected path) is 1 for what is isolated at once, about 0.5 for what is ordinary.
      { op: 'Pow', name: 'anomaly', inputs: ['two', 'exponent'], outputs: ['anomaly_score'] },
      { op: 'Sub', name: 'decide', inputs: ['offset', 'anomaly_score'], outputs: ['score'] },
      { op: 'Less', name: 'below', inputs: ['score', 'zero'], outputs: ['anomalous'] },
      { op: 'Where', name: 'label', inputs: ['anomalous', 'minus', 'plus'], outputs: ['label'] },
    ],
    initializers: [
      whole('rows', -1n),
      scalar('scale', -1 / (TREES * meanPath(SAMPLE))),
      scalar('two', 2),
      scalar('offset', 0.5),
      scalar('zero', 0),
      whole('minus', -1n),
      whole('plus', 1n),
    ],
    metadata: { features: Array.from({ length: FEATURES }, (_, index) => `f${index}`).join(',') },
  });
}
