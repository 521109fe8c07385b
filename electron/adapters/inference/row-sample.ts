import { NO_ANSWER } from '../../../shared/domain/evidence/answers.ts';
import { createRandom, type Random } from '../../../shared/domain/statistics/index.ts';
import type { DatasetBatch } from '../datasets/dataset.ts';
import type { ModelAnswers } from './model-answers.ts';

/** Most rows kept, and most memory for their features. */
const SAMPLE_ROWS = 50_000;
const SAMPLE_BYTES = 16 * 2 ** 20;

/**
 * A fair sample of the rows: every row has the same chance, whatever the order of the file, and the same seed on the same
 * rows keeps the same ones. For what has to be looked at more than once: profile, robustness, latency.
 */
export interface RowSample {
  /** Rows kept, at most those seen. */
  readonly rows: number;
  readonly width: number;
  /** Row by row, `width` values each. */
  readonly features: Float32Array;
  /** Texts that a model takes, by the column's place among the texts of the run. */
  readonly texts: ReadonlyMap<number, readonly string[]>;
  readonly rowNumbers: Uint32Array;
  /** `NO_ANSWER` where there is no truth. */
  readonly labels: Uint8Array;
  /** By model. */
  readonly predicted: readonly Uint8Array[];
  readonly scores: readonly Float32Array[];
}

export interface SampleBuilder extends RowSample {
  add(batch: DatasetBatch, answers: readonly ModelAnswers[]): void;
}

/** `width`: number features of all models together; `textPlaces`: columns that a model takes as text. */
export function createRowSample(
  width: number,
  textPlaces: readonly number[],
  models: number,
  seed: number,
): SampleBuilder {
  const capacity = Math.max(1000, Math.min(SAMPLE_ROWS, Math.floor(SAMPLE_BYTES / (4 * Math.max(1, width)))));
  const random = createRandom(seed);
  const features = new Float32Array(capacity * width);
  const texts = new Map(textPlaces.map((place): [number, string[]] => [place, []]));
  const rowNumbers = new Uint32Array(capacity);
  const labels = new Uint8Array(capacity);
  const predicted = Array.from({ length: models }, () => new Uint8Array(capacity));
  const scores = Array.from({ length: models }, () => new Float32Array(capacity));
  const skipper = createSkipper(capacity, random);
  let rows = 0;
  let seen = 0;

  const put = (slot: number, batch: DatasetBatch, row: number, answers: readonly ModelAnswers[]): void => {
    for (let column = 0, at = slot * width; column < width; column++, at++)
      features[at] = (batch.features[column] as Float32Array)[row] as number;
    for (const [place, list] of texts) list[slot] = batch.text(place, row);
    rowNumbers[slot] = batch.rowNumbers[row] as number;
    labels[slot] = batch.labels === null ? NO_ANSWER : (batch.labels[row] as number);
    for (const [model, answer] of answers.entries()) {
      (predicted[model] as Uint8Array)[slot] = answer.predicted[row] as number;
      (scores[model] as Float32Array)[slot] =
        answer.scores === null ? Number.NaN : (answer.scores[row] as number);
    }
  };

  return {
    get rows() {
      return rows;
    },
    width,
    features,
    texts,
    rowNumbers,
    labels,
    predicted,
    scores,
    add(batch, answers) {
      let row = 0;
      for (; row < batch.rows && rows < capacity; row++) put(rows++, batch, row, answers);
      const end = seen + batch.rows;
      for (let next = skipper.next(); next < end; next = skipper.take())
        put(Math.floor(random.uniform() * capacity), batch, next - seen, answers);
      seen = end;
    },
  };
}

/** Which rows beyond the first ones replace another: algorithm L (Li 1994), one draw a replaced row and not a row. */
function createSkipper(capacity: number, random: Random) {
  const open = (): number => random.uniform() || Number.MIN_VALUE;
  let weight = Math.exp(Math.log(open()) / capacity);
  const gap = (): number => Math.floor(Math.log(open()) / Math.log1p(-weight)) + 1;
  let next = capacity - 1 + gap();
  return {
    /** Index, from 0, of the next row to keep. */
    next: () => next,
    take(): number {
      weight *= Math.exp(Math.log(open()) / capacity);
      next += gap();
      return next;
    },
  };
}
