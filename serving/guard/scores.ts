/**
 * Scores as callers see them: rounded, or with noise, so that a model is dearer to copy by asking it. Labels stay what
 * they are, and a shown score stays on its label's side of the threshold.
 */
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { scoreIsPositive } from '../../shared/node/onnx/output-mapping.ts';
import { keySourceSchema, readKey } from './key-source.ts';

export const scoresSchema = z.strictObject({
  /** Decimal places that are shown. */
  round: z.number().int().min(0).max(6).optional(),
  noise: z
    .strictObject({
      /** The most a score is off, in the score's own unit. */
      scale: z.number().positive().max(1000),
      /** At least 32 characters that nobody can guess; the same on all agents that callers reach under one name. */
      key: keySourceSchema,
    })
    .optional(),
});
export type ScoresConfig = z.infer<typeof scoresSchema>;

/** What is needed of a tensor; rows are its first dimension. `float16` data are the bits of 16-bit floats. */
export interface ScoreTensor {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView | readonly string[];
}

export interface ScoredRelease {
  /** Noise of two versions is not the same: their difference would show neither. */
  readonly digest: string;
  readonly mapping: OutputMapping;
}

const MIN_KEY_LENGTH = 32;
/** Two values of a row that add to one are the probabilities of two classes, and stay so. */
const SUM_TOLERANCE = 1e-3;
/** The step of a score that is not rounded: far below what anybody reads, far above a 32-bit float's at 1. */
const FINE_UNIT = 2 ** 20;

type Floats = Float16Array | Float32Array | Float64Array;

/** Where a decision is made: scores on one side of `threshold` mean another label than those on the other. */
interface Boundary {
  readonly threshold: number;
  readonly side: (score: number) => number;
}

export class ScoreGuard {
  /** Steps in 1 that shown scores have. */
  readonly #unit: number;
  readonly #rounds: boolean;
  readonly #noise: { readonly scale: number; readonly key: string } | null;

  private constructor(digits: number | undefined, noise: { scale: number; key: string } | null) {
    this.#rounds = digits !== undefined;
    this.#unit = digits === undefined ? FINE_UNIT : 10 ** digits;
    this.#noise = noise;
  }

  /** null where scores are shown as they are. `usage` for a key that is not there, or too short to be one. */
  static async open(config: ScoresConfig | undefined, directory: string): Promise<ScoreGuard | null> {
    if (!config || (config.round === undefined && !config.noise)) return null;
    if (!config.noise) return new ScoreGuard(config.round, null);
    const key = await readKey(config.noise.key, directory);
    if (key.length < MIN_KEY_LENGTH) {
      throw new SallyportError(
        'usage',
        `The key of scores.noise has fewer than ${MIN_KEY_LENGTH} characters.`,
        { hint: 'The agent was not started. Make one of 32 random bytes in base64.' },
      );
    }
    return new ScoreGuard(config.round, { scale: config.noise.scale, key });
  }

