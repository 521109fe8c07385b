/**
 * Two detectors on the same rows, as eight counts: true class × first's decision × second's. Everything about decisions
 * follows from them, the paired bootstrap too, exactly.
 */
import type { Interval } from '../evidence/interval.ts';
import { pairedRateInterval, percentileInterval } from '../statistics/interval.ts';
import { type McNemar, mcnemar } from '../statistics/mcnemar.ts';
import type { Random } from '../statistics/random.ts';
import { accuracyOf } from './accuracy.ts';
import { balancedAccuracyOf } from './balanced-accuracy.ts';
import { REPLICATES } from './bootstrap.ts';
import { f1Of } from './f1.ts';
import { falsePositiveRateOf } from './false-positive-rate.ts';
import { ratio } from './figure.ts';
import { mccOf } from './mcc.ts';
import { positiveRateOf } from './positive-rate.ts';
import { precisionOf } from './precision.ts';
import { recallOf } from './recall.ts';
import type { Confusion } from './report.ts';

/** Place of a row in the table: 4 · label + 2 · first + second, each 0 or 1. */
export const PAIR_CELLS = 8;

/** Decisions' metrics by the names reports use. */
const DECISION_METRICS: Readonly<Record<string, (confusion: Confusion) => number | null>> = {
  accuracy: accuracyOf,
  balanced_accuracy: balancedAccuracyOf,
  precision: precisionOf,
  recall: recallOf,
  f1: f1Of,
  mcc: mccOf,
  false_positive_rate: falsePositiveRateOf,
  positive_rate: positiveRateOf,
};

/** The confusion matrix of the first or second detector. */
export function confusionOf(table: ArrayLike<number>, which: 'first' | 'second'): Confusion {
  const cell = (label: number, decision: number): number => {
    const base = 4 * label;
    return which === 'first'
      ? (table[base + 2 * decision] ?? 0) + (table[base + 2 * decision + 1] ?? 0)
      : (table[base + decision] ?? 0) + (table[base + 2 + decision] ?? 0);
  };
  return { tn: cell(0, 0), fp: cell(0, 1), fn: cell(1, 0), tp: cell(1, 1) };
}

export interface Agreement {
  readonly rows: number;
  readonly disagreements: number;
  /** Rows only the second got right, and rows only the first got right. */
  readonly fixed: number;
  readonly broken: number;
  /** `matrix[a][b]`: rows the first called a and the second b. */
  readonly matrix: readonly [readonly [number, number], readonly [number, number]];
  /** Cohen's kappa of the two; null where both call everything alike. */
  readonly kappa: number | null;
  readonly mcnemar: McNemar;
}

/** Where two detectors agree, where not, and whether one errs more often. Without labels only the matrix and kappa hold. */
export function agreementOf(table: ArrayLike<number>): Agreement {
  const both = (a: number, b: number): number => (table[2 * a + b] ?? 0) + (table[4 + 2 * a + b] ?? 0);
  const matrix = [
    [both(0, 0), both(0, 1)],
    [both(1, 0), both(1, 1)],
  ] as const;
  const disagreements = matrix[0][1] + matrix[1][0];
  const rows = disagreements + matrix[0][0] + matrix[1][1];
  const chance =
    (matrix[0][0] + matrix[0][1]) * (matrix[0][0] + matrix[1][0]) +
    (matrix[1][0] + matrix[1][1]) * (matrix[0][1] + matrix[1][1]);
  // Benign and the second says so, or malicious and the second says so.
  const fixed = (table[2] ?? 0) + (table[5] ?? 0);
  const broken = (table[1] ?? 0) + (table[6] ?? 0);
  return {
    rows,
    disagreements,
    fixed,
    broken,
    matrix,
    kappa: ratio((rows - disagreements) * rows - chance, rows * rows - chance),
    mcnemar: mcnemar(broken, fixed),
  };
}

/**
 * Intervals of second minus first by metric name. Accuracy, recall, false-positive and flagged rate: Bonett and Price's
 * closed form; precision, F1, MCC and balanced accuracy: paired bootstrap of the eight counts where randomness is given.
 */
export function decisionDeltaIntervals(
  table: ArrayLike<number>,
  random?: Random,
  level?: number,
): Record<string, Interval> {
  const cell = (index: number): number => table[index] ?? 0;
  const negatives = cell(0) + cell(1) + cell(2) + cell(3);
  const positives = cell(4) + cell(5) + cell(6) + cell(7);
  const found: Record<string, Interval | null> = {
    accuracy: pairedRateInterval(cell(2) + cell(5), cell(1) + cell(6), negatives + positives, level),
    recall: pairedRateInterval(cell(5), cell(6), positives, level),
    false_positive_rate: pairedRateInterval(cell(1), cell(2), negatives, level),
    positive_rate: pairedRateInterval(cell(1) + cell(5), cell(2) + cell(6), negatives + positives, level),
  };
  const resampled = Object.entries(DECISION_METRICS).filter(([name]) => !(name in found));
  if (random !== undefined) {
    const replicates = resampled.map(() => new Float64Array(REPLICATES));
    const drawn = new Float64Array(PAIR_CELLS);
    for (let at = 0; at < REPLICATES; at += 1) {
      for (let index = 0; index < PAIR_CELLS; index += 1) drawn[index] = random.poisson(cell(index));
      const before = confusionOf(drawn, 'first');
      const after = confusionOf(drawn, 'second');
      for (const [index, [, metric]] of resampled.entries()) {
        const values = replicates[index];
        if (values !== undefined) values[at] = (metric(after) ?? Number.NaN) - (metric(before) ?? Number.NaN);
      }
    }
    const [first, second] = [confusionOf(table, 'first'), confusionOf(table, 'second')];
    for (const [index, [name, metric]] of resampled.entries()) {
      const isDefined = metric(first) !== null && metric(second) !== null;
      const values = replicates[index];
      found[name] = isDefined && values !== undefined ? percentileInterval(values, 0, level) : null;
    }
  }
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, Interval] => entry[1] !== null),
  );
}
