// biome-ignore-all lint/style/noNonNullAssertion: every index is bounded by its loop.
import { sigmoid } from './numeric.ts';

/** Rows as one row-major block: what a trainer and the runtime both read. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** P(y = 1 | x) = sigmoid(bias + Σ weight_j (x_j - mean_j) scale_j); all numbers are exact in float32. */
export interface LogisticModel {
  readonly mean: readonly number[];
  /** 1 / standard deviation; 0 for a constant column, which then has no say. */
  readonly scale: readonly number[];
  readonly weights: readonly number[];
  readonly bias: number;
}

export interface LogisticOptions {
  readonly iterations: number;
  readonly learningRate: number;
  /** Penalty on the squared standardised weights (not on the bias). */
  readonly l2: number;
}

/** Logistic regression by full-batch gradient descent with momentum 0.9 on standardised columns. */
export function trainLogistic(x: Matrix, labels: Uint8Array, options: LogisticOptions): LogisticModel {
  const { rows, columns } = x;
  const mean = new Float64Array(columns);
  const variance = new Float64Array(columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) mean[j]! += x.values[i * columns + j]! / rows;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const difference = x.values[i * columns + j]! - mean[j]!;
      variance[j]! += (difference * difference) / rows;
    }
  }
  const scale = variance.map((v) => (v > 1e-12 ? 1 / Math.sqrt(v) : 0));
  const z = new Float64Array(rows * columns);
  for (let i = 0; i < z.length; i++) z[i] = (x.values[i]! - mean[i % columns]!) * scale[i % columns]!;

  const weights = new Float64Array(columns);
  const velocity = new Float64Array(columns + 1);
  let bias = 0;
  for (let iteration = 0; iteration < options.iterations; iteration++) {
    const gradient = new Float64Array(columns + 1);
    for (let i = 0; i < rows; i++) {
      let score = bias;
      for (let j = 0; j < columns; j++) score += weights[j]! * z[i * columns + j]!;
      const residual = (sigmoid(score) - labels[i]!) / rows;
      for (let j = 0; j < columns; j++) gradient[j]! += residual * z[i * columns + j]!;
      gradient[columns]! += residual;
    }
    for (let j = 0; j <= columns; j++) {
      const penalty = j < columns ? options.l2 * weights[j]! : 0;
      velocity[j] = 0.9 * velocity[j]! - options.learningRate * (gradient[j]! + penalty);
      if (j < columns) weights[j]! += velocity[j]!;
      else bias += velocity[j]!;
    }
  }
  // Rounded to what the ONNX file holds, so that our own scores and the runtime's start from the same numbers.
  const round = (list: Float64Array): number[] => Array.from(list, Math.fround);
  return { mean: round(mean), scale: round(scale), weights: round(weights), bias: Math.fround(bias) };
}

/** P(label = 1) of every row. */
export function scoreLogistic(model: LogisticModel, x: Matrix): Float64Array {
  const scores = new Float64Array(x.rows);
  for (let i = 0; i < x.rows; i++) {
    let score = model.bias;
    for (let j = 0; j < x.columns; j++) {
      score += model.weights[j]! * (x.values[i * x.columns + j]! - model.mean[j]!) * model.scale[j]!;
    }
    scores[i] = sigmoid(score);
  }
  return scores;
}