  /**
   * The outputs of a call as they are shown. `inputs` are what the model was fed: noise comes from a keyed hash of a
   * row's own values, so that asking again gives the same answer and nothing to average. What is handed in stays as
   * it is. Outputs of numbers that are no floats, and of text, are labels: they are shown as they are.
   */
  shown<T extends ScoreTensor>(
    { digest, mapping }: ScoredRelease,
    inputs: readonly ScoreTensor[],
    outputs: readonly T[],
  ): T[] {
    const count = inputs[0]?.dims[0] ?? 0;
    return outputs.map((output) => {
      const floats = floatsOf(output);
      if (!floats || floats.length === 0) return output;
      const rows = count > 0 && output.dims[0] === count ? count : 1;
      const columns = floats.length / rows;
      for (let row = 0; row < rows; row++) {
        const noise = this.#noise && {
          ...this.#noise,
          about: () => bytesOfRow(inputs, rows === 1 ? null : { row, count }),
        };
        const values = floats.subarray(row * columns, (row + 1) * columns);
        const offsets = noise && offsetsOf(noise, `${digest}/${output.name}`, columns);
        this.#change(values, offsets, output.name === mapping.scoreOutput ? mapping : null);
      }
      return { ...output, data: sameKind(output, floats) };
    });
  }

  #change(values: Floats, offsets: readonly number[] | null, mapping: OutputMapping | null): void {
    const before = Array.from(values);
    const probabilities = before.every((value) => value >= 0 && value <= 1);
    const moved = before.map((value, column) => {
      const noisy = value + (offsets?.[column] ?? 0);
      const steps = Math.round(noisy * this.#unit);
      // So large that it has no decimals to round; the multiplication might even have made it infinite.
      const rounded = this.#rounds && Number.isSafeInteger(steps) ? steps / this.#unit : noisy;
      return probabilities ? Math.min(1, Math.max(0, rounded)) : rounded;
    });
    const pair =
      before.length === 2 &&
      probabilities &&
      Math.abs((before[0] ?? 0) + (before[1] ?? 0) - 1) < SUM_TOLERANCE;
    if (before.length > 1 && !pair) {
      this.#keepTop(values, before, moved, probabilities ? 1 : Number.POSITIVE_INFINITY);
      return;
    }
    const column = pair && mapping?.scoreColumn !== 0 ? 1 : 0;
    const score = this.#keepSide(values, column, moved[column] ?? 0, boundaryOf(mapping, pair));
    values[column] = score;
    if (pair) values[1 - column] = 1 - score;
  }

  /** `shown`, or the nearest step to the threshold on the side where the true score is. */
  #keepSide(values: Floats, column: number, shown: number, boundary: Boundary | null): number {
    const value = values[column] ?? 0;
    if (!boundary || !Number.isFinite(value)) return shown;
    const { threshold, side } = boundary;
    // As it will be read: 0.7 in 32 bits is less than 0.7.
    const stored = (score: number): number => {
      values[column] = score;
      return values[column] ?? score;
    };
    if (side(stored(shown)) === side(value)) return shown;
    const up = value >= threshold;
    const edge = up ? Math.ceil(threshold * this.#unit) : Math.floor(threshold * this.#unit);
    for (const step of [0, 1, 2]) {
      const candidate = (edge + (up ? step : -step)) / this.#unit;
      if (side(stored(candidate)) === side(value)) return candidate;
    }
    return value;
  }

  /** The column that had the most still has, by a step: where the label is the largest, it says so. */
  #keepTop(values: Floats, before: readonly number[], moved: readonly number[], cap: number): void {
    const step = 1 / this.#unit;
    let top = 0;
    for (const [column, value] of before.entries()) if (value > (before[top] ?? 0)) top = column;
    const others = Math.max(
      ...moved.map((value, column) => (column === top ? Number.NEGATIVE_INFINITY : value)),
    );
    const most = Math.min(cap, Math.max(moved[top] ?? 0, others + step));
    for (const [column, value] of moved.entries())
      values[column] = column === top ? most : Math.min(value, most - step);
  }
}

/** Where the label of a score output turns: by the larger of two classes where the model says labels, else by threshold. */
function boundaryOf(mapping: OutputMapping | null, pair: boolean): Boundary | null {
  if (pair && (!mapping || mapping.labelOutput !== null))
    return { threshold: 0.5, side: (score) => Math.sign(score - 0.5) };
  return (
    mapping && { threshold: mapping.threshold, side: (score) => Number(scoreIsPositive(mapping, score)) }
  );
}

interface Noise {
  readonly scale: number;
  readonly key: string;
  readonly about: () => readonly Uint8Array[];
}

/** Evenly spread over ±scale, one a column. */
function offsetsOf({ scale, key, about }: Noise, label: string, columns: number): number[] {
  const first = createHmac('sha256', key).update(label).update('\0');
  for (const bytes of about()) first.update(bytes);
  const seed = first.digest();
  const offsets: number[] = [];
  for (let column = 0; column < columns; column++) {
    const block = column < 8 ? seed : createHmac('sha256', seed).update(String(column)).digest();
    offsets.push((block.readUInt32BE(column < 8 ? 4 * column : 0) / 2 ** 31 - 1) * scale);
  }
  return offsets;
}

/** One row of every input, in one spelling: −0 is 0, or every zero would be a second answer to average with. */
function bytesOfRow(
  inputs: readonly ScoreTensor[],
  at: { readonly row: number; readonly count: number } | null,
): Uint8Array[] {
  return inputs.map((input) => {
    const { data } = input;
    const part = (length: number): [number, number] =>
      at && input.dims[0] === at.count
        ? [(at.row * length) / at.count, ((at.row + 1) * length) / at.count]
        : [0, length];
    if (!ArrayBuffer.isView(data)) return Buffer.from(JSON.stringify(data.slice(...part(data.length))));
    const floats = floatsOf(input, part);
    if (floats) return bytesOf(floats.map((value) => value + 0));
    const [from, to] = part(data.byteLength);
    return new Uint8Array(data.buffer, data.byteOffset + from, to - from);
  });
}

/** A copy of a tensor's floats, of a part when asked; null for anything else. */
function floatsOf(
  { type, data }: ScoreTensor,
  part: (length: number) => [number, number] = (length) => [0, length],
): Floats | null {
  if (data instanceof Float32Array || data instanceof Float64Array) return data.slice(...part(data.length));
  if (type !== 'float16' || !ArrayBuffer.isView(data)) return null;
  return new Float16Array(data.buffer, data.byteOffset, data.byteLength / 2).slice(
    ...part(data.byteLength / 2),
  );
}

/** Floats in the kind of array that the tensor came in. */
function sameKind({ data }: ScoreTensor, floats: Floats): ArrayBufferView {
  return data instanceof Uint16Array ? new Uint16Array(floats.buffer) : floats;
}

function bytesOf(view: Floats): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
