import type { Accumulator, Figure } from './figure.ts';
import { RowMean } from './row-mean.ts';

/** How far probabilities in doubles are kept from 0 and 1: the machine's epsilon, as scikit-learn does. */
export const LOG_LOSS_FLOOR = 2 ** -52;
/** The same for single precision, where 1 − p has no finer steps. */
export const SINGLE_LOG_LOSS_FLOOR = 1e-7;

/** The loss of one row: −ln of the probability given to what was true. */
export function logLossOf(label: number, probability: number, floor = LOG_LOSS_FLOOR): number {
  const given = label === 1 ? probability : 1 - probability;
  return -Math.log(Math.min(1 - floor, Math.max(floor, given)));
}

/** Mean log loss in nats, streaming. Probabilities are of the positive class; a value that is no number makes it so too. */
export function createLogLoss({
  level,
  floor,
}: {
  readonly level?: number | undefined;
  readonly floor?: number | undefined;
} = {}): Accumulator<[labels: Uint8Array, probabilities: ArrayLike<number>], Figure> {
  const mean = new RowMean();
  return {
    add(labels, probabilities) {
      for (let row = 0; row < labels.length; row += 1)
        mean.add(logLossOf(labels[row] ?? 0, probabilities[row] ?? 0, floor));
    },
    result: () => mean.figure(level),
  };
}
