import type { Interval } from '../evidence/interval.ts';
import { normalInterval } from '../statistics/interval.ts';
import { Sum } from '../statistics/sum.ts';
import { type Figure, figure } from './figure.ts';

/** Mean of one value a row and its interval from the spread of the rows. Streaming. */
export class RowMean {
  readonly #sum = new Sum();
  readonly #squares = new Sum();
  #rows = 0;

  add(value: number): void {
    this.#sum.add(value);
    this.#squares.add(value * value);
    this.#rows += 1;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Interval clipped at 0, below which no loss lies; null with one row. */
  figure(level?: number): Figure {
    const rows = this.#rows;
    const mean = rows === 0 ? null : this.#sum.value / rows;
    let interval = null;
    if (mean !== null && rows > 1) {
      const variance = Math.max(0, (this.#squares.value - rows * mean * mean) / (rows - 1));
      const wide = normalInterval(mean, Math.sqrt(variance / rows), level);
      interval = { ...wide, low: Math.max(0, wide.low) };
    }
    return figure(mean, rows, interval, 'there are no rows');
  }
}

/** Mean of a difference row by row, and its normal interval. Streaming. */
export class MeanDifference {
  readonly #sum = new Sum();
  readonly #squares = new Sum();
  #rows = 0;

  add(difference: number): void {
    this.#sum.add(difference);
    this.#squares.add(difference * difference);
    this.#rows += 1;
  }

  /** null for fewer than two rows. */
  interval(level?: number): Interval | null {
    const rows = this.#rows;
    if (rows < 2) return null;
    const mean = this.#sum.value / rows;
    const variance = Math.max(0, (this.#squares.value - rows * mean * mean) / (rows - 1));
    return normalInterval(mean, Math.sqrt(variance / rows), level);
  }
}
