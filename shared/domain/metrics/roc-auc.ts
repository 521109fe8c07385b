import type { Interval } from '../evidence/interval.ts';
import { DEFAULT_LEVEL, twoSidedZ } from '../statistics/interval.ts';
import { type Figure, figure } from './figure.ts';
import { type SortedScores, ThresholdWalk } from './sorted-scores.ts';

export interface AucWithVariance {
  readonly auc: number;
  /** DeLong's variance of the area; null with fewer than two rows of a class. */
  readonly variance: number | null;
}

/**
 * Exact area under the ROC curve and its variance (DeLong, DeLong and Clarke-Pearson 1988). Ties count one half. O(n) on
 * sorted scores; null where a class is missing.
 */
export function aucWithVariance(scores: SortedScores): AucWithVariance | null {
  const n = scores.negatives.length;
  const p = scores.positives.length;
  if (n === 0 || p === 0) return null;
  let doubledWins = 0;
  let falseBefore = 0;
  let trueBefore = 0;
  // Placements: the share of the other class that a row is on the right side of, a half for ties.
  for (const walk = new ThresholdWalk(scores); walk.next(); ) {
    const { falsePositives, truePositives } = walk;
    doubledWins += (truePositives - trueBefore) * (2 * (n - falsePositives) + (falsePositives - falseBefore));
    falseBefore = falsePositives;
    trueBefore = truePositives;
  }
  const auc = doubledWins / 2 / n / p;
  if (n < 2 || p < 2) return { auc, variance: null };
  let ofPositives = 0;
  let ofNegatives = 0;
  falseBefore = 0;
  trueBefore = 0;
  for (const walk = new ThresholdWalk(scores); walk.next(); ) {
    const { falsePositives, truePositives } = walk;
    const tiedNegatives = falsePositives - falseBefore;
    const tiedPositives = truePositives - trueBefore;
    ofPositives += tiedPositives * ((n - falsePositives + tiedNegatives / 2) / n - auc) ** 2;
    ofNegatives += tiedNegatives * ((trueBefore + tiedPositives / 2) / p - auc) ** 2;
    falseBefore = falsePositives;
    trueBefore = truePositives;
  }
  return { auc, variance: ofPositives / (p - 1) / p + ofNegatives / (n - 1) / n };
}

/**
 * DeLong's interval on the logit scale (Pepe 2003), which stays inside (0, 1). Where the classes are fully apart the
 * variance says nothing; Wilson's bound for the smaller class takes its place.
 */
export function aucInterval(
  { auc, variance }: AucWithVariance,
  negatives: number,
  positives: number,
  level = DEFAULT_LEVEL,
): Interval | null {
  const z = twoSidedZ(level);
  if (auc === 0 || auc === 1) {
    const fewer = Math.min(negatives, positives);
    const bound = (z * z) / (fewer + z * z);
    return { low: auc === 1 ? 1 - bound : 0, high: auc === 1 ? 1 : bound, level, method: 'wilson' };
  }
  if (variance === null) return null;
  const half = (z * Math.sqrt(variance)) / (auc * (1 - auc));
  const logit = Math.log(auc / (1 - auc));
  const inverse = (x: number): number => 1 / (1 + Math.exp(-x));
  return { low: inverse(logit - half), high: inverse(logit + half), level, method: 'delong' };
}

/** ROC AUC with its interval. */
export function rocAuc(scores: SortedScores, level?: number): Figure {
  const { negatives, positives } = scores;
  const measured = aucWithVariance(scores);
  return figure(
    measured?.auc ?? null,
    negatives.length + positives.length,
    measured && aucInterval(measured, negatives.length, positives.length, level),
    'a class is missing',
  );
}
