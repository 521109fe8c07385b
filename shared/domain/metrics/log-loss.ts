import type { Accumulator, Figure } from './figure.ts';
import { RowMean } from './row-mean.ts';

/** Probabilities are kept this far from 0 and 1, as scikit-learn does for doubles (the machine's epsilon). */
export const LOG_LOSS_EPSILON = 2 ** -52;

/** The loss of one row: −ln of the probability given to what was true. */
export function logLossOf(label: number, probability: number): number {
  const kept = Math.min(1 - LOG_LOSS_EPSILON, Math.max(LOG_LOSS_EPSILON, probability));
  // As scikit-learn: the probability of the negative class is 1 − p before it is kept off zero.
  return label === 1
    ? -Math.log(kept)
    : -Math.log(Math.min(1 - LOG_LOSS_EPSILON, Math.max(LOG_LOSS_EPSILON, 1 - probability)));
}

/** Mean log loss in nats, streaming. Probabilities are of the positive class; a value that is no number makes it so too. */
export function createLogLoss(
  level?: number,
): Accumulator<[labels: Uint8Array, probabilities: ArrayLike<number>], Figure> {
  const mean = new RowMean();
  return {
    add(labels, probabilities) {
      for (let row = 0; row < labels.length; row += 1)
        mean.add(logLossOf(labels[row] ?? 0, probabilities[row] ?? 0));
    },
    result: () => mean.figure(level),
  };
}
