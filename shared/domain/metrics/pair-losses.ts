import type { Interval } from '../evidence/interval.ts';
import type { Floats } from './floats.ts';
import { logLossOf } from './log-loss.ts';
import { floorFor, probabilityOf, type Reading } from './probability-figures.ts';
import { MeanDifference } from './row-mean.ts';

/** Differences of two models' losses row by row (second minus first), where both models' scores are probabilities. */
export class PairLosses {
  readonly #first: Reading;
  readonly #second: Reading;
  readonly #logLoss = new MeanDifference();
  readonly #brier = new MeanDifference();

  constructor(first: Reading, second: Reading) {
    this.#first = first;
    this.#second = second;
  }

  /** Scores as the models gave them. */
  add(labels: Uint8Array, first: Floats, second: Floats): void {
    const [floorA, floorB] = [floorFor(this.#first, first), floorFor(this.#second, second)];
    for (let row = 0; row < labels.length; row += 1) {
      const label = labels[row] as number;
      const a = probabilityOf(first[row] as number, this.#first);
      const b = probabilityOf(second[row] as number, this.#second);
      this.#logLoss.add(logLossOf(label, b, floorB) - logLossOf(label, a, floorA));
      this.#brier.add((b - label) ** 2 - (a - label) ** 2);
    }
  }

  intervals(level?: number): Record<'log_loss' | 'brier', Interval | null> {
    return { log_loss: this.#logLoss.interval(level), brier: this.#brier.interval(level) };
  }
}
