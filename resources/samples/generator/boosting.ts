// biome-ignore-all lint/style/noNonNullAssertion: every index is bounded by its loop.
import type { Matrix } from './logistic.ts';
import { log2, roundTo, sigmoid } from './numeric.ts';

/** A node either asks `x[feature] <= threshold` (true goes left) or is a leaf that adds `value` to the log-odds. */
export type TreeNode =
  | {
      readonly kind: 'split';
      readonly feature: number;
      readonly threshold: number;
      readonly left: number;
      readonly right: number;
    }
  | { readonly kind: 'leaf'; readonly value: number };

export interface BoostedTrees {
  /** Log-odds before the first tree. */
  readonly base: number;
  /** Nodes of each tree by index; 0 is the root. */
  readonly trees: readonly (readonly TreeNode[])[];
}

export interface BoostingOptions {
  readonly trees: number;
  readonly depth: number;
  readonly learningRate: number;
  /** Fewest training rows in a leaf. */
  readonly minimumLeaf: number;
  /** Penalty on squared leaf values. */
  readonly l2: number;
  /** Bins per feature; splits fall between bins. */
  readonly bins: number;
}

/** Candidate thresholds of each column and, per row and column, the index of the bin its value falls in. */
interface Binned {
  readonly edges: readonly (readonly number[])[];
  readonly index: Uint8Array;
}

/** Edges lie halfway between neighbouring distinct values, thinned by rank to at most `bins` - 1 a column. */
function binColumns(x: Matrix, bins: number): Binned {
  const index = new Uint8Array(x.rows * x.columns);
  const edges: number[][] = [];
  for (let j = 0; j < x.columns; j++) {
    const sorted = Float32Array.from({ length: x.rows }, (_, i) => x.values[i * x.columns + j]!).sort();
    const cuts: number[] = [];
    for (let i = 1; i < sorted.length; i++) {
      const below = sorted[i - 1]!;
      const above = sorted[i]!;
      if (below === above) continue;
      const middle = Math.fround((below + above) / 2);
      // In float32 the middle may round up to `above`; the comparison is <=, so `below` itself separates them.
      cuts.push(middle < above ? middle : below);
    }
    const step = cuts.length / (bins - 1);
    const kept = step <= 1 ? cuts : Array.from({ length: bins - 1 }, (_, k) => cuts[Math.floor(k * step)]!);
    edges.push(kept);
    for (let i = 0; i < x.rows; i++) {
      const value = x.values[i * x.columns + j]!;
      let low = 0;
      let high = kept.length;
      while (low < high) {
        const half = (low + high) >> 1;
        if (value <= kept[half]!) high = half;
        else low = half + 1;
      }
      index[i * x.columns + j] = low;
    }
  }
  return { edges, index };
}

interface Split {
  readonly feature: number;
  readonly bin: number;
  readonly gain: number;
}

/** Best split of the rows by the second-order gain of Chen & Guestrin 2016 (XGBoost), equation 7; null if none gains. */
function bestSplit(
  rows: Int32Array,
  binned: Binned,
  columns: number,
  gradient: Float64Array,
  hessian: Float64Array,
  options: BoostingOptions,
): Split | null {
  let totalGradient = 0;
  let totalHessian = 0;
  for (const row of rows) {
    totalGradient += gradient[row]!;
    totalHessian += hessian[row]!;
  }
  const objective = (g: number, h: number): number => (g * g) / (h + options.l2);
  const parent = objective(totalGradient, totalHessian);
  let best: Split | null = null;
  for (let feature = 0; feature < columns; feature++) {
    const cuts = binned.edges[feature]!.length;
    if (cuts === 0) continue;
    const sums = new Float64Array(2 * (cuts + 1));
    const counts = new Int32Array(cuts + 1);
    for (const row of rows) {
      const bin = binned.index[row * columns + feature]!;
      sums[2 * bin]! += gradient[row]!;
      sums[2 * bin + 1]! += hessian[row]!;
      counts[bin]!++;
    }
    let g = 0;
    let h = 0;
    let count = 0;
    for (let bin = 0; bin < cuts; bin++) {
      g += sums[2 * bin]!;
      h += sums[2 * bin + 1]!;
      count += counts[bin]!;
      if (count < options.minimumLeaf || rows.length - count < options.minimumLeaf) continue;
      const gain = objective(g, h) + objective(totalGradient - g, totalHessian - h) - parent;
      // A strictly larger gain by a margin: ties go to the first feature, never to the last bit of a sum.
      if (gain > (best?.gain ?? 0) + 1e-9) best = { feature, bin, gain };
    }
  }
  return best;
}

