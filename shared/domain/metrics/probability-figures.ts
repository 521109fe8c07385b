import { createBrier } from './brier.ts';
import { type Calibration, createCalibration } from './calibration.ts';
import type { DetectionOptions } from './detection-options.ts';
import type { Figure } from './figure.ts';
import type { Floats } from './floats.ts';
import { createLogLoss, SINGLE_LOG_LOSS_FLOOR } from './log-loss.ts';

export interface ProbabilityFigures {
  readonly log_loss: Figure;
  readonly brier: Figure;
  readonly ece: Figure;
  readonly calibration: Calibration;
}

/** Single-precision softmax may leave [0, 1] by this much. */
const ROUNDING = 1e-6;

/** Most rows' probabilities held at once. */
const CHUNK = 65_536;

/** What is asked of how a model's scores are to be read. */
export type Reading = Pick<DetectionOptions, 'lowerIsPositive' | 'probabilities' | 'probabilityFloor'>;

/** How far probabilities are kept from 0 and 1 where scores come in this precision. */
export function floorFor({ probabilityFloor }: Reading, scores: Floats): number | undefined {
  return probabilityFloor ?? (scores instanceof Float32Array ? SINGLE_LOG_LOSS_FLOOR : undefined);
}

/** The probability of the positive class behind a score as the model gave it. */
export function probabilityOf(score: number, { lowerIsPositive }: Reading): number {
  return Math.min(1, Math.max(0, lowerIsPositive === true ? 1 - score : score));
}

/**
 * Losses and calibration of scores that are probabilities, row by row, as long as all of them lie in [0, 1]: the first
 * that does not says that none is meant as one, and nothing more is computed.
 */
export class ProbabilityRows {
  readonly #options: Reading & Pick<DetectionOptions, 'random' | 'level'>;
  readonly #calibration: ReturnType<typeof createCalibration>;
  readonly #brier: ReturnType<typeof createBrier>;
  #loss: ReturnType<typeof createLogLoss> | null = null;
  #fits: boolean;

  constructor(options: Reading & Pick<DetectionOptions, 'random' | 'level'>) {
    this.#options = options;
    this.#calibration = createCalibration({ random: options.random, level: options.level });
    this.#brier = createBrier(options.level);
    this.#fits = options.probabilities !== false;
  }

  /** False once they are known to be none. */
  get fits(): boolean {
    return this.#fits;
  }

  /** `scores` as the model gave them. */
  add(labels: Uint8Array, scores: Floats): void {
    if (!this.#fits) return;
    for (let row = 0; row < scores.length; row += 1) {
      const score = scores[row] as number;
      if (score < -ROUNDING || score > 1 + ROUNDING) {
        this.#fits = false;
        return;
      }
    }
    this.#loss ??= createLogLoss({
      level: this.#options.level,
      floor: floorFor(this.#options, scores),
    });
    for (let from = 0; from < scores.length; from += CHUNK) {
      const probabilities = new Float64Array(Math.min(CHUNK, scores.length - from));
      for (let row = 0; row < probabilities.length; row += 1)
        probabilities[row] = probabilityOf(scores[from + row] as number, this.#options);
      const part = labels.subarray(from, from + probabilities.length);
      this.#loss.add(part, probabilities);
      this.#brier.add(part, probabilities);
      this.#calibration.add(part, probabilities);
    }
  }

  /** null where the scores are no probabilities, or there are none. */
  result(): ProbabilityFigures | null {
    if (!this.#fits || this.#loss === null) return null;
    const calibration = this.#calibration.result();
    return {
      log_loss: this.#loss.result(),
      brier: this.#brier.result(),
      ece: calibration.ece,
      calibration,
    };
  }
}