function growTree(
  x: Matrix,
  binned: Binned,
  gradient: Float64Array,
  hessian: Float64Array,
  options: BoostingOptions,
): TreeNode[] {
  const nodes: TreeNode[] = [];
  const grow = (rows: Int32Array, depth: number): number => {
    const at = nodes.length;
    nodes.push({ kind: 'leaf', value: 0 });
    const split =
      depth < options.depth ? bestSplit(rows, binned, x.columns, gradient, hessian, options) : null;
    if (split === null) {
      let g = 0;
      let h = 0;
      for (const row of rows) {
        g += gradient[row]!;
        h += hessian[row]!;
      }
      // Newton step, shrunk; float32 because that is what the file holds.
      const value = Math.fround(roundTo((-options.learningRate * g) / (h + options.l2), 6));
      nodes[at] = { kind: 'leaf', value };
      return at;
    }
    const goesLeft = (row: number): boolean => binned.index[row * x.columns + split.feature]! <= split.bin;
    const left = grow(rows.filter(goesLeft), depth + 1);
    const right = grow(
      rows.filter((row) => !goesLeft(row)),
      depth + 1,
    );
    nodes[at] = {
      kind: 'split',
      feature: split.feature,
      threshold: binned.edges[split.feature]![split.bin]!,
      left,
      right,
    };
    return at;
  };
  grow(
    Int32Array.from({ length: x.rows }, (_, i) => i),
    0,
  );
  return nodes;
}

function leafOf(tree: readonly TreeNode[], values: Float32Array, offset: number): number {
  let node = tree[0]!;
  while (node.kind === 'split')
    node = tree[values[offset + node.feature]! <= node.threshold ? node.left : node.right]!;
  return node.value;
}

/** Gradient-boosted trees on the logistic loss, with histogram splits. Deterministic: no row or column is sampled. */
export function trainBoosting(x: Matrix, labels: Uint8Array, options: BoostingOptions): BoostedTrees {
  if (options.bins < 2 || options.bins > 256) throw new RangeError('bins must be between 2 and 256');
  const binned = binColumns(x, options.bins);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === labels.length)
    throw new RangeError('Training needs rows of both classes.');
  const base = Math.fround(roundTo(log2(positives / (labels.length - positives)) * Math.LN2, 6));
  const score = new Float64Array(x.rows).fill(base);
  const gradient = new Float64Array(x.rows);
  const hessian = new Float64Array(x.rows);
  const trees: TreeNode[][] = [];
  for (let t = 0; t < options.trees; t++) {
    for (let i = 0; i < x.rows; i++) {
      const p = sigmoid(score[i]!);
      gradient[i] = p - labels[i]!;
      hessian[i] = p * (1 - p);
    }
    const tree = growTree(x, binned, gradient, hessian, options);
    trees.push(tree);
    for (let i = 0; i < x.rows; i++) score[i]! += leafOf(tree, x.values, i * x.columns);
  }
  return { base, trees };
}

/** P(label = 1) of every row. */
export function scoreBoosting(model: BoostedTrees, x: Matrix): Float64Array {
  const scores = new Float64Array(x.rows);
  for (let i = 0; i < x.rows; i++) {
    let score = model.base;
    for (const tree of model.trees) score += leafOf(tree, x.values, i * x.columns);
    scores[i] = sigmoid(score);
  }
  return scores;
}
